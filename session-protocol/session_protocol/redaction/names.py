"""Values that stand after a name: `token=…`, `"password": "…"`, `X-Api-Key: …`, `Authorization: Basic …`, `Bearer …`.

What follows a name is removed whatever it looks like, except prose: "failed to fetch token: pod not found" has no token in it.
"""

import re
from typing import Final

from session_protocol.redaction.keys import decodes_to_login
from session_protocol.redaction.spans import MASK, Placeholder, Span

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+")
_LONGEST_NAME: Final = 64
_SUFFIXES: Final = (
    *("token", "secret", "password", "passwd", "passphrase", "passcode", "pwd", "passwort", "kennwort"),
    *("contrasena", "senha", "wachtwoord", "parola", "sifre"),
    *("credential", "credentials", "authorization", "cookie", "cookies", "bearer", "jwt", "signature"),
    *("pairingcode", "linkcode", "sessionid", "sessid"),
    *("apikey", "accesskey", "secretkey", "privatekey", "signingkey", "encryptionkey", "sharedkey", "authkey"),
    *("clientkey", "noisekey", "identitykey", "sessionkey", "masterkey", "websocketkey"),
)
_WHOLE_NAMES: Final = frozenset({"pin", "otp", "sig", "hmac", "pass", "passe", "sid", "csrf", "xsrf"})
_NEVER_PROSE: Final = ("password", "passwd", "passphrase", "passcode", "pwd", "passwort", "kennwort", "pin", "otp")
_HEADERS: Final = ("authorization", "cookie", "cookies")
_IN_WORDS: Final = frozenset({"token", "password", "passwd", "passphrase", "pwd", "passwort", "apikey", "pin", "otp"})
""" Names that a value may follow after only a blank: `password hunter2`. """
_DIGITS_ALONE: Final = frozenset({"pin", "otp"})
_NOT_BEARERS: Final = frozenset(
    [
        "token",
        "tokens",
        "auth",
        "authentication",
        "authorization",
        "scheme",
        "realm",
        "header",
        "is",
        "was",
        "not",
        "with",
        "and",
        "or",
        "in",
        "of",
        "must",
        "required",
        "missing",
        "error",
        "challenge",
    ]
)
_SEPARATOR: Final = re.compile(
    r"[\"'`\])]{0,3}(?:[,;: \n]{1,2}[\"'`]{0,2}(?:(?:Invalid|Unsupported|Duplicate) )?[Vv]alue[\"'`]{0,2})?"  # "name": "pin", "value": "…"
    r"[ \n]?(?P<sign>[=-]>|\u2192|:=|=|:)"
    # YAML writes a tag or an anchor before a value, and begins one of several lines with | or >.
    r"(?:(?P<blank>[ \n])(?:[!&][^ \n]{0,64}[ \n])?(?:(?P<block>[|>][-+0-9]{0,2}\n)|[|>][-+0-9]{0,2} )?)?"
    r"(?P<opening>[(\[{<]{0,2}(?:b?[\"'`]{1,3})?)"
)
_NEXT_ARGUMENT: Final = re.compile(r"[\"'`],[ \n]{0,8}(?P<quote>[\"'`])(?!-)")
""" Between a flag and its value in a list of arguments. """
_END_OF_TAG: Final = re.compile(r"(?:[\"'][^<>]{0,128}|[ \n][^<>]{0,128})?>[ \n]?(?:<!\[CDATA\[)?")
_REDACTED: Final = re.compile(f"{MASK}+ ")
_BEHIND_BEARER: Final = re.compile(r"[ \n][\"'`]{0,2}")
_BEHIND_BASIC: Final = re.compile(r"[\"'`]{0,2}(?:[ \n]?[:=,+][ \n]?|[ \n])[\"'`]{0,2}")
_BEHIND_FLAG: Final = re.compile(r"[ \n]{1,2}(?!-)")
_NO_VALUES: Final = frozenset(
    {
        *("a", "and", "are", "as", "can", "for", "from", "has", "if", "in", "is", "may", "must", "needs", "nor", "not"),
        *(
            "of",
            "on",
            "option",
            "or",
            "requires",
            "takes",
            "that",
            "the",
            "to",
            "was",
            "when",
            "which",
            "with",
            "without",
        ),
    }
)
""" What stands behind a flag in a sentence about it. """
_BEHIND_NAME: Final = re.compile(r"[ \n](?:(?:is|was|ist|war)[ \n])?[\"'`]{0,2}")
_CLOSING: Final = {"(": ")", "[": "]", "{": "}", "<": ">"}
_WORD: Final = re.compile(r"[^ \n\"'`&<>]+")
_PROSE: Final = re.compile(rf"[A-Z]?[a-z]+[.,:]?[ \n][A-Za-z\"'({MASK}]")
_HEADER_WORD: Final = re.compile(r"(?:=\"[^\"\n]*\"|[^ \n\"'`&<>])+")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,24}[ \n][\"'`<]{0,2}")
_DASHED: Final = re.compile(r"[a-z]+(?:[-./][a-z0-9]+)+")


def find_named(folded: str) -> list[Span]:
    """Return the values of names that announce a secret."""
    spans, done = [], 0
    for found in _NAME.finditer(folded):
        if found.start() < done:
            continue
        name = found.group()[-_LONGEST_NAME:].lower()
        plain = name.translate({ord(letter): None for letter in "-_."}).lstrip("0123456789")
        span = (
            _assigned(folded, found.end(), name, plain)
            or _next_argument(folded, found.end(), name, plain)
            or _after_name(folded, found.end(), plain)
        )
        if span is not None:
            done = span.end
            if folded[span.start : span.end].strip(MASK):
                spans.append(span)
    return spans


def _assigned(folded: str, end: int, name: str, plain: str) -> Span | None:
    """Return the value of `name=value` or `name: value`."""
    if not _is_secret_name(name, plain):
        return None
    separator = _SEPARATOR.match(folded, end)
    if separator is None:
        return _element(folded, end)
    start, opening = separator.end(), separator["opening"]
    if separator["block"] or (opening and opening[-1] in "\"'`"):
        first = "\n" if separator["block"] else opening[0] if opening[0] in _CLOSING else opening[-1]
        return Span(start, _closing(folded, start, _CLOSING.get(first, first)), Placeholder.SECRET)
    if plain.endswith(_HEADERS):
        return _header(folded, start)
    is_prose = separator["sign"] == ":" and separator["blank"] and not plain.endswith(_NEVER_PROSE)
    if is_prose and _PROSE.match(folded, start):
        return None
    value = _WORD.match(folded, start)
    return Span(start, value.end(), Placeholder.SECRET) if value else None


def _is_secret_name(name: str, plain: str) -> bool:
    return plain.endswith(_SUFFIXES) or re.split("[-_.0-9]", name)[-1] in _WHOLE_NAMES


def _next_argument(folded: str, end: int, name: str, plain: str) -> Span | None:
    """Return the value of `--name value`, and of `'--name', 'value'` as a list of arguments is written."""
    is_flag = "--" in name  # behind letters, too: they may have been a secret
    if not (is_flag or name.startswith("-")) or not _is_secret_name(name, plain):
        return None
    between = _NEXT_ARGUMENT.match(folded, end)
    if between is None:
        behind = _BEHIND_FLAG.match(folded, end) if is_flag else None
        value = _WORD.match(folded, behind.end()) if behind else None
        if value is None or value.group().rstrip(".,:;)]}").lower() in _NO_VALUES:
            return None
        return Span(value.start(), value.end(), Placeholder.SECRET)
    return Span(between.end(), _closing(folded, between.end(), between["quote"]), Placeholder.SECRET)


def _element(folded: str, end: int) -> Span | None:
    """Return the content of `<name>value</name>`, with and without attributes."""
    tag = _END_OF_TAG.match(folded, end)
    if tag is None:
        return None
    close = folded.find("<", tag.end())
    return Span(tag.end(), close, Placeholder.SECRET) if close > tag.end() else None


def _after_name(folded: str, end: int, plain: str) -> Span | None:
    """Return the value of `Bearer value`, `Basic value`, `password value` or `password is "value"`."""
    is_bearer, is_basic, is_auth = plain.endswith("bearer"), plain == "basic", plain.endswith("auth")
    if not (is_bearer or is_basic or is_auth or plain in _IN_WORDS):
        return None
    behind = _BEHIND_BEARER if is_bearer else _BEHIND_BASIC if is_basic or is_auth else _BEHIND_NAME
    between = behind.match(folded, end)
    value = _WORD.match(folded, between.end()) if between else None
    if value is None or MASK in value.group():
        return None
    word = value.group().rstrip(".,:;)]}")
    if is_bearer:
        is_secret = word.lower().partition("=")[0] not in _NOT_BEARERS
    elif is_basic:
        is_secret = _is_login(word)
    elif is_auth:
        is_secret = decodes_to_login(word)
    elif plain in _DIGITS_ALONE and word.isdigit():
        is_secret = len(word) >= 4
    else:
        mixed = any(letter.isdigit() for letter in word) and any(letter.isalpha() for letter in word)
        is_secret = len(word) >= 6 and mixed and _DASHED.fullmatch(word) is None
    return Span(value.start(), value.start() + len(word), Placeholder.SECRET) if is_secret and word else None


def _is_login(word: str) -> bool:
    """Whether this may be a login in base64; a short one has to be one."""
    if len(word) >= 8:
        return word.isascii() and not word.islower() and not _is_plain_word(word) and not word.startswith("realm=")
    return decodes_to_login(word)


def _is_plain_word(word: str) -> bool:
    return word.isalpha() and (word[1:].islower() or word.isupper())


def _header(folded: str, start: int) -> Span | None:
    """Return a header's value: a scheme and its words, or pairs that end in semicolons."""
    scheme = _SCHEME.match(folded, start)
    end = scheme.end() if scheme else start
    while (word := _HEADER_WORD.match(folded, end)) is not None:
        end = word.end()
        if folded[end - 1] not in ",;" or folded[end : end + 1] != " ":
            break
        end += 1
    return Span(start, end, Placeholder.SECRET) if end > start else None


def _closing(folded: str, start: int, quote: str) -> int:
    """Return where a quoted value ends: at its quote, else with the line."""
    redacted = _REDACTED.match(folded, start)
    if redacted is not None:  # by an earlier redaction, when it still had its lines
        return redacted.end() - 1
    close = folded.find(quote, start)
    end = close if close >= 0 else len(folded)
    line = folded.find("\n", start + 1, end)
    return line if line >= 0 else end
