"""Which webhooks of a session go where the operator's settings let nothing go, as far as their addresses tell.

`status` makes a condition of it, so that a person reads it at once and not in what a runner says of a delivery that failed.
The runner's guard has the last word, at each connection: where a name leads is known to it alone.
"""

import ipaddress
from urllib.parse import urlsplit

from session_protocol.public_addresses import Address, is_public, meant
from session_protocol.services import namespace_of

from whatsapp_operator.api.session import Reason
from whatsapp_operator.api.webhooks import Webhooks
from whatsapp_operator.core.network import AddressPeer, Egress
from whatsapp_operator.core.session.messages import ReasonMessage

HTTPS_PORT = 443


def closed_webhooks(webhooks: Webhooks, opened: tuple[Egress, ...]) -> ReasonMessage | None:
    """Return what to say of those that are closed; None: there is none, as far as can be seen."""
    closed = [(webhook.name, why) for webhook in webhooks if (why := _closed(webhook.url, opened)) is not None]
    if not closed:
        return None
    which = " ".join(f"The webhook {name} gets nothing, because its address is {why}." for name, why in closed)
    return ReasonMessage(
        Reason.DESTINATION_CLOSED,
        f"{which} Webhooks go to public addresses by https on port {HTTPS_PORT}; whoever runs the operator opens others by its "
        "setting WEBHOOK_DESTINATIONS.",
    )


def _closed(url: str, opened: tuple[Egress, ...]) -> str | None:
    """Return what is wrong with an address, in words for people, which repeat nothing of it: there may be a token in it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (HTTPS_PORT if parts.scheme == "https" else 80)
    except ValueError:
        return None  # the runner says so
    address, namespace = _address(host), namespace_of(host)
    if _is_opened(address, namespace, port, opened):
        return None
    if namespace is not None:
        return "a Service of a namespace that is not opened"
    if address is not None and not is_public(address):
        return "no public one"
    return None if (parts.scheme, port) == ("https", HTTPS_PORT) else f"not by https on port {HTTPS_PORT}"


def _is_opened(address: Address | None, namespace: str | None, port: int, opened: tuple[Egress, ...]) -> bool:
    """Whether the settings open it, or may: a name may lead into any range with this port."""
    for egress in opened:
        if not isinstance(egress.peer, AddressPeer):
            if egress.peer.namespace == namespace:
                return True
        elif egress.port == port and (address is None or meant(address) in ipaddress.ip_network(egress.peer.cidr)):
            return True
    return False


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
