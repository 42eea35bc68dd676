"""Phone numbers in pieces: country code, area and number in fields of their own, as `{"cc": "49", "number": "171123"}`.

No field alone is as long as a phone's number, so they are known by their names: fields near each other whose names are
parts of a phone number, one of them so that nothing else is meant.
"""

import re
from collections.abc import Iterator
from typing import Final

from session_protocol.redaction.numbers import SHORTEST
from session_protocol.redaction.spans import Placeholder, Span

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+")
_LONGEST_NAME: Final = 64
_VALUE: Final = re.compile(
    r"[\"'`\])]{0,3}[ \n]?(?:[:=]|[=-]>|:=|>)[ \n]?(?P<opening>[\"'`+]{0,3}[\[({]{0,2}[\"'`(+]{0,3})"
    r"(?P<digits>[0-9][0-9 ()./-]{0,30})"
)
_ITEMS: Final = re.compile(r"(?:[\"'`]?,[ \n]?[\"'`]?[0-9]{1,14}){1,8}")
""" The rest of a list of digits. """
_GROUP: Final = re.compile(r"[0-9]+")
_PHONES: Final = re.compile(
    r"phone|telef|mobile|msisdn|handset|country|national|subscriber|dial|calling|rufnummer|vorwahl|handy"
    r"|(?:\A|[-_.])(?:tel|cell|cc|area|ddi|ddd|ndc|lada|prefijo|indicatif)(?:[-_.]|code|number|\Z)"
)
""" Names that only a phone number's parts have. """
_PARTS: Final = frozenset(
    [
        *("number", "num", "numero", "nummer", "no", "nr", "code", "prefix", "suffix", "local", "line", "rest", "part"),
        *(
            "exchange",
            "station",
            "extension",
            "ext",
            "in",
            "user",
            "digits",
            "value",
            "body",
            "first",
            "last",
            "second",
        ),
    ]
)
""" Names that its other parts may have. """
_MOST_BETWEEN: Final = 64
""" Characters between two fields; another one may stand there. """


def find_number_fields(folded: str) -> list[Span]:
    """Return the digits of phone numbers in several fields."""
    spans: list[Span] = []
    run: list[Span] = []
    is_phone = False
    for digits, is_sure in _fields(folded):
        if run and digits.start - run[-1].end > _MOST_BETWEEN:
            spans += _number(folded, run, is_phone=is_phone)
            run, is_phone = [], False
        run.append(digits)
        is_phone |= is_sure
    return spans + _number(folded, run, is_phone=is_phone)


def _fields(folded: str) -> Iterator[tuple[Span, bool]]:
    """Yield the digits of fields that may be parts of a phone number, and whether they can be nothing else."""
    before, before_end, end = "", -1, 0
    for name in _NAME.finditer(folded):
        if name.start() < end:  # a part of the last value
            continue
        value = _VALUE.match(folded, name.end())
        word = name.group()[-_LONGEST_NAME:]
        follows = before_end == name.start() - 1 and folded[before_end] == " "  # `country code: 49`
        first, before, before_end = before if follows else "", word, name.end()
        if value is None:
            continue
        small = word.lower()
        is_sure = any(_PHONES.search(found) for found in (small, first.lower()))
        if is_sure or re.split("[-_.0-9]", small)[-1] in _PARTS or _last_hump(word) in _PARTS:
            start, end = value.start("digits"), value.end("digits")
            if value["opening"].strip("\"'`+") and (items := _ITEMS.match(folded, end)) is not None:
                end = items.end()
            end -= len(folded[start:end]) - len(folded[start:end].rstrip(" ()./-"))
            yield Span(start, end, Placeholder.NUMBER), is_sure


def _last_hump(word: str) -> str:
    """Return the last word of a name in camel case."""
    at = max((index for index, letter in enumerate(word) if letter.isupper()), default=0)
    return word[at:].rstrip("0123456789").lower()


def _number(folded: str, run: list[Span], *, is_phone: bool) -> list[Span]:
    counts = [sum(map(len, _GROUP.findall(folded[span.start : span.end]))) for span in run]
    # One that is long enough by itself is a number under any name; a list is not.
    pieces = [
        span
        for span, count in zip(run, counts, strict=True)
        if count < SHORTEST or "," in folded[span.start : span.end]
    ]
    return pieces if is_phone and sum(counts) >= SHORTEST else []
