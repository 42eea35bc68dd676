"""Removes secrets and personal data from foreign text, and makes it one printable line of bounded length.

Both sides call it: the runner for its log and its termination message, the operator for its log and for all free text
of a runner or its container before that reaches a status or an event. A secret is replaced by a word for its kind:
`[number]`, `[account]`, `[code]` or `[secret]`. In doubt it removes too much; what people search logs for is kept.

The text may be hostile, so the cost must depend on its length alone. The text is cut first, then walked a
fixed number of times, once by each detector. A detector goes over tokens that a single class of characters makes, and
looks a bounded way around each; no pattern looks behind or ahead, and none is tried again on its own result. The spans
that a detector finds are masked for those after it, so that the order below is the order of precedence.

    normalization  the text as one printable line, and the plain letters for look-alikes, escapes and invisible marks
    truncation     the cut before and after
    raw_bytes      keys as escaped bytes, before the escapes are resolved, and as lists of numbers
    spans          what detectors return, and the text put together from it
    blocks         PEM blocks
    addresses      logins: https://user:password@host, -u user:password, user anna:password
    names          what follows a name such as token=, Authorization: or Bearer
    accounts       ids of people and groups, the texts of QR codes, links that stand for a person
    known_values   times, UUIDs, addresses, versions: what is kept although it looks like a number
    keys           words that look random: hex, base64, tokens, also over several lines
    codes          pairing codes; small_codes tells those in small letters from names
    number_fields  phone numbers in several fields: {"cc": "49", "number": "171123"}
    numbers        everything with as many digits as a phone number
"""

from session_protocol.redaction.accounts import find_accounts, find_links
from session_protocol.redaction.addresses import find_logins
from session_protocol.redaction.blocks import find_blocks
from session_protocol.redaction.codes import find_codes
from session_protocol.redaction.keys import find_keys
from session_protocol.redaction.known_values import find_known_values
from session_protocol.redaction.names import find_named
from session_protocol.redaction.normalization import fold, to_one_line
from session_protocol.redaction.number_fields import find_number_fields
from session_protocol.redaction.numbers import find_numbers
from session_protocol.redaction.raw_bytes import find_byte_lists, find_raw_bytes
from session_protocol.redaction.spans import MASK, Span, find_placeholders, fragments
from session_protocol.redaction.truncation import LONGEST, Keep, truncate, window

__all__ = ["LONGEST", "redact"]

_DETECTORS = (
    *(find_placeholders, find_blocks, find_logins, find_named, find_links),
    *(find_accounts, find_known_values, find_byte_lists, find_keys, find_codes, find_number_fields, find_numbers),
)

_MOST_PASSES = 4
""" Over a text in which something was replaced; the second one nearly always changes nothing. """


def redact(text: str, *, longest: int = LONGEST, keep: Keep = "end") -> str:
    """Return the text on one printable line without secrets, at most `longest` characters of it.

    Of a longer one the end is kept, where an error names its cause, or the start; "…" stands for the rest. Redacting
    twice changes nothing.
    """
    redacted, is_settled = _redact(text, longest=longest, keep=keep)
    for _ in range(_MOST_PASSES):
        if is_settled:
            break
        # A placeholder may complete what a detector looks for: `://@[number]@` has the form of a login.
        before = redacted
        redacted, _ = _redact(before, longest=longest, keep=keep)
        is_settled = redacted == before
    return redacted


def _redact(text: str, *, longest: int, keep: Keep) -> tuple[str, bool]:
    """Return the text after one pass, and whether nothing was replaced."""
    part, is_whole = window(text, longest=longest, keep=keep)
    line = to_one_line(part)
    folded, origin = fold(line)
    spans = find_raw_bytes(line, origin)
    folded = _masked(folded, spans)
    for detect in _DETECTORS:
        found = detect(folded)
        spans += found
        folded = _masked(folded, found)
    return truncate(fragments(line, origin, spans), longest=longest, keep=keep, is_whole=is_whole), not spans


def _masked(folded: str, spans: list[Span]) -> str:
    if not spans:
        return folded
    parts, done = [], 0
    for span in sorted(spans, key=lambda span: span.start):
        if span.end > done:
            parts += [folded[done : span.start], MASK * (span.end - max(done, span.start))]
            done = span.end
    return "".join([*parts, folded[done:]])
