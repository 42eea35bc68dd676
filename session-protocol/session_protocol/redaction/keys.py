"""Words that look random: tokens, keys and hashes in hex or base64, in one piece or wrapped over lines.

Names that people choose look different, however long: short words joined by dashes, dots and slashes, or camel case.
"""

import base64
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from session_protocol.redaction.spans import Placeholder, Span

_TOKEN: Final = re.compile(r"[A-Za-z0-9+/_-]+")
_PADDING: Final = re.compile(r"={1,2}")
_SEGMENT: Final = re.compile(r"[A-Za-z0-9]+")
_RUN: Final = re.compile(r"[A-Z]+|[a-z]+|[0-9]+")
_NOT_HEX: Final = re.compile(r"[^0-9a-fA-F]")
_DOCUMENT: Final = re.compile(r"(?:^|[^A-Za-z])(eyJ[A-Za-z0-9+/_-]{13})")
""" {" in base64: a JWT or another document. """
_GLUED: Final = re.compile(r"(eyJ[A-Za-z0-9+/_-]{13})")
""" The same behind letters, where another follows. """
_JWT: Final = re.compile(r"[A-Za-z0-9_.=-]+")

_LOGIN: Final = 8
""" Characters of a login in base64 that nothing announces. """
_HEX: Final = 32
""" The fewest hexadecimal digits of a key: 128 bits. """
_RANDOM: Final = 20
""" The fewest random-looking characters of a key: 120 bits in base64. """
_PADDED: Final = 16
""" The same for a word that ends in = as only base64 does. """
_MIXTURE: Final = 32
""" Characters of a word of capitals, small letters and digits whose dashes and slashes may be part of a key. """
_NO_NAME: Final = 40
""" The most characters of a name that has capitals and digits. """
_HASH: Final = 10
""" Characters of the suffixes that Kubernetes generates. """
_LONGEST_NUMBER: Final = 6
""" Digits in the middle of a name. """


def find_keys(folded: str) -> list[Span]:
    """Return the words that look random."""
    tokens = list(_TOKEN.finditer(folded))
    alone: list[Span] = []
    done = 0
    for token in tokens:
        if token.start() >= done:  # a document in base64 goes on over dots
            alone += sorted(_alone(folded, token))
            done = alone[-1].end if alone else 0
    return [*alone, *_wrapped(folded, tokens), *_last_lines(folded, tokens, alone)]


def is_random(word: str) -> bool:
    """Whether so much of a word looks random that it is a key."""
    return sum(len(segment) for segment in _SEGMENT.findall(word) if not _is_name(segment)) >= _RANDOM


def decodes_to_login(word: str) -> bool:
    """Whether a word is `user:password` in base64, as the scheme Basic writes it."""
    letters = word.rstrip("=")
    try:
        login = base64.b64decode(letters + "=" * (-len(letters) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return False
    return login.isascii() and login.decode().isprintable() and login.find(b":") > 0


def _is_login(word: str) -> bool:
    """Whether this is a login that nothing announces, maybe behind a number."""
    return any(len(part) >= _LOGIN and decodes_to_login(part) for part in (word, word.lstrip("0123456789")))


def _alone(folded: str, token: re.Match[str]) -> Iterator[Span]:
    word, padding = token.group(), _PADDING.match(folded, token.end())
    documents = list(_documents(folded, token))
    if documents:
        yield from documents
        word, padding = word[: documents[0].start - token.start()], None
    end = token.start() + len(word)
    if padding and not folded[padding.end() : padding.end() + 1].isalnum():
        end = padding.end()
    segments = list(_SEGMENT.finditer(word))
    random = [segment for segment in segments if not _is_name(segment.group())]
    is_padded = end > token.end() and (end - token.start()) % 4 == 0
    if len(word) >= (_PADDED - 2 if is_padded else _MIXTURE) and _is_mixture(segments):
        random = segments
    length = sum(len(segment.group()) for segment in random)
    if random is segments or length >= _RANDOM or (is_padded and length >= _PADDED - 4):
        # From the first to the last segment that looks random: a path around it stays.
        last = token.start() + random[-1].end()
        yield Span(token.start() + random[0].start(), end if random[-1] is segments[-1] else last, Placeholder.SECRET)
        return
    if _is_hex("".join(segment.group() for segment in segments)) and _are_groups(segments):
        yield Span(token.start(), end, Placeholder.SECRET)
        return
    for segment in segments:
        if (_is_hex(segment.group()) and len(segment.group()) >= _HEX) or _is_login(segment.group()):
            yield Span(token.start() + segment.start(), token.start() + segment.end(), Placeholder.SECRET)


def _documents(folded: str, token: re.Match[str]) -> Iterator[Span]:
    """Return the documents that begin in a token; one ends where no JWT goes on."""
    form = _GLUED if folded.startswith(".eyJ", token.end()) else _DOCUMENT
    done = 0
    for document in form.finditer(token.group()):
        start = token.start() + document.start(1)
        whole = _JWT.match(folded, start) if start >= done else None
        if whole is not None:
            done = whole.end()
            yield Span(start, done, Placeholder.SECRET)


def _is_mixture(segments: list[re.Match[str]]) -> bool:
    """Whether a long word has capitals, small letters and digits, and no part that looks like a word."""
    parts = [segment.group() for segment in segments]
    joined = "".join(parts)
    kinds = {letter.isdigit() or (letter.isupper() and "upper") for letter in joined}
    if len(kinds) < len(("digit", "upper", "lower")):
        return False
    return not any(_is_word(part) or (len(joined) < _NO_NAME and _is_long_name(part)) for part in parts)


def _is_word(part: str) -> bool:
    return part.isalpha() and len(part) >= len("path") and part[1:].islower()


def _is_long_name(part: str) -> bool:
    return len(part) >= _PADDED and _is_name(part) and 5 * len(_humps(_RUN.findall(part))) <= len(part)


def _are_groups(segments: list[re.Match[str]]) -> bool:
    """Whether these are the groups of one key: as long as one, of one length, with letters and digits."""
    parts = [segment.group() for segment in segments]
    lengths = {len(part) for part in parts}
    joined = "".join(parts)
    has_both = any(letter.isdigit() for letter in joined) and any(letter.isalpha() for letter in joined)
    return len(parts) > 1 and len(lengths) == 1 and len(joined) >= _HEX and has_both


def _is_hex(word: str) -> bool:
    return _NOT_HEX.search(word) is None


def _is_name(segment: str) -> bool:
    """Whether people or Kubernetes name things so: one case, a number at the end, camel case, a short suffix."""
    if segment.isdigit() or (segment.isalpha() and (segment[1:].islower() or segment.isupper())):
        return True
    if len(segment) <= _HASH and (segment.islower() or len(segment) <= 3):
        return True
    runs = _RUN.findall(segment)
    if any(len(run) > _LONGEST_NUMBER for run in runs if run.isdigit()):
        return False
    humps = _humps(runs)
    short = sum(1 for hump in humps if len(hump) == 1 and hump.islower())
    return 4 * len(humps) <= len(segment) and 4 * short <= len(humps)


def _humps(runs: list[str]) -> list[str]:
    """Return the runs of one kind of letters; capitals before small letters count with these."""
    return [run for run, following in pairwise([*runs, ""]) if not (run.isupper() and following.islower())]


def _wrapped(folded: str, tokens: list[re.Match[str]]) -> Iterator[Span]:
    """Return keys that are broken in pieces of one length: over lines, or as groups of hexadecimal digits."""
    start = 0
    for index in range(1, len(tokens) + 1):
        if index < len(tokens) and _continues(folded, tokens[index - 1], tokens[index]):
            continue
        chain = tokens[start:index]
        start = index
        if len(chain) > 1 and _is_one_key(folded, [token.group() for token in chain], chain):
            yield Span(chain[0].start(), chain[-1].end(), Placeholder.SECRET)


def _continues(folded: str, one: re.Match[str], other: re.Match[str]) -> bool:
    between = folded[one.end() : other.start()]
    if between == "\n":
        return True
    return between in (" ", ":") and len(one.group()) <= _PADDED and _is_hex(one.group()) and _is_hex(other.group())


def _is_one_key(folded: str, words: list[str], chain: list[re.Match[str]]) -> bool:
    joined = "".join(words)
    if not any(letter.isdigit() for letter in joined) or joined.isdigit():
        return False
    inner = {len(word) for word in words[1:-1]} or {len(words[0])}
    are_equal = len(inner) == 1 and len(words[-1]) <= max(inner) and len(words[0]) <= max(inner)
    over_lines = folded[chain[0].end()] == "\n"
    if _is_hex(joined) and len(joined) >= _HEX:
        if over_lines:
            return True
        with_colons = folded[chain[0].end()] == ":"
        is_address = with_colons and len(words[0]) > 2 and len(joined) <= _HEX  # of IPv6
        return are_equal and len(words[0]) > 1 and not is_address
    return over_lines and are_equal and min(inner) >= _RANDOM and is_random(joined)


def _last_lines(folded: str, tokens: list[re.Match[str]], spans: list[Span]) -> Iterator[Span]:
    """Return the short last line of a key whose lines before were long enough to be known."""
    ends = {span.end for span in spans}
    for token in tokens:
        if token.start() - 1 not in ends or folded[token.start() - 1] != "\n":
            continue
        padding = _PADDING.match(folded, token.end())
        end = padding.end() if padding else token.end()
        if folded[end : end + 1] in ("", "\n") or padding:
            yield Span(token.start(), end, Placeholder.SECRET)
