"""The command line: parses the arguments, runs a command, turns an error into a message and an exit status.

Exit status: 0 success; 1 with a message when the command failed; 2 for a wrong command line; 130 after Ctrl-C.
"""

import io
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import typer

from kubectl_whatsapp import completion
from kubectl_whatsapp.account import show_account
from kubectl_whatsapp.console import Console
from kubectl_whatsapp.dead_letters import DeadLettersRequest, redrive, show_dead_letters
from kubectl_whatsapp.drawing import CodeFormat
from kubectl_whatsapp.errors import PluginError
from kubectl_whatsapp.flags import flag, given, kubectl_of, with_flags
from kubectl_whatsapp.kubectl_errors import ApiMissing, KubectlError
from kubectl_whatsapp.pair import show_pairing_code
from kubectl_whatsapp.qr import QrRequest, show_code, watch_codes
from kubectl_whatsapp.qr_all import walk_through
from kubectl_whatsapp.send import SendRequest, send_message
from kubectl_whatsapp.status import StatusFormat, StatusRequest, show_status, watch_status

__all__ = ["main", "run"]

FLAGS = (
    flag(
        "-n", "--namespace", metavar="NAME", help="Namespace (default: the context's)", complete=completion.namespaces
    ),
    flag("--context", metavar="NAME", help="Context of the kubeconfig", complete=completion.contexts),
    flag("--kubeconfig", metavar="FILE", help="Kubeconfig file", complete=completion.files),
    flag("--as", metavar="USER", help="User to act as"),
    flag("--as-group", metavar="GROUP", help="Group to act as; may be given again", kind=list[str] | None),
    flag("--as-uid"),
    flag("--cluster"),
    flag("--user"),
    flag("-s", "--server"),
    flag("--token"),
    flag("--tls-server-name"),
    flag("--certificate-authority", complete=completion.files),
    flag("--client-certificate", complete=completion.files),
    flag("--client-key", complete=completion.files),
    flag("--insecure-skip-tls-verify", kind=bool | None),
    flag("--request-timeout"),
    flag("--cache-dir", complete=completion.files),
)
# Help is typer's plain one and not rich's: it reads as kubectl's own does, survives a pipe, and comes in half the time.
app = typer.Typer(
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
TYPERS_OWN = frozenset({"--install-completion", "--show-completion"})
EPILOG = "Other options of kubectl's that choose a cluster or a user (`kubectl options`) are passed on too."


class UsageError(typer.TyperException):
    """A command line that typer can parse but that is wrong: an invalid name, or options that do not go together."""

    def __init__(self, message: str, ctx: typer.Context) -> None:
        super().__init__(message)
        self.ctx = ctx


def main(arguments: Sequence[str] | None = None, *, console: Console | None = None) -> int:
    """Run one command and return the exit status."""
    command_line = list(sys.argv[1:] if arguments is None else arguments)
    output = console or Console()
    # typer's own completion is for the program's name: kubectl has its own for what follows `kubectl`.
    name = "kubectl-whatsapp" if TYPERS_OWN & {*command_line} else "kubectl whatsapp"
    try:
        status = without_pydantic(typer.main.get_command(app))(
            command_line,
            prog_name=name,
            complete_var=completion.COMPLETE_VARIABLE,
            standalone_mode=False,
            obj=output,
        )
    except typer.TyperException as error:
        where = getattr(getattr(error, "ctx", None), "command_path", name)
        output.info(f"error: {error.format_message()}\nSee '{where} --help' for usage.")
        return 2
    except (PluginError, KubectlError) as error:
        output.info(f"error: {error}")
        if isinstance(error, ApiMissing):
            output.info("The operator's API is not installed in this cluster; check the context")
        return 1
    return status or 0


def without_pydantic(command: Any) -> Any:
    """Make typer convert the arguments (text, paths, enums) by plain Python instead of pydantic.

    Loading pydantic takes longer than everything else here together. This changes a private attribute of typer; if a
    later version does not have it, the commands work as before and are only slower.
    """
    top = typer.Context(command, **command.context_settings)
    for ctx in (top, *(typer.Context(each, parent=top) for each in command.commands.values())):
        found: list[Any] = ctx.command.get_params(ctx)
        for parameter in found:
            if hasattr(parameter, "_runtime_param"):
                annotation = parameter.type_descriptor.annotation
                kind = annotation if annotation in (Path, CodeFormat, StatusFormat) else None
                parameter._runtime_param = Coercion(kind)  # noqa: SLF001
    return command


@dataclass(frozen=True)
class Coercion:
    """Converts an argument to the type of its parameter; has the interface that typer calls."""

    kind: Callable[[Any], Any] | None
    """ None: the text itself. """

    def coerce(self, value: Any, *, param: Any, ctx: Any) -> Any:
        """Return the converted value.

        :raises typer.BadParameter: it is not a value of the enum.
        """
        if value is None or self.kind is None:
            return value
        try:
            return self.kind(value)
        except ValueError as error:
            choices = ", ".join(f"'{choice}'" for choice in param.type_descriptor.choices)
            raise typer.BadParameter(f"{value!r} is not one of {choices}.", ctx=ctx, param=param) from error


def run() -> None:
    """Run as a program: `kubectl-whatsapp` or `python -m kubectl_whatsapp`; exits with the status."""
    # Messages contain people's text, and not every terminal is UTF-8: a question mark is better than a traceback.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    sys.excepthook = print_fault
    sys.exit(main())


def print_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the traceback of a fault of our own; what it quotes may be foreign text, which a terminal would obey."""
    Console().info("".join(traceback.format_exception(kind, error, trace)).rstrip())


@app.callback(invoke_without_command=True, epilog=EPILOG)
@with_flags(FLAGS)
def _without_a_command(ctx: typer.Context) -> None:
    """Link WhatsApp sessions on Kubernetes to their phones, send texts, and see sessions beside their quotas."""
    if ctx.invoked_subcommand is None:
        ctx.obj.info(ctx.get_help())
        raise typer.Exit(2)


@app.command("qr", epilog=EPILOG)
@with_flags(FLAGS)
def _qr(
    ctx: typer.Context,
    *,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The session", autocompletion=completion.sessions)
    ] = None,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="Where to write it (default: standard output)", autocompletion=completion.files
        ),
    ] = None,
    watch: Annotated[bool, typer.Option("-w", "--watch", help="Show each new code until a phone is linked")] = False,
    walk: Annotated[
        bool, typer.Option("--all", help="Walk through the namespace's unlinked sessions, one code at a time")
    ] = False,
    output: Annotated[
        CodeFormat, typer.Option("-o", "--output", help="text and json are for programs that draw it")
    ] = CodeFormat.TERMINAL,
) -> None:
    """Show the QR code that links a phone.

    Example: kubectl whatsapp qr sales -n shop --watch

    It needs the right to read the session's Secret for linking and to forward to its pod: the role `edit` in the
    namespace has both. Whoever sees the code can link a phone to the session.
    """
    console = ctx.obj
    if walk == (name is not None):
        raise UsageError("name one session, or walk through all with --all, which takes no name and no FILE", ctx)
    if file is None and output in (CodeFormat.PNG, CodeFormat.SVG) and console.terminal:
        raise UsageError(f"a {output} cannot be shown in a terminal: name a FILE, or redirect the output", ctx)
    wanted = "" if name is None else _name(name, ctx)
    request = QrRequest(name=wanted, namespace=given(ctx, "--namespace"), form=output, file=file)
    command = walk_through if walk else watch_codes if watch else show_code
    command(request, kubectl=kubectl_of(ctx), console=console)


@app.command("pair", epilog=EPILOG)
@with_flags(FLAGS)
def _pair(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The session", autocompletion=completion.sessions)],
    number: Annotated[
        str | None, typer.Argument(metavar="NUMBER", help="The phone's number, as +15550100000 (default: the Secret's)")
    ] = None,
    watch: Annotated[bool, typer.Option("-w", "--watch", help="Show each new code until a phone is linked")] = False,
) -> None:
    """Show the pairing code to type into the phone.

    Example: kubectl whatsapp pair sales -n shop +15550100000

    It links the phone as a QR code does, and needs the same rights. NUMBER asks for a code for that phone.
    """
    show_pairing_code(
        _name(name, ctx),
        number,
        namespace=given(ctx, "--namespace"),
        watch=watch,
        kubectl=kubectl_of(ctx),
        console=ctx.obj,
    )


@app.command("account", epilog=EPILOG)
@with_flags(FLAGS)
def _account(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The session", autocompletion=completion.sessions)],
) -> None:
    """Show the number of the linked account.

    It needs the same rights as the QR code.
    """
    show_account(_name(name, ctx), namespace=given(ctx, "--namespace"), kubectl=kubectl_of(ctx), console=ctx.obj)


@app.command("send", epilog=EPILOG)
@with_flags(FLAGS)
def _send(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The session", autocompletion=completion.sessions)],
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="The message's text (default: standard input)")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="NUMBER", help="Whom it goes to (default: standard input's first line)"),
    ] = None,
    wait: Annotated[
        str,
        typer.Option("--wait", metavar="SECONDS", help="How long to wait until WhatsApp has it; 0: do not wait"),
    ] = "60",
) -> None:
    """Send a text, and wait until WhatsApp has it.

    Example: kubectl whatsapp send sales -n shop --to "+1 555 010 0777" Hello

    It needs the right to read the session's Secret for messaging and to forward to its pod: the role `edit` in the
    namespace has both. The message's id goes to standard output.
    """
    if not (wait.isascii() and wait.isdigit() and len(wait) <= 5):
        raise UsageError(f"--wait takes seconds, a whole number: {wait!r} is none", ctx)
    request = SendRequest(
        name=_name(name, ctx), namespace=given(ctx, "--namespace"), to=to, text=text, wait=float(wait)
    )
    send_message(request, kubectl=kubectl_of(ctx), console=ctx.obj)


@app.command("dead-letters", epilog=EPILOG)
@with_flags(FLAGS)
def _dead_letters(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The session", autocompletion=completion.sessions)],
    webhook: Annotated[
        str | None, typer.Option("--webhook", metavar="WEBHOOK", help="Only those of this webhook (default: all)")
    ] = None,
    again: Annotated[
        bool, typer.Option("--redrive", help="Send them again, before newer events of their chat")
    ] = False,
) -> None:
    """Show events that webhooks refused, or resend them.

    Example: kubectl whatsapp dead-letters sales -n shop --redrive

    An event that was refused, or not taken for three days, is a dead letter: it is not sent again by itself.

    It needs the right to read the session's Secret for administering and to forward to its pod: the role `edit` in the
    namespace has both.
    """
    request = DeadLettersRequest(name=_name(name, ctx), namespace=given(ctx, "--namespace"), webhook=webhook)
    command = redrive if again else show_dead_letters
    command(request, kubectl=kubectl_of(ctx), console=ctx.obj)


@app.command("status", epilog=EPILOG)
@with_flags(FLAGS)
def _status(
    ctx: typer.Context,
    *,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Sessions (default: all)", autocompletion=completion.sessions),
    ] = None,
    all_namespaces: Annotated[bool, typer.Option("-A", "--all-namespaces", help="Sessions of all namespaces")] = False,
    selector: Annotated[
        str | None, typer.Option("-l", "--selector", metavar="LABELS", help="Sessions with these labels")
    ] = None,
    watch: Annotated[bool, typer.Option("-w", "--watch", help="Then print a line for each change")] = False,
    output: Annotated[
        StatusFormat, typer.Option("-o", "--output", help="wide also shows node, pod and the browser's version")
    ] = StatusFormat.TABLE,
) -> None:
    """Show sessions, and how full their quotas are.

    SINCE says how long READY has had its value, RESTARTS counts pods after the first.
    """
    if names and all_namespaces:
        raise UsageError("a name cannot be combined with -A: it is looked up in one namespace", ctx)
    if names and selector:
        raise UsageError("a name cannot be combined with -l: it selects one session already", ctx)
    if watch and (len(names or ()) > 1 or output in (StatusFormat.JSON, StatusFormat.YAML)):
        raise UsageError("--watch takes at most one name, and -o table, wide or name", ctx)
    request = StatusRequest(
        names=tuple(_name(name, ctx) for name in names or ()),
        namespace=given(ctx, "--namespace"),
        all_namespaces=all_namespaces,
        selector=selector,
        listing=output,
    )
    command = watch_status if watch else show_status
    command(request, kubectl=kubectl_of(ctx), console=ctx.obj)


def _name(argument: str, ctx: typer.Context) -> str:
    """Return a session's name, also from the form that `kubectl get --output=name` prints (kind/name)."""
    name = argument.rpartition("/")[2]
    if not name or name.startswith("-") or not name.isprintable():
        raise UsageError(f"{argument!r} is not the name of a session", ctx)
    return name
