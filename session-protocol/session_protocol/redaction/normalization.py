"""One printable line out of any text, and what its characters stand for.

`to_one_line` is what a reader sees: no control character, no terminal sequence, nothing invisible, no second line.
`fold` is what the detectors look at: digits of all scripts, full-width letters, dashes, percent and backslash escapes as
the plain characters that they stand for.
"""

import re
import sys
import unicodedata
from collections.abc import Sequence
from html.entities import html5
from typing import Final

_SEQUENCE: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]"  # colours, cursor, erasing
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f\n]*+(?:\x07|\x1b\\|\x9c)"  # titles, clipboard
)
_STRANGE: Final = re.compile(r"[^ -~]+")
_BLANKS: Final = re.compile(r"[ \n]{2,}")
_LINE_ENDS: Final = frozenset("\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")

_ESCAPE: Final = re.compile(
    r"(?P<bytes>%(?:25){0,2}[C-Fc-f][0-9A-Fa-f](?:%(?:25){0,2}[89ABab][0-9A-Fa-f]){1,3}"  # one character in UTF-8
    r"|\\{1,4}x[c-fC-F][0-9A-Fa-f](?:\\{1,4}x[89abAB][0-9A-Fa-f]){1,3})"
    r"|(?P<octals>\\{1,4}3[0-7]{2}(?:\\{1,4}2[0-7]{2}){1,3})"
    r"|%(?:25){0,2}(?:(?P<percent>[0-9A-Fa-f]{2})|u(?P<wide>[0-9A-Fa-f]{4}))"
    r"|\\{1,4}u(?P<high>[dD][89abAB][0-9A-Fa-f]{2})\\{1,4}u(?P<low>[dD][c-fC-F][0-9A-Fa-f]{2})"  # one, in JSON
    r"|\\{1,4}(?:u(?:(?P<unicode>[0-9A-Fa-f]{4})|\{(?P<braced>[0-9A-Fa-f]{1,6})\})|U(?P<long>[0-9A-Fa-f]{8})"
    r"|x(?P<hex>[0-9A-Fa-f]{2})|(?P<octal>0[0-7]{2})|(?P<letter>[nrt\"'/.:=@+_-]))"
    r"|&(?:#(?:(?P<decimal>[0-9]{1,7})|[xX](?P<entity>[0-9A-Fa-f]{1,6}));?"
    r"|(?P<named>[A-Za-z]{2,24});)"
    r"|(?P<foreign>[^\x00-\x7f])"
)
_HEX_BYTE: Final = re.compile("[89A-Fa-f][0-9A-Fa-f]")
_OCTAL_BYTE: Final = re.compile("[23][0-7]{2}")
_BASES: Final = {"decimal": 10, "octal": 8}
_LETTERS: Final = {"n": "\n", "r": "\n", "t": " "}
_LOOK_ALIKES: Final = str.maketrans(
    "АВЕЅІЈКМНОРСТХУасеокрхуѕіјԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
    "ABESIJKMHOPCTXYaceokpxysijdqwABEZHIKMNOPTYXo",
)
""" Cyrillic and Greek letters that look like Latin ones. """
_SPECIAL: Final = {
    "\xf1": "n",
    "\u015f": "s",
    "\u2212": "-",
    "\u2044": "/",
    "\u2215": "/",
    "\u02bc": "'",
    "\u2018": "'",
    "\u2019": "'",
} | {
    **dict.fromkeys("\u201c\u201d\u201e\xab\xbb", '"'),
    **dict(zip("〇一二三四五六七八九", "0123456789", strict=True)),
    "零": "0",
    **dict.fromkeys("\xb7\u2022\u2027\u2219\u22c5\u30fb", "."),
}


def to_one_line(text: str) -> str:
    """Return the text without control and invisible characters; blanks are single, a line break is kept as one."""
    text = _STRANGE.sub(_visible, _SEQUENCE.sub("", text))
    return _BLANKS.sub(lambda blanks: "\n" if "\n" in blanks.group() else " ", text).strip(" \n")


def fold(line: str) -> tuple[str, Sequence[int]]:
    """Return the plain characters of a line, and for each (and for the end) the place in the line where it begins."""
    if line.isascii() and "%" not in line and "\\" not in line and "&" not in line:
        return line, range(len(line) + 1)
    parts: list[str] = []
    origin: list[int] = []
    done = 0
    for escape in _ESCAPE.finditer(line):
        plain = _plain(escape)
        parts += [line[done : escape.start()], plain]
        origin += range(done, escape.start() + len(plain))
        done = escape.end()
    parts.append(line[done:])
    return "".join(parts), [*origin, *range(done, len(line) + 1)]


def _visible(found: re.Match[str]) -> str:
    run = found.group()
    return run if run.isprintable() else "".join(map(_shown, run))


def _shown(letter: str) -> str:
    if letter.isprintable():
        return letter
    if letter in _LINE_ENDS:
        return "\n"
    return "" if unicodedata.category(letter) == "Cf" else " "


def _plain(escape: re.Match[str]) -> str:
    """Return one character, none for a mark that only decorates the one before, or what is no escape as it is."""
    kind, value = escape.lastgroup or "", escape[escape.lastgroup or 0]
    if kind == "foreign":
        return _base(value)
    if kind == "letter":
        return _LETTERS.get(value, value)
    if kind == "named":
        named = html5.get(f"{value};", "")
        return _base(_shown(named)) if len(named) == 1 else escape.group()
    if kind in ("bytes", "octals"):
        return _base(_shown(_decoded(kind, value)))
    code = int(value, _BASES.get(kind, 16))
    if kind == "low":
        code = 0x10000 + ((int(escape["high"], 16) & 0x3FF) << 10) + (code & 0x3FF)
    if code > sys.maxunicode or (kind == "percent" and code > 127):
        return " "  # no character, or a part of a longer one, mostly of a blank
    return _base(_shown(chr(code)))


def _decoded(kind: str, escaped: str) -> str:
    """Return the one character that escaped bytes stand for; a blank: they are no UTF-8."""
    form, base = (_OCTAL_BYTE, 8) if kind == "octals" else (_HEX_BYTE, 16)
    text = bytes(int(byte, base) for byte in form.findall(escaped)).decode(errors="replace")
    return text if len(text) == 1 else " "


def _base(letter: str) -> str:
    if letter.isascii():
        return letter
    if letter.isdecimal():
        return str(unicodedata.decimal(letter))
    plain = _SPECIAL.get(letter) or unicodedata.normalize("NFKC", letter).translate(_LOOK_ALIKES)
    if len(plain) == 1 and plain.isascii():
        return plain
    category = unicodedata.category(letter)
    if category in ("Mn", "Me"):
        return ""
    return "-" if category == "Pd" else letter
