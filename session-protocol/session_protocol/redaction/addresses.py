"""Logins in addresses: `https://user:password@host`."""

import re
from typing import Final

from session_protocol.redaction.marks import MASK, Claim, Mark

_AUTHORITY: Final = re.compile(r"[^ \n/?#\"'`<>\\]*")
_PORT: Final = re.compile(r":[0-9]{1,5}\Z")
_REST: Final = re.compile(r"[^ \n\"'`<>]*")
_LONGEST_LOGIN: Final = 256


def find_logins(folded: str) -> list[Claim]:
    """Return what stands before the @ of an address; its port is claimed as what it is."""
    claims: list[Claim] = []
    at = folded.find("://")
    while at >= 0:
        start = at + 3
        authority = _authority(folded, start)
        login, sign, host = authority.rpartition("@")
        if sign and login.strip(MASK):
            claims.append(Claim(start, start + len(login), Mark.SECRET))
        port = _PORT.search(host[-6:])
        if port is not None:
            end = start + len(authority)
            claims.append(Claim(end - len(port.group()), end))
        at = folded.find("://", start + len(authority))
    return claims


def _authority(folded: str, start: int) -> str:
    """Return the login, host and port; a password may hold a slash or an @ that nobody escaped."""
    found = _AUTHORITY.match(folded, start)
    authority = found.group() if found else ""
    user, colon, port = authority.partition(":")
    if colon and user and "[" not in authority and port.strip(MASK) and not port.strip(MASK).isdigit():
        rest = _REST.match(folded[start : start + _LONGEST_LOGIN])
        login, sign, _ = rest.group().rpartition("@") if rest else ("", "", "")
        return max(authority, login + sign, key=len)
    return authority
