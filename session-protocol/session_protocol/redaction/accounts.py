"""Ids of people, groups and channels, the texts of QR codes, and links that stand for a person."""

import re
from collections.abc import Iterator
from typing import Final

from session_protocol.redaction.keys import is_random
from session_protocol.redaction.spans import Placeholder, Span

_ID_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:+-"
_LONGEST_ID: Final = 128
_OURS: Final = re.compile(
    r"@(?:s\.whatsapp\.net|c\.us|g\.us|lid|broadcast|newsletter|hosted(?:\.lid)?)(?P<rest>_[A-Za-z0-9_]*)?",
    re.IGNORECASE,
)
_OTHER: Final = re.compile(r"@[A-Za-z0-9_.]+")
_FIVE_DIGITS: Final = re.compile(r"[0-9]{5}")
_DIGEST: Final = ("@sha256", "@sha512")

_CODE: Final = re.compile(r"@[A-Za-z0-9+/=_,-]+")
_WORD: Final = re.compile(r"[^ \n\"'`<>]+")
_PART: Final = re.compile(r"[A-Za-z0-9+/=_-]{20,}")
_LINK: Final = re.compile(
    r"(?:(?:https?|whatsapp)://)?(?:(?P<person>wa\.me)|(?:chat|call)\.whatsapp\.com)(?::[0-9]{1,5}|\x01{2,6})?/[^ \n\"'`<>]+",
    re.IGNORECASE | re.ASCII,
)


def find_accounts(folded: str) -> list[Span]:
    """Return ids and codes."""
    return [*_ids(folded), *_codes(folded)]


def find_links(folded: str) -> list[Span]:
    """Return links that stand for a person, link a phone or join a group."""
    return list(_links(folded))


def _ids(folded: str) -> Iterator[Span]:
    at = folded.find("@")
    while at >= 0:
        before = folded[max(0, at - _LONGEST_ID) : at]
        local = before[len(before.rstrip(_ID_LETTERS)) :]
        end = _end_of_id(folded, at, local) if local else None
        if end is not None:
            yield Span(at - len(local), end, Placeholder.ACCOUNT)
        at = folded.find("@", at + 1)


def _end_of_id(folded: str, at: int, local: str) -> int | None:
    ours = _OURS.match(folded, at)
    if ours is not None and not folded[ours.end() : ours.end() + 1].isalpha():
        return ours.end()
    other = _OTHER.match(folded, at)
    if other is None or other.group().startswith(_DIGEST) or _FIVE_DIGITS.search(local) is None:
        return None
    return at + len(other.group().rstrip("."))


def _codes(folded: str) -> Iterator[Span]:
    """Return QR texts: a digit, @, and several keys with commas between; or the keys alone."""
    for word in _WORD.finditer(folded):
        text = word.group()
        start = _start_of_code(text)
        if start is None and text.count(",") >= 2:
            keys = [part for part in text.split(",")[1:] if _PART.fullmatch(part) and is_random(part)]
            start = 0 if len(keys) >= 2 else None
        if start is not None:
            yield Span(word.start() + start, word.end(), Placeholder.CODE)


def _start_of_code(text: str) -> int | None:
    at = text.find("@")
    while at >= 0:
        code = _CODE.match(text, at)
        before = text[max(0, at - 4) : at]
        if code is not None and before[-1:].isdigit() and (len(code.group()) > 16 or code.group().count(",") >= 2):
            return 0 if "linked_devices" in text[:at] else at - len(before) + len(before.rstrip("0123456789"))
        at = text.find("@", code.end() if code else at + 1)
    return None


def _links(folded: str) -> Iterator[Span]:
    for link in _LINK.finditer(folded):
        is_person = link["person"] and "linked_devices" not in link.group()
        yield Span(link.start(), link.end(), Placeholder.ACCOUNT if is_person else Placeholder.CODE)
