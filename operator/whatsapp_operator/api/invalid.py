"""What happens with a stored value that this version of the operator cannot use.

The API server checks what people write, but it keeps what it once accepted: an object may have been stored under an
older or a newer schema. Reading it never fails. A bad *status* field counts as absent (the operator writes status
anew anyway). A bad *spec* field becomes a `Problem`, and asking for that spec raises `InvalidObject`, which the
operator turns into the condition Stalled with the problems as its message. It never guesses a value in place of one
that a person wrote.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pydantic

# A condition's message has an end, and a stored object may have any number of bad fields of any length.
_SHOWN_VALUE = 60
_SHOWN_FIELD = 250
_SHOWN_PROBLEMS = 20


class Problem(NamedTuple):
    """One field of a stored object that cannot be used."""

    field: str
    """Where, in the words of the manifest: `spec.resources.limits.memory`."""
    reason: str
    """What is wrong and what would be right; a sentence without a full stop."""

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


class InvalidObject(ValueError):
    """The stored spec has values that this operator cannot use; `problems` lists each, in the order of the fields."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def problems_of(error: pydantic.ValidationError, *, under: str) -> tuple[Problem, ...]:
    """Translate pydantic's findings into the words of the manifest; `under` is the path of the validated part.

    Of very many only the first are listed, and how many more there are: all together fit a condition's message.
    """
    found = error.errors(include_url=False)
    shown = tuple(_problem(each, under=under) for each in found[:_SHOWN_PROBLEMS])
    rest = len(found) - len(shown)
    return (*shown, Problem(under, f"{rest} more fields cannot be used")) if rest else shown


def _problem(found: Mapping[str, Any], *, under: str) -> Problem:
    field = under
    for step in found["loc"]:
        field += f"[{step}]" if isinstance(step, int) else f".{step}"
    reason = str(found["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    value = found["input"]
    if isinstance(value, str | int | float):
        reason += f", but it is {_cut(str(value), _SHOWN_VALUE)!r}"
    return Problem(_cut(field, _SHOWN_FIELD), reason)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + "…"
