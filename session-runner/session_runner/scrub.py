"""Takes secrets and people out of a text before it leaves the process.

Used for every log line and for the termination message, which ends up in a resource's status. What is taken out:
phone numbers and WhatsApp ids, QR texts, tokens, and long runs of key-like characters. What must survive, because it
is what one searches for: times, UUIDs, versions, host names, exit codes, byte counts up to six digits.
"""

from __future__ import annotations

import re

_KEPT = (
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?"  # times
    r"|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"  # UUIDs
    r"|\b\d+(?:\.\d+){2,}\b"  # versions and IPv4 addresses
)
_SECRETS = (
    ("code", r"https://wa\.me/settings/linked_devices#\S+"),
    ("code", r"\b[\w@+/=-]{4,}(?:,[\w+/=-]{20,}){2,}(?:,[\w:./=-]+)*"),
    ("token", r"(?i:\bbearer)\s+\S+"),
    ("id", r"(?<![A-Za-z0-9])\d{5,}(?:[-:_.]\d+)*@[\w.]+"),
    ("key", r"(?<![\w+/=-])(?=[\w+/=-]*\d)(?=[\w+/=-]*[A-Za-z])[\w+/-]{32,}={0,2}"),
    ("number", r"(?<![A-Za-z0-9.])\+?\(?\d(?:[ ()-]{0,2}\d){6,16}(?![A-Za-z0-9])"),
)
_PATTERN = re.compile("|".join([f"(?P<kept>{_KEPT})", *(f"(?P<s{i}>{rule})" for i, (_, rule) in enumerate(_SECRETS))]))


def scrub(text: str) -> str:
    """The text with `<number>`, `<id>`, `<code>`, `<token>` or `<key>` where something secret stood. Idempotent."""
    return _PATTERN.sub(_replacement, text)


def _replacement(match: re.Match[str]) -> str:
    if match.lastgroup is None or match.lastgroup == "kept":
        return match.group()
    return f"<{_SECRETS[int(match.lastgroup[1:])][0]}>"
