"""Reads the settings that name others on the network: scrapers, and where runners may connect to.

    monitoring                                            all pods of a namespace
    monitoring/app.kubernetes.io/name=prometheus          those with a label; further ones after "&"
    10.1.2.3:3128   10.1.0.0/16:3128   [fd00::/64]:3128   addresses with a port
    proxies/app=squid:3128                                pods with a port
    openshift-dns:5353/udp                                the same, for UDP

`settings` checks them at the start: the API server would reject each namespace's policy, and no session would start.
"""

import ipaddress
import re
from typing import Final

from whatsapp_operator.core.network import AddressPeer, Egress, PodPeer

MAX_ENTRIES: Final = 32
_NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL_PREFIX: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST_PREFIX: Final = 253
_LABEL_NAME: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_PORT: Final = re.compile(r"([1-9][0-9]{0,4})(/udp)?")
_SCRAPERS: Final = (
    "should be namespaces by comma, each with labels if need be: monitoring/app.kubernetes.io/name=prometheus"
)
_EGRESS: Final = (
    "should be addresses or pods by comma, each with its port: 10.1.2.3:3128, 10.1.0.0/16:3128, [fd00::/64]:3128 or "
    "proxies/app=squid:3128"
)


def scrapers(text: str) -> tuple[PodPeer, ...]:
    """Read the pods that may connect to runners.

    :raises ValueError: an entry is none, or there are too many; the message shows what to write.
    """
    return tuple(_pods(entry, wanted=_SCRAPERS) for entry in _entries(text))


def egress(text: str) -> tuple[Egress, ...]:
    """Read where runners may connect to.

    :raises ValueError: an entry is none, or there are too many; the message shows what to write.
    """
    return tuple(_egress(entry) for entry in _entries(text))


def _entries(text: str) -> list[str]:
    entries = list(dict.fromkeys(entry.strip() for entry in text.split(",") if entry.strip()))
    if len(entries) > MAX_ENTRIES:
        raise ValueError(f"should have at most {MAX_ENTRIES} entries: name a larger range, or a namespace")
    return entries


def _egress(entry: str) -> Egress:
    where, colon, port = entry.rpartition(":")
    found = _PORT.fullmatch(port)
    if not colon or found is None or int(found[1]) > 65535:
        raise ValueError(_EGRESS)
    peer = _addresses(where) or _pods(where, wanted=_EGRESS)
    return Egress(peer=peer, port=int(found[1]), protocol="UDP" if found[2] else "TCP")


def _addresses(text: str) -> AddressPeer | None:
    """Return a range of addresses; None: it is none. One IPv6 address without brackets and port would be ambiguous."""
    bracketed = text.startswith("[") and text.endswith("]")
    try:
        network = ipaddress.ip_network(text[1:-1] if bracketed else text, strict=True)
    except ValueError as error:
        if bracketed or re.fullmatch(r"[0-9.:/]+", text):
            raise ValueError(f"{_EGRESS}; a range begins with its first address, as 10.1.0.0/16") from error
        return None
    # Neither a zone of one node nor an IPv4 address in the form of IPv6 means anything in a policy.
    has_zone_or_is_mapped = "%" in text or getattr(network.network_address, "ipv4_mapped", None) is not None
    if (network.version == 6) != bracketed or has_zone_or_is_mapped:
        raise ValueError(_EGRESS)
    return AddressPeer(cidr=str(network))


def _pods(text: str, *, wanted: str) -> PodPeer:
    namespace, slash, selector = text.partition("/")
    labels = tuple(_label(pair, wanted=wanted) for pair in selector.split("&")) if slash else ()
    if not _NAMESPACE.fullmatch(namespace) or len({name for name, _ in labels}) != len(labels):
        raise ValueError(wanted)
    return PodPeer(namespace=namespace, labels=labels)


def _label(text: str, *, wanted: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    prefix, slash, own = name.rpartition("/")
    is_name = _LABEL_NAME.fullmatch(own) and (not slash or _LABEL_PREFIX.fullmatch(prefix[: _LONGEST_PREFIX + 1]))
    if not equals or not is_name or len(prefix) > _LONGEST_PREFIX or not _LABEL_VALUE.fullmatch(value):
        raise ValueError(wanted)
    return name, value
