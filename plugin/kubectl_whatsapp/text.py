"""Makes foreign text safe for a terminal: conditions, a runner's messages, kubectl's errors, names. Pure.

A terminal obeys the text that it shows: an escape sequence may write the clipboard or clear the screen, a carriage
return overwrites the line, a bidirectional control reorders words. So `console.py` passes all text through `printable`,
and text in a sentence or a table is first cut to one line by `one_line`.
"""

from datetime import datetime

__all__ = ["age", "one_line", "printable"]

MAX_LENGTH = 1024
""" Characters of a foreign text that are shown; `status -o json` has all of them. """


def printable(text: str) -> str:
    r"""Return the text with every unprintable character, except line breaks, as its escape: `\x1b`, `\u202e`."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign == "\n" else sign.encode("unicode_escape").decode() for sign in text
    )


def one_line(text: str, *, limit: int = MAX_LENGTH) -> str:
    """Return a foreign text as one printable line; beyond the limit it is cut, with an ellipsis."""
    cut = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return printable(" ".join(cut.split()))


MINUTE, HOUR, DAY, YEAR = 60, 3600, 86_400, 365 * 86_400
STEPS = (
    (2 * MINUTE, (1, "s"), None),
    (10 * MINUTE, (MINUTE, "m"), (1, "s")),
    (3 * HOUR, (MINUTE, "m"), None),
    (8 * HOUR, (HOUR, "h"), (MINUTE, "m")),
    (2 * DAY, (HOUR, "h"), None),
    (8 * DAY, (DAY, "d"), (HOUR, "h")),
    (2 * YEAR, (DAY, "d"), None),
    (8 * YEAR, (YEAR, "y"), (DAY, "d")),
    (9999 * YEAR, (YEAR, "y"), None),
)
""" Up to how many seconds an age is shown in which unit, and in which smaller one beside it: client-go's HumanDuration. """


def age(time: datetime | None, *, now: datetime) -> str:
    """How long ago that was, as kubectl prints ages: `42s`, `7m5s`, `17m`, `5h20m`, `3d4h`, `2y40d`; `-` for no time.

    For kubectl a clock that is ahead makes an age `<invalid>`; here it is `0s`.
    """
    if time is None:
        return "-"
    seconds = max(int((now - time).total_seconds()), 0)
    (size, unit), part = next((unit, part) for limit, unit, part in STEPS if seconds < limit)
    rest = 0 if part is None else seconds % size // part[0]
    return f"{seconds // size}{unit}{f'{rest}{part[1]}' if part and rest else ''}"
