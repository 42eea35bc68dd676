"""The command line: from words to one of the commands, and from an error to a message and an exit status.

Exit status: 0 done; 1 with a message for everything that could not be done; 2 for words that were not understood; 130
after Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from kubectl_whatsapp.console import Console
from kubectl_whatsapp.drawing import Form
from kubectl_whatsapp.errors import PluginError
from kubectl_whatsapp.kubectl import Kubectl, find_kubectl
from kubectl_whatsapp.qr import QrRequest, show_code, watch_codes
from kubectl_whatsapp.status import StatusRequest, show_status

__all__ = ["main", "parse"]

QR = """\
Shows the QR code that links a phone. It needs the right to read the session's Secret and to forward to its pod: the
role `edit` in the namespace has both. Whoever sees the code can link a phone to the session."""
STATUS = """\
Shows sessions with their state, and how full their quotas are. SINCE says how long READY has had its value."""

COMMON = "Also: -n/--namespace, --context and --kubeconfig, as with kubectl."
EPILOG = """\
commands:
  qr NAME [FILE]     show the QR code that links a phone
  status [NAME...]   show sessions and how full their quotas are"""


def main(arguments: Sequence[str] | None = None, *, console: Console | None = None) -> int:
    """Run one command; returns the exit status."""
    given = parse(arguments)
    surroundings = console or Console()
    try:
        flags = tuple(f"--{name}={value}" for name in ("kubeconfig", "context") if (value := getattr(given, name)))
        kubectl = Kubectl(program=find_kubectl(), flags=flags)
        if given.command == "status":
            show_status(_status(given), kubectl=kubectl, console=surroundings)
        else:
            command = watch_codes if given.watch else show_code
            command(_qr(given), kubectl=kubectl, console=surroundings)
    except PluginError as error:
        surroundings.say(f"error: {error}")
        return 1
    except BrokenPipeError:  # whoever read our output has enough; nothing more can be printed, at exit neither
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Understand the words; ends the process with status 2 and a hint where they make no sense.

    The flags that all commands know may stand before the command too, as with kubectl itself.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    top = argparse.ArgumentParser(
        prog="kubectl whatsapp",
        description="WhatsApp sessions on Kubernetes.",
        epilog=EPILOG,
        add_help=False,
        allow_abbrev=False,
        parents=[_common()],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("command", choices=["qr", "status"], help="`COMMAND --help` tells more")
    if not words or words[0] in ("-h", "--help", "help"):
        top.print_help()
        top.exit(0 if words else 2)
    given, rest = top.parse_known_args(words)
    own = _qr_parser() if given.command == "qr" else _status_parser()
    # Intermixed, because people write `qr sales -o png sales.png` and `qr -o png sales sales.png` alike.
    found = own.parse_intermixed_args(rest, namespace=given)
    if given.command == "status" and found.all_namespaces and found.names:
        own.error("a name and -A do not go together: a name is looked up in one namespace")
    if given.command == "qr" and found.file is None and found.output in (Form.PNG, Form.SVG) and sys.stdout.isatty():
        own.error(f"a {found.output} is nothing for a terminal: name a FILE, or redirect the output")
    return found


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("-n", "--namespace", help="namespace of the session (default: the context's)")
    common.add_argument("--context", help="kubeconfig context to use")
    common.add_argument("--kubeconfig", help="kubeconfig file to use")
    return common


def _qr_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kubectl whatsapp qr", description=QR, epilog=COMMON)
    parser.add_argument("name", type=_name, metavar="NAME", help="the session")
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="where to write it (default: standard output)"
    )
    parser.add_argument("-w", "--watch", action="store_true", help="show each new code until a phone is linked")
    forms = f"{', '.join(Form)} (default: terminal; text is what the code says)"
    parser.add_argument(
        "-o", "--output", type=Form, choices=list(Form), default=Form.TERMINAL, metavar="FORMAT", help=forms
    )
    return parser


def _status_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kubectl whatsapp status", description=STATUS, epilog=COMMON)
    parser.add_argument("names", nargs="*", type=_name, metavar="NAME", help="sessions (default: all)")
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="sessions of all namespaces")
    parser.add_argument("-o", "--output", choices=["table", "json"], default="table", help="default: table")
    return parser


def _name(word: str) -> str:
    """A session's name, also as `kubectl get --output=name` prints it."""
    name = word.rpartition("/")[2]
    if not name or name.startswith("-"):
        raise argparse.ArgumentTypeError(f"{word!r} is no name of a session")
    return name


def _qr(given: argparse.Namespace) -> QrRequest:
    return QrRequest(name=given.name, namespace=given.namespace, form=given.output, file=given.file)


def _status(given: argparse.Namespace) -> StatusRequest:
    return StatusRequest(
        names=tuple(given.names),
        namespace=given.namespace,
        everywhere=given.all_namespaces,
        as_json=given.output == "json",
    )
