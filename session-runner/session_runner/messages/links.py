"""Links that files are fetched from: which one can be one, what it says of its connections, and when a fetch is tried again.

A link may hold a token, so nothing here repeats one, and it stays out of everything that is written for people.
"""

import ipaddress
import re
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from session_protocol.messages import LONGEST_LINK

from session_runner.messages.errors import MediaError

MOST_REDIRECTS: Final = 3
TRIES: Final = 5
""" Of one file: a server that is down for a moment is usual, and nothing may be tried for ever. """
LONGEST_WAIT: Final = 24 * 3600.0
""" Seconds until a file is given up for which there was never room. """
_FIRST_PAUSE: Final = 2.0
""" Seconds until the second try; each further one doubles it. """
_PATIENCE: Final = 60.0
""" Seconds for a file to come, and a second more for each `_SLOWEST` bytes that it may have. """
_SLOWEST: Final = 256 * 1024
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f\\]")
_A_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


def check_link(link: str, *, field: str) -> str:
    """Return a link that a file can be fetched from.

    :raises MediaError: it is none; the text says what would be one.
    """
    stripped = link.strip()
    if len(stripped) > LONGEST_LINK:
        raise MediaError(f"{field} has more than {LONGEST_LINK} characters.")
    if not _can_be_had(stripped):
        raise MediaError(
            f"{field} is an address such as https://files.example.com/bill.pdf: https, a host by its name or by an address in "
            "its usual form, and no login."
        )
    return stripped.partition("#")[0]


def after_redirect(link: str, location: str | None) -> str | None:
    """Return where a redirect leads; None: nowhere that a file can be had from."""
    if location is None or len(location) > LONGEST_LINK:
        return None
    try:
        following = urljoin(link, location.strip()).partition("#")[0]
    except ValueError:
        return None
    return following if len(following) <= LONGEST_LINK and _can_be_had(following) else None


def filename_of(link: str) -> str | None:
    """Return the name that a link gives its file, if the end of its path looks like one."""
    name = unquote(urlsplit(link).path.rpartition("/")[2], errors="replace")
    return name if re.fullmatch(r"[^/\x00-\x1f\x7f]{1,200}\.[A-Za-z0-9]{1,8}", name) else None


def seconds_for(largest: int) -> float:
    """Return within which time a file of at most so many bytes has to be there."""
    return _PATIENCE + largest / _SLOWEST


def pause_after(tries: int) -> float:
    """Return the seconds until the next try, after so many."""
    return _FIRST_PAUSE * 2.0 ** min(tries, 10)


def _can_be_had(link: str) -> bool:
    if _FORBIDDEN.search(link):
        return False
    try:
        parts = urlsplit(link)
        if parts.port == 0:
            return False
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and "@" not in parts.netloc and _is_host(parts.hostname or "")


def _is_host(host: str) -> bool:
    """Whether it is a name, or an address as it is usually written: `127.1`, `2130706433` and `0x7f.1` are loopback, too."""
    if ":" in host or _A_NUMBER.fullmatch(host.removesuffix(".").rpartition(".")[2]):
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return False
    return bool(host)
