"""Which addresses are the internet's: what runners may connect to without anybody's word.

Each namespace's NetworkPolicy is written from these ranges, and the guard of webhooks asks `is_public`, so that both say
the same.
"""

import ipaddress
from ipaddress import IPv4Address, IPv6Address
from typing import Final

NOT_PUBLIC_V4: Final = (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # of carriers (NAT), and of some clusters' pods
    "127.0.0.0/8",  # loopback
    "169.254.0.0/16",  # link-local: clouds' metadata, node-local caches
    "172.16.0.0/12",  # private
    "192.0.0.0/24",  # protocol assignments
    "192.0.2.0/24",  # documentation
    "192.88.99.0/24",  # relays from IPv6 to IPv4, given up
    "192.168.0.0/16",  # private
    "198.18.0.0/15",  # benchmarks
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, broadcast
)
""" Ranges that are no addresses of the internet: IANA's special-purpose registry, and multicast. """
PUBLIC_V6: Final = "2000::/3"
""" All global unicast addresses; unique-local, link-local, loopback and multicast ones lie outside of it. """
NOT_PUBLIC_V6: Final = (
    "2001::/23",  # protocol assignments, Teredo's tunnels among them
    "2001:db8::/32",  # documentation
    "2002::/16",  # tunnels to IPv4 addresses, private ones too (6to4)
    "3fff::/20",  # documentation
)
NAT64: Final = "64:ff9b::/96"
""" IPv4 addresses as a cluster of IPv6 alone sees them. """

Address = IPv4Address | IPv6Address

_NOT_V4: Final = tuple(ipaddress.IPv4Network(cidr) for cidr in NOT_PUBLIC_V4)
_V6: Final = ipaddress.IPv6Network(PUBLIC_V6)
_NOT_V6: Final = tuple(ipaddress.IPv6Network(cidr) for cidr in NOT_PUBLIC_V6)
_NAT64: Final = ipaddress.IPv6Network(NAT64)


def meant(address: Address) -> Address:
    """Return the IPv4 address that one of IPv6 stands for (mapped, or NAT64), else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet."""
    address = meant(address)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_V4)
    return address in _V6 and not any(address in network for network in _NOT_V6)
