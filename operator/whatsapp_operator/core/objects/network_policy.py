"""The NetworkPolicy of a namespace: who may connect to its runners, and where these may connect to.

One for all sessions of the namespace, beside the Service and for as long. A policy that opens more can be added by
whoever may write policies in the namespace: policies add up. So this one holds nothing that a cluster differs in, and
what it cannot know (a proxy) comes from the operator's settings. A scraper is known by the label of its namespace, as the
operator's own policy knows it: one label lets it in everywhere.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from session_protocol.public_addresses import NAT64, NOT_PUBLIC_V4, NOT_PUBLIC_V6, PUBLIC_V6

from whatsapp_operator.api.constants import (
    CLIENT_LABEL,
    COMPONENT_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    NAME_LABEL,
    NETWORK_POLICY_NAME,
    OPERATOR_COMPONENT,
    OPERATOR_NAME,
    RUNNER_NAME,
    RUNNER_PORT,
    SCRAPES_METRICS_LABEL,
)
from whatsapp_operator.core.decision import Action, CreateNetworkPolicy, PatchNetworkPolicy
from whatsapp_operator.core.model import Defaults, Manifest, NetworkPolicyFacts
from whatsapp_operator.core.network import PodPeer, RunnerNetwork
from whatsapp_operator.core.objects import names
from whatsapp_operator.core.writes.merge_patch import merge_patch

DNS_PORT: Final = 53
HTTPS_PORT: Final = 443

_RUNNERS: Final = {MANAGED_BY_LABEL: MANAGED_BY, NAME_LABEL: RUNNER_NAME}


def network_policy_manifest(namespace: str, network: RunnerNetwork) -> Manifest:
    """Return the policy to create. Like the Service it has no owner; the operator deletes it after the last session."""
    return Manifest(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {
                "name": NETWORK_POLICY_NAME,
                "namespace": namespace,
                "labels": names.recommended_labels(NETWORK_POLICY_NAME) | _RUNNERS,
            },
            "spec": _spec(network),
        }
    )


@lru_cache(maxsize=4)  # it is compared with in every decision
def _spec(network: RunnerNetwork) -> dict[str, Any]:
    return {
        "podSelector": {"matchLabels": _RUNNERS},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": _clients(network), "ports": _ports(RUNNER_PORT)}],
        "egress": [
            # By port alone: a cache on the node has a link-local address, a cluster's DNS any.
            {"ports": [*_ports(DNS_PORT, protocol="UDP"), *_ports(DNS_PORT)]},
            {"to": _public(), "ports": _ports(HTTPS_PORT)},
            *(
                {"to": [egress.peer.manifest()], "ports": _ports(egress.port, protocol=egress.protocol)}
                for egress in network.egress
            ),
        ],
    }


def policy_actions(policy: NetworkPolicyFacts | None, *, namespace: str, defaults: Defaults) -> tuple[Action, ...]:
    """Return the action that makes the policy, or makes it what it should be; a foreign one is left as it is."""
    network = defaults.network
    if network is None or (policy is not None and not policy.ours):
        return ()
    if policy is None:
        return (CreateNetworkPolicy(manifest=network_policy_manifest(namespace, network)),)
    patch = merge_patch(policy.spec, _spec(network))
    if not patch:
        return ()
    precondition = {"resourceVersion": policy.resource_version}
    return (PatchNetworkPolicy(name=NETWORK_POLICY_NAME, patch={"metadata": precondition, "spec": patch}),)


def _clients(network: RunnerNetwork) -> list[dict[str, Any]]:
    operator = PodPeer(
        namespace=network.operator_namespace,
        labels=((NAME_LABEL, OPERATOR_NAME), (COMPONENT_LABEL, OPERATOR_COMPONENT)),
    )
    return [
        operator.manifest(),
        {"podSelector": {"matchLabels": {CLIENT_LABEL: "true"}}},
        {"namespaceSelector": {"matchLabels": {SCRAPES_METRICS_LABEL: "true"}}},
        *(scraper.manifest() for scraper in network.scrapers),
    ]


def _public() -> list[dict[str, Any]]:
    translated = [_translated(cidr) for cidr in NOT_PUBLIC_V4]
    return [
        _block("0.0.0.0/0", NOT_PUBLIC_V4),
        _block(PUBLIC_V6, NOT_PUBLIC_V6),
        _block(NAT64, translated),
    ]


def _translated(cidr: str) -> str:
    """Return an IPv4 range as NAT64 writes it."""
    address, _, length = cidr.partition("/")
    high, low = (256 * int(first) + int(second) for first, second in zip(*[iter(address.split("."))] * 2, strict=True))
    return f"64:ff9b::{high:x}:{low:x}/{96 + int(length)}"


def _block(cidr: str, excepted: Iterable[str]) -> dict[str, Any]:
    return {"ipBlock": {"cidr": cidr, "except": list(excepted)}}


def _ports(port: int, *, protocol: str = "TCP") -> list[dict[str, Any]]:
    return [{"port": port, "protocol": protocol}]
