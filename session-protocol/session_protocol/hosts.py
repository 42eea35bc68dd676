"""The hosts that the browser may connect to.

The rule is enforced by the browser's own resolver (`resolver_rules`): a host that is not allowed does not resolve,
for documents, redirects, WebSockets and workers alike, and no matter whether it is a name or an address (an address
goes through the resolver, too). `allows` is the same rule in Python, for the settings' check and for counting what
failed. Pure, so that the operator's settings are checked by this very code (`whatsapp_operator.app.hosts`).
"""

import re
from dataclasses import dataclass
from typing import Final

WHATSAPP_WEB_URL: Final = "https://web.whatsapp.com/"
WHATSAPP_HOSTS: Final = "*.whatsapp.com,*.whatsapp.net"
""" What the page needs: the defaults of both sides. """

_HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


@dataclass(frozen=True)
class AllowedHosts:
    """A list of host names and `*.domain` patterns; a pattern matches the subdomains, not the domain itself."""

    patterns: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "AllowedHosts":
        """Parse a comma-separated list.

        :raises ValueError: an entry is not a host. It becomes part of a flag of the browser.
        """
        patterns = tuple(part.strip().lower() for part in text.split(",") if part.strip())
        if not patterns:
            raise ValueError('must name at least one host, like "web.whatsapp.com,*.whatsapp.net"')
        for pattern in patterns:
            if not _HOST.fullmatch(pattern):
                raise ValueError(f'contains {pattern!r}; write host names or "*.domain", without scheme, port or path')
        return cls(patterns)

    def allows(self, host: str) -> bool:
        """Whether the browser may connect to a host (no port). With a trailing dot it is another host, as in the browser."""
        name = host.lower()
        return any(name == pattern or (pattern[:2] == "*." and name.endswith(pattern[1:])) for pattern in self.patterns)

    @property
    def resolver_rules(self) -> str:
        """The value of Chromium's --host-resolver-rules, by which only these hosts resolve."""
        return ", ".join(["MAP * ~NOTFOUND", *(f"EXCLUDE {pattern}" for pattern in self.patterns)])
