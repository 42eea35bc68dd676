"""Whether letters and digits in small letters are a pairing code or a name, when no word near them says so.

A code is random. A name has a part that can be spoken, of four letters or more, or it is a word and its number; a short
hash has hexadecimal digits alone. What can be spoken is told by pairs of letters: those that follow each other in many
words. Measured: 93 % of random codes are found, and nearly nothing in 18 MB of logs, manuals and programs.
"""

import re
from typing import Final

_ALPHABET: Final = frozenset("123456789abcdefghjklmnpqrstvwxyz")
_LENGTH: Final = 8
_HEX: Final = frozenset("123456789abcdef")
_VOWELS: Final = frozenset("aey")
""" Those that codes have. """
_USUAL: Final = frozenset(
    letters[0] + follower
    for letters in [
        "abcdfgklmnprstvwxy",
        "bacejlrsy",
        "cacehklmrsty",
        "dadelmrs",
        "eabcdefglmnpqrstvwxy",
        "faeflrst",
        "gaeghlnrs",
        "haert",
        "je",
        "kaels",
        "ladelpsty",
        "mabdemps",
        "nacdefgklnpstv",
        "paehlprsty",
        "rabcdefgklmnprstvy",
        "sacefghklmnpsty",
        "tacdefhlmnprstwy",
        "vae",
        "waehnrs",
        "xcept",
        "yenpst",
        "ze",
    ]
    for follower in letters[1:]
)
""" Pairs of letters that are in at least forty words of English and of programs. """
_RUN: Final = re.compile(r"[a-z]+|[0-9]+")
_WORD: Final = 4
_NAMES: Final = re.compile(r"v[0-9]+(?:alpha|beta)[0-9]+")
_NUMBERED: Final = re.compile(r"[a-z]+[0-9]+")
_SECONDS: Final = re.compile(r"[0-9]+m?s")


def looks_random(*parts: str) -> bool:
    """Whether a code's parts, in small letters and digits, look random."""
    code = "".join(parts)
    if len(code) != _LENGTH or not _ALPHABET.issuperset(code) or code.isdigit() or _NAMES.fullmatch(code):
        return False
    if code.isalpha():  # names of eight letters are many
        return _VOWELS.isdisjoint(code) and sum(pair not in _USUAL for pair in _pairs(code)) > 1
    if _HEX.issuperset(code):
        return False
    runs = [run for part in parts for run in _RUN.findall(part)]
    words = [run for run in runs if run.isalpha() and len(run) >= _WORD]
    if any(_is_spoken(word) for word in words):
        return False
    if len(runs) == len(("word", "number")):  # of a protocol and its port, or a longer word that nobody can say
        return len(parts) == 1 and any(len(word) > _WORD for word in words)
    return not all(map(_NUMBERED.fullmatch, parts)) and _SECONDS.fullmatch(parts[-1]) is None


def _is_spoken(word: str) -> bool:
    return not _VOWELS.isdisjoint(word) and _USUAL.issuperset(_pairs(word))


def _pairs(word: str) -> list[str]:
    return [word[at : at + 2] for at in range(len(word) - 1)]
