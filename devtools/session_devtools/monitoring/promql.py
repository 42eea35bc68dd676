"""Divides the durations in a PromQL expression, and tells the series and labels that it names: pure.

Nothing but durations is touched, to the character. A duration is what Prometheus writes as one (`[15m]`, `offset 1h`), a constant that an age is compared with
(`time() - x > 600`, any comparison whose other side has `time()` in it), and how far `predict_linear` looks ahead. A
constant that is compared with anything else stays: a count, a share, bytes, or seconds that somebody has measured.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from session_devtools.errors import ToolError

__all__ = ["NoDurationError", "Selector", "divide_duration", "divide_expression", "selectors"]

_UNITS: Final = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_PART: Final = r"[0-9]+(?:ms|[ywdhms])"
_TOKEN: Final = re.compile(
    r"(?P<blank>\s+|#[^\n]*)"
    r"""|(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)"""
    rf"|(?P<duration>(?:{_PART})+(?![\w.]))"
    r"|(?P<number>0x[0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<word>[a-zA-Z_][\w:]*)"
    r"|(?P<comparison>[=!<>]=|=~|!~|[<>])"
    r"|(?P<sign>.)",
    re.DOTALL,
)
_SETS: Final = ("and", "or", "unless")
_MODIFIERS: Final = ("by", "without", "on", "ignoring", "group_left", "group_right")
""" Words that are followed by the names of labels. """
_KEYWORDS: Final = (*_SETS, *_MODIFIERS, "bool", "offset", "atan2", "inf", "nan")
_OPEN: Final = {"(": ")", "[": "]", "{": "}"}
_CALCULATION: Final = frozenset("+-*/^%")


class NoDurationError(ToolError):
    """A text is no duration, or an age is not compared with a constant, so that nothing of it can be divided."""


class Selector(NamedTuple):
    """A series that an expression selects."""

    series: str
    labels: frozenset[str]
    """ Those that are matched. """
    text: str
    """ All of it, as it is written. """


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


@dataclass
class _Group:
    """What stands between two brackets; the whole expression is one, too."""

    bracket: str
    start: int
    end: int = 0
    parts: list["_Token | _Group"] = field(default_factory=list)


_Part = _Token | _Group


def divide_duration(text: str, by: int) -> str:
    """Return a duration of Prometheus (1h30m) divided, to the millisecond."""
    if not re.fullmatch(rf"(?:{_PART})+|0", text):
        raise NoDurationError(f"{text} is no duration of Prometheus")
    parts = re.findall(r"([0-9]+)(ms|[ywdhms])", text)
    milliseconds = round(sum(int(number) * _UNITS[unit] for number, unit in parts) / by)
    return f"{milliseconds}ms" if milliseconds % 1000 else f"{milliseconds // 1000}s"


def divide_expression(expression: str, by: int) -> str:
    """Return the expression with its durations divided.

    :raises NoDurationError: an age in it is compared with no constant: write `time() - x > 600`.
    """
    edits: list[tuple[int, int, str]] = []
    whole = _parse(expression)
    if _walk(whole, by, edits):
        raise NoDurationError(f"an age is compared with no constant; write `time() - x > 600`: {expression}")
    for start, end, text in sorted(edits, reverse=True):
        expression = expression[:start] + text.replace("\0", expression[start:end]) + expression[end:]
    return expression


def selectors(expression: str) -> list[Selector]:
    """Return each series that an expression selects, in their order."""
    return [
        Selector(name.text, _label_names(matchers), expression[name.start : matchers.end if matchers else name.end])
        for name, matchers in _selectors(_parse(expression))
    ]


def _selectors(group: _Group) -> Iterator[tuple[_Token, _Group | None]]:
    for before, part, after in zip([None, *group.parts], group.parts, [*group.parts[1:], None], strict=False):
        if isinstance(part, _Group):
            is_labels = isinstance(before, _Token) and before.text.lower() in _MODIFIERS
            yield from () if is_labels or part.bracket != "(" else _selectors(part)
        elif part.kind == "word" and part.text.lower() not in _KEYWORDS:
            bracket = after.bracket if isinstance(after, _Group) else ""
            if bracket != "(" and not _is_modified(after):
                yield part, after if isinstance(after, _Group) and bracket == "{" else None


def _is_modified(after: "_Part | None") -> bool:
    """Whether an aggregation stands before this (`sum by (x) (…)`), and no series."""
    return isinstance(after, _Token) and after.text.lower() in ("by", "without")


def _label_names(group: _Group | None) -> frozenset[str]:
    parts = group.parts if group is not None else ()
    return frozenset(part.text for part in parts if isinstance(part, _Token) and part.kind == "word")


def _parse(expression: str) -> _Group:
    whole = _Group("", 0, len(expression))
    open_groups = [whole]
    for found in _TOKEN.finditer(expression):
        token = _Token(str(found.lastgroup), found.group(), found.start(), found.end())
        if token.kind == "blank":
            continue
        if token.kind == "sign" and token.text in _OPEN:
            group = _Group(token.text, token.start)
            open_groups[-1].parts.append(group)
            open_groups.append(group)
        elif token.kind == "sign" and token.text == _OPEN.get(open_groups[-1].bracket):
            open_groups.pop().end = token.end
        else:
            open_groups[-1].parts.append(token)
    if len(open_groups) != 1:
        raise NoDurationError(f"a bracket is not closed: {expression}")
    return whole


def _walk(group: _Group, by: int, edits: list[tuple[int, int, str]]) -> bool:
    """Note what changes in a group; return whether an age is left in it that is not compared yet."""
    if group.bracket == "{":
        return False
    durations = (part for part in group.parts if isinstance(part, _Token) and part.kind == "duration")
    edits += [(token.start, token.end, divide_duration(token.text, by)) for token in durations]
    for name, arguments in zip(group.parts, group.parts[1:], strict=False):
        if isinstance(name, _Token) and name.text == "predict_linear" and isinstance(arguments, _Group):
            _, ahead = _split(arguments.parts, ",")
            edits.append(_divided(ahead, by))
    left = [
        _compare(operand, by, edits) for operand in _split(group.parts, ",", *_SETS)
    ]  # each, whatever the first says
    return any(left)


def _compare(operand: Sequence[_Part], by: int, edits: list[tuple[int, int, str]]) -> bool:
    sides = list(_split(operand, *("<", ">", "<=", ">=", "==", "!=")))
    ages = [_is_age(side, by, edits) for side in sides]
    if len(sides) != 2 or ages[0] == ages[1]:  # none, or one age with another
        return len(sides) != 2 and any(ages)
    other = [part for part in sides[ages.index(False)] if not (isinstance(part, _Token) and part.text == "bool")]
    if not _is_constant(other):
        return True
    edits.append(_divided(other, by))
    return False


def _is_age(side: Sequence[_Part], by: int, edits: list[tuple[int, int, str]]) -> bool:
    left = [_walk(part, by, edits) for part in side if isinstance(part, _Group)]
    called = any(isinstance(part, _Token) and part.text == "time" for part in side)
    return called or any(left)


def _is_constant(parts: Sequence[_Part]) -> bool:
    return bool(parts) and all(
        _is_constant(part.parts) if isinstance(part, _Group) else part.kind == "number" or part.text in _CALCULATION
        for part in parts
    )


def _divided(parts: Sequence[_Part], by: int) -> tuple[int, int, str]:
    return parts[0].start, parts[-1].end, f"\0 / {by}" if len(parts) == 1 else f"(\0) / {by}"


def _split(parts: Sequence[_Part], *separators: str) -> Iterator[Sequence[_Part]]:
    begin = 0
    for index, part in enumerate(parts):
        if isinstance(part, _Token) and part.text in separators:
            yield parts[begin:index]
            begin = index + 1
    yield parts[begin:]
