"""What looks like a number or a key and is neither: times, UUIDs, addresses, versions, digests, amounts with a unit.

They help readers of a log, and each has a form of its own. Everything is bounded and anchored: a candidate is found by
its form and then kept if what is beside it allows, because a part of something longer does not count.
"""

import re
from collections.abc import Iterator
from typing import Final

from session_protocol.redaction.spans import Span

_KNOWN: Final = re.compile(
    r"(?P<uuid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
    r"|(?P<digest>sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})"
    r"|(?P<date>(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"(?:[Tt ][0-2][0-9]:[0-5][0-9](?::[0-6][0-9](?:[.,][0-9]{1,9})?)?(?: ?(?:[Zz]|[+-][0-9]{2}:?[0-9]{2}))?)?)"
    r"|(?P<go_date>20[0-9]{2}/(?:0[1-9]|1[0-2])/(?:0[1-9]|[12][0-9]|3[01])"
    r"(?: [0-2][0-9]:[0-5][0-9]:[0-6][0-9](?:\.[0-9]{1,9})?)?)"
    r"|(?P<basic_date>20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[Tt][0-2][0-9][0-5][0-9][0-6][0-9][Zz]?)"
    r"|(?P<clock>[0-2][0-9]:[0-5][0-9]:[0-6][0-9](?:[.,][0-9]{1,9})?)"
    r"|(?P<browser_time>(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])/[0-2][0-9][0-5][0-9][0-6][0-9]\.[0-9]{6})"
    r"|(?P<browser>[1-9][0-9]{1,2}\.0\.[0-9]{4,5}\.[0-9]{1,3}(?:-[0-9]{1,2})?)"
    r"|(?P<page>2\.[0-9]{4}\.[0-9]{1,10})"
    r"|(?P<kernel>[1-9]\.[0-9]{1,2}\.0-[0-9]{1,4})"
    r"|(?P<address>[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]{1,5}|/[0-9]{1,2})?)"
    r"|(?P<name>ip-[0-9]{1,3}(?:-[0-9]{1,3}){3}|[0-9]{1,3}(?:-[0-9]{1,3}){3}(?:\.[a-z]))"
    r"|(?P<amount>[0-9]{1,8}(?:[KMGTPE]i|[kKMG]i?B|ms))"
    r"|(?P<cve>CVE-(?:19|20)[0-9]{2}-[0-9]{4,7})"
    r"|(?P<pointer>0x[0-9a-fA-F]{1,16})"
)
""" Only valid years, months and so on: any other groups of digits are a number. """
_OCTETS: Final = re.compile(r"[0-9]+")
_SHORT_POINTER: Final = len("0x123456")
""" One that is longer and has no letter may be a person's number. """
_SEALED: Final = frozenset({"uuid", "digest", "basic_date", "pointer", "amount", "cve"})
""" Forms that stay theirs beside other digits; to the rest, a dash or a dot and more digits is a longer number. """


def find_known_values(folded: str) -> list[Span]:
    """Return what is kept as it is."""
    return list(_forms(folded))


def _forms(folded: str) -> Iterator[Span]:
    """Continue behind a form, and inside of what only looked like one: [23:45:1129/060139.123456 has no time of day."""
    found = _KNOWN.search(folded)
    while found is not None:
        stands = _stands_alone(folded, found)
        if stands:
            yield Span(found.start(), found.end())
        found = _KNOWN.search(folded, found.end() if stands else found.start() + 1)


def _stands_alone(folded: str, found: re.Match[str]) -> bool:
    form = found.lastgroup or ""
    before, after = folded[max(0, found.start() - 2) : found.start()], folded[found.end() : found.end() + 2]
    touches = before[-1:].isalnum() or before[-1:] == "+" or (before[-1:] == "@" and form != "digest")
    touches = touches or after[:1] == "@" or (after[:1].isalnum() and form != "name")
    goes_on = (before[-1:] in tuple(".-_") and before[:-1].isdigit()) or (
        after[:1] in tuple(".-_:") and after[1:].isdigit()
    )
    if touches or (goes_on and form not in _SEALED):
        return False
    if form == "pointer":
        return not found.group()[2:].isdigit() or len(found.group()) <= _SHORT_POINTER
    return form not in ("address", "name") or _are_octets(re.split("[:/]", found.group())[0])


def _are_octets(text: str) -> bool:
    return all(int(octet) < 256 and (octet == "0" or octet[0] != "0") for octet in _OCTETS.findall(text))
