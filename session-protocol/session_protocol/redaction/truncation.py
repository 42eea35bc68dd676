"""Cuts a text before and after redaction, so that no half of a secret is left at the cut.

Before: a little more is examined than is kept, and its first words are dropped, because what they belong to is cut off.
After: whole words are dropped if there are any.
"""

import re
from collections.abc import Sequence
from typing import Final, Literal

from session_protocol.redaction.spans import Fragment

Keep = Literal["end", "start"]

LONGEST: Final = 1024
""" Characters of a redacted text: a status is no place for a log. """
MARGIN: Final = 512
""" Characters that are examined beyond what is kept. A word longer than this is judged by its rest. """
_ELLIPSIS: Final = "…"
_WORD: Final = re.compile(r"\S+")
_WORDS_UNSEEN: Final = 3
""" Words that may be the value of a name before the cut: `Authorization: Basic VALUE`. """
_OF_NUMBERS: Final = frozenset("0123456789 -./()+~_;")
_STOPS: Final = frozenset(" ,;&\"'<>{}()|")
""" What a word in the middle of one long word may begin after: no rule looks back across these. """


def window(text: str, *, longest: int, keep: Keep) -> tuple[str, bool]:
    """Return the part to examine, and whether that is the whole text."""
    if len(text) <= longest + MARGIN:
        return text, True
    if keep == "start":
        part = text[: longest + MARGIN]
        return part[: longest + len(part[longest:].rpartition(" ")[0])] if " " in part[longest:] else part, False
    part = text[-(longest + MARGIN) :]
    words = list(_WORD.finditer(part[:MARGIN]))
    first = min(_WORDS_UNSEEN, len(words) - 1)
    while 0 < first < len(words) - 1 and (
        words[first - 1].group().endswith(";") or _OF_NUMBERS.issuperset(words[first].group())
    ):
        first += 1
    return part[words[first].start() if first > 0 else 0 :], False


def truncate(fragments: Sequence[Fragment], *, longest: int, keep: Keep, is_whole: bool) -> str:
    """Return the pieces as one line that is short enough, with an ellipsis for what is missing at the front."""
    line = "".join(fragment.text for fragment in fragments).replace("\n", " ")
    if keep == "start":
        return line[: _last_whole(fragments, longest)].rstrip()
    room = longest - len(_ELLIPSIS)
    if len(line) <= (longest if is_whole else room):
        return line if is_whole else _ELLIPSIS + line.lstrip()
    return _ELLIPSIS + _tail(fragments, line, room)


def _last_whole(fragments: Sequence[Fragment], room: int) -> int:
    """Return how much of the start fits without cutting a whole fragment."""
    end = 0
    for fragment in fragments:
        if fragment.is_whole and end + len(fragment.text) > room:
            return min(end, room)
        end += len(fragment.text)
    return room


def _tail(fragments: Sequence[Fragment], line: str, room: int) -> str:
    """Return the end of the line, from the first word that is whole; the end of one long word if there is none."""
    first = len(line) - room
    end = len(line)
    stop = None
    for fragment in reversed(fragments):
        begin = end - len(fragment.text)
        if not fragment.is_whole:
            # From this piece's end to its start, for the earliest blank, else the earliest stop.
            low = max(begin, first - 1)
            blank = line.find(" ", low, end)
            if blank >= 0:
                stop = blank
            elif stop is None or line[stop] != " ":
                stop = next((at for at in range(low, end) if line[at] in _STOPS), stop)
        end = begin
        if end < first:
            break
    if stop is not None:
        return line[stop + 1 :].lstrip()
    last = fragments[-1].text if fragments else ""
    return line[first:] if last.isalpha() and len(last) >= room else ""
