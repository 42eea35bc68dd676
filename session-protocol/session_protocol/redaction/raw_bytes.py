r"""Raw keys as programs write bytes: `b'\x9f\x86\xd0…'`, `"\237\206\320…"`, `[159, 134, 208, …]`.

Escapes are looked at before they are resolved: behind that nothing tells a byte from the character of the same number.
Text that was encoded looks alike, and is kept: its bytes are UTF-8, or few of them are escaped.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

from session_protocol.redaction.spans import Placeholder, Span

_ESCAPE: Final = re.compile(r"\\{1,4}(?:x([0-9a-fA-F]{2})|(u)00([0-9a-fA-F]{2})|([0-3][0-7]{2}))")
_SHORT_ESCAPE: Final = re.compile(r"\\{1,4}[abefnrtv0\\\"']")
_LONGEST_GAP: Final = 16
""" Characters that need no escape, one after the other, in a key. """
_FEWEST: Final = 6
""" Escapes of a key of 16 bytes, nearly always. """
_SHORTEST: Final = 12
""" Bytes of a key. """
_SHARE: Final = 0.35
""" Of the bytes of a key that are escaped, at least; of random ones it is five in eight. """
_QUOTES: Final = frozenset("\"'`")
_LIST: Final = re.compile(r"[0-9]{1,3}(?:,[ \n]?[0-9]{1,3}){15,4096}+")
_NUMBER: Final = re.compile(r"[0-9]+")


def find_raw_bytes(line: str, origin: Sequence[int]) -> list[Span]:
    """Return keys in escaped bytes: stretches of the folded text, whose places in the line `origin` has."""
    return [
        Span(bisect_left(origin, start), bisect_left(origin, end), Placeholder.SECRET) for start, end in _escaped(line)
    ]


def find_byte_lists(folded: str) -> list[Span]:
    """Return keys as lists of numbers, byte by byte. Numbers in order are something that was counted."""
    spans = []
    for found in _LIST.finditer(folded):
        values = [int(number) for number in _NUMBER.findall(found.group())]
        if max(values) < 256 and values != sorted(values) and not folded[found.end() : found.end() + 1].isdigit():
            spans.append(Span(found.start(), found.end(), Placeholder.SECRET))
    return spans


def _escaped(line: str) -> Iterator[tuple[int, int]]:
    group: list[re.Match[str]] = []
    for escape in _ESCAPE.finditer(line):
        if group and escape.start() - group[-1].end() > _LONGEST_GAP:
            if _is_key(line, group):
                yield _literal(line, group)
            group = []
        group.append(escape)
    if _is_key(line, group):
        yield _literal(line, group)


def _is_key(line: str, group: list[re.Match[str]]) -> bool:
    if len(group) < _FEWEST:
        return False
    data, end = bytearray(), group[0].start()
    for escape in group:
        data += _SHORT_ESCAPE.sub("\n", line[end : escape.start()]).encode()
        data.append(int(escape[1] or escape[3] or escape[4], 8 if escape[4] else 16))
        end = escape.end()
    # In \u00e4 and the like only bytes that are no letters tell that it was no text.
    controls = sum(byte < 32 or 127 <= byte < 160 for byte in data)
    if len(data) < _SHORTEST or len(group) < _SHARE * len(data) or (group[0][2] and controls < 2):
        return False
    return data.decode(errors="replace").count("\ufffd") >= max(3, len(data) // 8)


def _literal(line: str, group: list[re.Match[str]]) -> tuple[int, int]:
    """Return where the literal begins and ends, or at least what belongs to a key at its ends."""
    start, end = group[0].start(), group[-1].end()
    low, high = max(0, start - _LONGEST_GAP), min(len(line), end + _LONGEST_GAP)
    while start > low and line[start - 1] not in _QUOTES and line[start - 1] not in " \n":
        start -= 1
    while end < high and line[end] not in _QUOTES and line[end] not in " \n":
        end += 1
    return start, end
