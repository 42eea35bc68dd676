"""Which hosts the page may reach, and whether the page itself is on one of them.

`settings` asks at start: an operator that starts with a list its runners refuse would make every session end with
BadConfiguration. The runner judges by the same rule (`session_runner.page.hosts`), which this image does not have;
tests hold both, and the browser's own resolver, to one table of cases.
"""

import re
from urllib.parse import urlsplit

_HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


def host_patterns(text: str) -> tuple[str, ...]:
    """Read a comma list of host names and `*.domain`.

    :raises ValueError: it names no host, or something that is none; the message shows what to write.
    """
    patterns = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if not patterns:
        raise ValueError("should name at least one host, such as web.whatsapp.com,*.whatsapp.net")
    if not all(_HOST.fullmatch(pattern) for pattern in patterns):
        raise ValueError('should be host names or "*.domain" by comma, without scheme, port or path')
    return patterns


def allows(patterns: tuple[str, ...], host: str) -> bool:
    """Whether a host (without port) is in the list; `*.domain` stands for its subdomains, not for itself."""
    name = host.lower()
    return any(name == pattern or (pattern[:2] == "*." and name.endswith(pattern[1:])) for pattern in patterns)


def page_host(url: str) -> str:
    """Return the host of the page's address.

    :raises ValueError: it is no https address with a host.
    """
    wanted = "should be an https:// address with a host, such as https://web.whatsapp.com/"
    try:
        parts = urlsplit(url)
        sound = parts.scheme == "https" and parts.port != 0
    except ValueError as error:
        raise ValueError(wanted) from error
    if not sound or not parts.hostname:
        raise ValueError(wanted)
    return parts.hostname
