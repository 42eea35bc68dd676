"""Shell completion: sub-commands and options by typer, names by kubectl.

`kubectl_complete-whatsapp` is what kubectl's own completion starts for this plugin, with the words that follow
`kubectl whatsapp`, the unfinished one last. It wants a choice per line, with its meaning behind a tab, and in the last
line a directive for the shell. typer prints the same lines for the fish shell, so that one is asked.
"""

import io
import os
import re
import shlex
import sys
from contextlib import redirect_stdout, suppress
from pathlib import Path

import typer

from kubectl_whatsapp.console import Console
from kubectl_whatsapp.flags import given, kubectl_of
from kubectl_whatsapp.kubectl_errors import KubectlError
from kubectl_whatsapp.views import SESSIONS

__all__ = ["COMPLETE_VARIABLE", "contexts", "files", "main", "namespaces", "sessions"]

COMPLETE_VARIABLE = "_KUBECTL_WHATSAPP_COMPLETE"
TIMEOUT = 5.0
""" Seconds for kubectl: a person waits after pressing Tab. """
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9@:._/-]*")
""" Of objects and contexts: a shell evaluates what it is given, so that nothing else is offered. """
PATH = re.compile(r"[\w@%+=:,./ -]+")
""" The same of files. """
NO_FILES = 4
NO_SPACE = 2


def sessions(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the sessions of the given namespace, without those that the line has already."""
    namespace = given(ctx, "--namespace")
    scope = ["--all-namespaces"] if ctx.params.get("all_namespaces") else [f"--namespace={namespace}"] * bool(namespace)
    given_names = ctx.params.get("names") or ()
    return [
        name
        for name in _names(ctx, "get", SESSIONS, "--output=name", *scope, prefix=incomplete)
        if name not in given_names
    ]


def namespaces(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the namespaces, if the person may list them."""
    return _names(ctx, "get", "namespaces", "--output=name", prefix=incomplete)


def contexts(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the contexts of the kubeconfig."""
    return _names(ctx, "config", "get-contexts", "--output=name", prefix=incomplete)


def files(incomplete: str) -> list[str]:
    """Return paths; a folder ends in a slash."""
    folder, slash, prefix = incomplete.rpartition("/")
    with suppress(OSError):
        entries = sorted(Path(f"{folder}{slash}" or ".").iterdir())
        shown = [entry for entry in entries if entry.name.startswith(prefix) and (prefix or entry.name[0] != ".")]
        found = [f"{folder}{slash}{entry.name}{'/' * entry.is_dir()}" for entry in shown]
        return [path for path in found if PATH.fullmatch(path)]
    return []


def _names(ctx: typer.Context, *arguments: str, prefix: str) -> list[str]:
    # Without the right to list them, or without a cluster, offer none: there is no place for an error message.
    with suppress(KubectlError):
        output = kubectl_of(ctx)(*arguments, timeout=TIMEOUT)
        names = (line.rpartition("/")[2] if arguments[0] == "get" else line for line in output.splitlines())
        return [name for name in names if name.startswith(prefix) and NAME.fullmatch(name)]
    return []


def main() -> None:
    """Print the choices for the command line, in the format that kubectl expects."""
    from kubectl_whatsapp import cli  # which imports from here

    *complete, unfinished = sys.argv[1:] or [""]
    line = f"{shlex.join(['kubectl-whatsapp', *complete])} {shlex.quote(unfinished) if unfinished else ''}"
    os.environ |= {
        COMPLETE_VARIABLE: "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": line,
    }
    with redirect_stdout(io.StringIO()) as choices, suppress(SystemExit):
        cli.main([], console=Console(raw=io.BytesIO()))
    found = [choice for choice in choices.getvalue().splitlines() if choice]
    folders = bool(found) and all(choice.endswith("/") for choice in found)
    print(*found, f":{NO_FILES | NO_SPACE * folders}", sep="\n")
