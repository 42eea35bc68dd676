"""The options of kubectl's own that choose a cluster or a person: understood before the command and after it, and passed on.

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
    """An option of kubectl's, the last of the spellings its long one; without a help it is left out of the help."""
    option = typer.Option(*options, metavar=metavar, help=help, hidden=not help, autocompletion=complete)
    name = PREFIX + options[-1].replace("-", "_")
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])


def with_flags(flags: Iterable[inspect.Parameter]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Put the options on a command; it finds them through its context."""

    def on(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True)

        @functools.wraps(command)
        def wrapped(**values: Any) -> None:
            command(**{name: value for name, value in values.items() if name in own.parameters})

        wrapped.__dict__["__signature__"] = own.replace(parameters=[*own.parameters.values(), *flags])
        return wrapped

    return on


def given(ctx: typer.Context, option: str) -> Any:
    """What was given for an option, behind the command or before it; None for nothing."""
    name = PREFIX + option.replace("-", "_")
    return ctx.params.get(name) or (None if ctx.parent is None else ctx.parent.params.get(name))


def kubectl_of(ctx: typer.Context) -> Kubectl:
    """Return a kubectl with all that was given but the namespace, which is not everywhere the same.

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
