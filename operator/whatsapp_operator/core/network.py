"""What the operator's settings say about the network of runners, for each namespace's NetworkPolicy.

`app.peers` reads it from the settings' texts, `core.objects.network_policy` writes it into the policy.
"""

from dataclasses import dataclass
from typing import Any

from whatsapp_operator.api.constants import NAMESPACE_NAME_LABEL


@dataclass(frozen=True, kw_only=True)
class AddressPeer:
    """A range of addresses."""

    cidr: str

    def manifest(self) -> dict[str, Any]:
        """Return the peer as it stands in a policy."""
        return {"ipBlock": {"cidr": self.cidr}}


@dataclass(frozen=True, kw_only=True)
class PodPeer:
    """Pods of a namespace."""

    namespace: str
    labels: tuple[tuple[str, str], ...] = ()
    """ Names and values; empty: all pods of the namespace. """

    def manifest(self) -> dict[str, Any]:
        """Return the peer as it stands in a policy."""
        namespace = {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME_LABEL: self.namespace}}}
        return namespace | ({"podSelector": {"matchLabels": dict(self.labels)}} if self.labels else {})


@dataclass(frozen=True, kw_only=True)
class Egress:
    """Where runners may connect to beyond DNS and the public internet: a proxy, a page of one's own."""

    peer: AddressPeer | PodPeer
    port: int
    protocol: str = "TCP"


@dataclass(frozen=True, kw_only=True)
class RunnerNetwork:
    """All of it."""

    operator_namespace: str
    """ Where the operator's own pod is, which asks the runners for their state. """
    scrapers: tuple[PodPeer, ...] = ()
    """ Who may read the runners' metrics. """
    egress: tuple[Egress, ...] = ()
