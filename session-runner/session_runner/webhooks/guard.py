"""Whether a connection may go to an address: what keeps a webhook or a file's link from reaching what is not its own.

The sender asks with the very address that a socket is about to connect to, so a name that has another address by then is
judged by that one. Free are public addresses, by https on port 443: what a namespace's NetworkPolicy leaves free, too.
The operator's setting WEBHOOK_DESTINATIONS opens others, in the policy as well: ranges of addresses with a port, and
namespaces whose Services may be named.
"""

import ipaddress
from typing import Final

from msgspec import Struct
from session_protocol.public_addresses import Address, is_public, meant
from session_protocol.services import namespace_of

HTTPS_PORT: Final = 443
SETTING: Final = "WEBHOOK_DESTINATIONS"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Destinations(Struct, frozen=True, kw_only=True):
    """Where webhooks may go, and files be fetched from, beside public addresses."""

    ranges: tuple[tuple[Network, int], ...] = ()
    """ Addresses, with their port. """
    namespaces: frozenset[str] = frozenset()
    """ Whose Services may be named. """

    @classmethod
    def parse(cls, texts: tuple[str, ...]) -> "Destinations":
        """Read them as the operator writes them. :raises ValueError: one is none."""
        ranges, namespaces = [], []
        for text in texts:
            cidr, colon, port = text.rpartition(":")
            if colon:
                ranges.append((ipaddress.ip_network(cidr.strip("[]")), int(port)))
            else:
                namespaces.append(text)
        return cls(ranges=tuple(ranges), namespaces=frozenset(namespaces))


class Target(Struct, frozen=True, kw_only=True):
    """What the address of a webhook or of a file says."""

    scheme: str
    host: str
    port: int
    whose: str = "The webhook's host"
    """ What it is called in a refusal. """


def refusal(address: Address, target: Target, destinations: Destinations) -> str | None:
    """Return why no connection goes to this address for this target; None: it may."""
    address = meant(address)
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
        return f"{target.whose} is an address of the pod, of its node or of everybody there, to which nothing is sent."
    if any(address in network and target.port == port for network, port in destinations.ranges):
        return None
    if namespace_of(target.host) in destinations.namespaces:
        return None
    if not is_public(address):
        return (
            f"{target.whose} is no public address. Whoever runs the operator can open it with {SETTING}, "
            "which opens it in the NetworkPolicy, too."
        )
    if target.scheme != "https" or target.port != HTTPS_PORT:
        return (
            f"Public addresses are reached by https on port {HTTPS_PORT} alone. Whoever runs the operator can open others "
            f"with {SETTING}, which opens them in the NetworkPolicy, too."
        )
    return None


def address_of(host: str) -> Address | None:
    """Return the address that a host is written as; None: it is a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
