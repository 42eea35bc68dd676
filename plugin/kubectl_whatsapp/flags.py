"""The options of kubectl that select cluster and user: accepted before and after the command, and passed on.

`cli.py` puts them on every command; here they become a `Kubectl`, for the commands and for completion.
"""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import typer

from kubectl_whatsapp.kubectl import Kubectl, find_kubectl

__all__ = ["flag", "given", "kubectl_of", "with_flags"]

PREFIX = "kubectl"
""" Of the parameters' names: `--as` alone would be none that Python knows. """


def flag(
    *options: str,
    metavar: str | None = None,
    help: str = "",  # noqa: A002 -- typer's name
    kind: Any = str | None,
    complete: Callable[..., list[str]] | None = None,
) -> inspect.Parameter:
    """Return an option of kubectl's; the last spelling is the long one. Without `help`, the help does not list it."""
    option = typer.Option(*options, metavar=metavar, help=help, hidden=not help, autocompletion=complete)
    name = PREFIX + options[-1].replace("-", "_")
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])


def with_flags(flags: Iterable[inspect.Parameter]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options to a command, which reads them from its context."""

    def on(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True)

        @functools.wraps(command)
        def wrapped(**values: Any) -> None:
            command(**{name: value for name, value in values.items() if name in own.parameters})

        wrapped.__dict__["__signature__"] = own.replace(parameters=[*own.parameters.values(), *flags])
        return wrapped

    return on


def given(ctx: typer.Context, option: str) -> Any:
    """Return the value of an option, given after the command or before it; None: not given."""
    name = PREFIX + option.replace("-", "_")
    return ctx.params.get(name) or (None if ctx.parent is None else ctx.parent.params.get(name))


def kubectl_of(ctx: typer.Context) -> Kubectl:
    """Return a kubectl with the given options except the namespace, which differs by command.

    :raises KubectlMissing: there is no kubectl.
    """
    names = [name for name in ctx.params if name.startswith(f"{PREFIX}__")]
    options = [name.removeprefix(PREFIX).replace("_", "-") for name in names]
    values = {option: given(ctx, option) for option in options if option != "--namespace"}
    chosen = {option: value if isinstance(value, list) else [value] for option, value in values.items() if value}
    flags = [
        f"{option}={str(value_).lower() if value_ is True else value_}"
        for option in chosen
        for value_ in chosen[option]
    ]
    return Kubectl(program=find_kubectl(), flags=tuple(flags))
