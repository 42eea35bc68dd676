"""Pairing codes: eight letters and digits that link a phone, as `ABCD-1EFG` and in other spellings.

In capitals a code is recognized by its form. In small letters, without the dash or with a blank instead, it counts as one
if words such as "code" or "pairing" are near, or if no name looks like it (`small_codes`).

Codes of six digits, which a phone is sent to prove its number, are numbers like many others: they are known by the
words before them alone.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from session_protocol.redaction.small_codes import looks_random
from session_protocol.redaction.spans import MASK, Placeholder, Span

_TOKEN: Final = re.compile(r"[A-Za-z0-9]+")
_LENGTH: Final = 8
_ALPHABET: Final = frozenset("123456789ABCDEFGHJKLMNPQRSTVWXYZ")
""" The characters of WhatsApp's codes: none that could be mistaken for another. """
_ABOUT: Final = ("code", "codes", "pairing", "pair", "paired")
_OTHER_CODES: Final = frozenset(
    ["exit", "status", "error", "response", "return", "http", "reason", "source", "signal", "country"]
)
_PROVES: Final = frozenset(
    ["verification", "verify", "confirmation", "registration", "security", "login", "sms", "time", "factor", "whatsapp"]
)
""" One of these before "code" says that it proves whose the phone is. """
_LENGTH_OF_DIGITS: Final = 6
_BEFORE: Final = 5
_AFTER: Final = 4
""" Words near a code that may announce it. """
_DRESS: Final = str.maketrans("\n", " ", "\"'`*[](){}")
""" Quotes and brackets around letters and halves are not looked at. """
_BETWEEN_LETTERS: Final = frozenset({"", " ", "-", " - ", "_", ".", ",", ", ", "|", "/", ":", ";", "; "})
_BETWEEN_HALVES: Final = frozenset({" ", ".", "_", "/", ":", ",", ", ", " - ", "- ", " -"})
_APART: Final = frozenset({" ", " - ", "- ", " -", ",", ", "})
_JOINTS: Final = frozenset({"", "_", ".", "/", ":", ";", "|", "+", "=", "~", "#", "@", "--"})
_IN_SMALL_CODES: Final = frozenset({"-", " ", " - ", "- ", " -", ", "}) | _JOINTS - {""}
_TAG: Final = re.compile(r"</?[A-Za-z][^<>]{0,64}>")


def find_codes(folded: str) -> list[Span]:
    """Return pairing codes; also those whose parts have tags of their own: a page shows each letter in one."""
    spans = _among(folded, list(_TOKEN.finditer(folded)))
    content = _TAG.sub(lambda tag: MASK * len(tag.group()), folded)
    if content != folded:
        spans += _among(folded, list(_TOKEN.finditer(content)))
    return spans


def _among(folded: str, tokens: list[re.Match[str]]) -> list[Span]:
    words = [token.group() for token in tokens]
    gaps = [_gap(folded[one.end() : other.start()]) for one, other in pairwise(tokens)]
    announced = _announced(words)
    found = (
        *_spelled(words, gaps),
        *_digits(words, gaps),
        *_pairs(words, gaps),
        *_halves(folded, tokens, words, gaps, announced),
        *_joined(folded, tokens, words, announced),
    )
    return [Span(tokens[first].start(), tokens[last].end(), Placeholder.CODE) for first, last in found]


def _gap(text: str) -> str:
    return (_TAG.sub("", text) if "<" in text else text).translate(_DRESS)


def _announced(words: list[str]) -> list[bool]:
    """Return for each word whether one near it announces a code."""
    near = [False] * len(words)
    for index, word in enumerate(words):
        small = word.lower()
        about = small in _ABOUT or (small.endswith("code") and small[:-4] not in _OTHER_CODES)
        if about and not (index and words[index - 1].lower() in _OTHER_CODES):
            for place in range(max(0, index - _AFTER), min(len(words), index + _BEFORE + 1)):
                near[place] = True
    return near


def _spelled(words: list[str], gaps: list[str]) -> Iterator[tuple[int, int]]:
    """Return runs of eight single letters or more: A B C D 1 E F G."""
    start = 0
    for index in range(len(words) + 1):
        single = index < len(words) and len(words[index]) == 1
        if single and index > start and gaps[index - 1] in _BETWEEN_LETTERS:
            continue
        if index - start >= _LENGTH and any(word.isalpha() for word in words[start:index]):
            yield start, index - 1
        start = index if single else index + 1


def _digits(words: list[str], gaps: list[str]) -> Iterator[tuple[int, int]]:
    """Return runs of six digits soon after "verification code" and the like, also in groups: 123-456."""
    for index, word in enumerate(words):
        small = word.lower()
        if not small.endswith(("code", "codes")):
            continue
        if not any(proof in before.lower() for before in words[max(0, index - 2) : index + 1] for proof in _PROVES):
            continue
        start = end = index + 1
        stop = end + _BEFORE + _LENGTH_OF_DIGITS
        while end < min(len(words), stop):
            length = len("".join(words[start : end + 1]))
            if not words[end].isdigit():
                start = end + 1
            elif length > _LENGTH_OF_DIGITS or (end > start and gaps[end - 1] not in ("-", " ", " - ")):
                start = end
            if len("".join(words[start : end + 1])) == _LENGTH_OF_DIGITS:
                yield start, end
                start, stop = end + 1, stop + end + 1 - start  # a second code is as near as if the first were not there
            end += 1


def _pairs(words: list[str], gaps: list[str]) -> Iterator[tuple[int, int]]:
    """Return runs of exactly four pairs, AB-CD-1E-FG, small ones only with dashes; a hardware's address has six."""
    start = 0
    for index in range(len(words) + 1):
        is_pair = index < len(words) and len(words[index]) == 2 and _ALPHABET.issuperset(words[index].upper())
        if is_pair and (index == start or gaps[index - 1] in ("-", " ", ".", "_")):
            continue
        code = "".join(words[start:index])
        if index - start == _LENGTH // 2 and _is_mixed(code):
            are_small = {"-"}.issuperset(gaps[start : index - 1]) and looks_random(code)
            if code.isupper() or are_small:
                yield start, index - 1
        start = index if is_pair else index + 1


def _halves(
    folded: str, tokens: list[re.Match[str]], words: list[str], gaps: list[str], announced: list[bool]
) -> Iterator[tuple[int, int]]:
    """Return two halves of four."""
    for index, gap in enumerate(gaps):
        first, second = words[index], words[index + 1]
        if len(first) != _LENGTH // 2 or len(second) != _LENGTH // 2 or first.lower() in _ABOUT:
            continue
        code = first + second
        if code.isdigit():
            continue
        known = (announced[index] or announced[index + 1]) and _is_code(code)
        mixed, letters = _is_mixed(first) or _is_mixed(second), _ALPHABET.issuperset(code)
        alone = _stands_alone(folded, tokens[index].start(), tokens[index + 1].end(), is_upper=code.isupper())
        if gap in _IN_SMALL_CODES and alone and looks_random(first, second):
            is_code = True
        elif gap == "-":
            has_form = code.isupper() and (letters or not code.isalpha())
            is_code = known or (alone and (has_form or mixed))
        else:
            has_form = letters and mixed and (gap in _APART or (gap in _JOINTS and alone))
            is_code = has_form or (gap in _BETWEEN_HALVES and known and (mixed or code.isupper()))
        if is_code:
            yield index, index + 1


def _joined(
    folded: str, tokens: list[re.Match[str]], words: list[str], announced: list[bool]
) -> Iterator[tuple[int, int]]:
    """Return words of eight characters that are announced as a code, or are capitals and digits and not part of a name."""
    for index, word in enumerate(words):
        if len(word) != _LENGTH:
            continue
        has_form = _is_mixed(word) and _ALPHABET.issuperset(word)
        is_small = looks_random(word)
        if (announced[index] and _is_code(word)) or (
            (has_form or is_small)
            and _stands_alone(folded, tokens[index].start(), tokens[index].end(), is_upper=has_form)
        ):
            yield index, index


def _is_code(code: str) -> bool:
    return not code.isdigit() and (not code.isalpha() or _ALPHABET.issuperset(code))


def _is_mixed(half: str) -> bool:
    return not half.isalpha() and not half.isdigit()


def _stands_alone(folded: str, start: int, end: int, *, is_upper: bool) -> bool:
    """Whether it is not a part of a longer name. Small letters beside capitals are another word."""
    before, after = folded[max(0, start - 2) : start], folded[end : end + 2]
    if before[-1:] in ("-", "_", ".", "/") and before[:1].isalnum() and not (is_upper and before[:1].islower()):
        return before[-1:] == "/" and is_upper
    return not (after[:1] in ("-", "_", ".", "/") and after[1:].isalnum())
