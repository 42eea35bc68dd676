"""The objects that an instance holds from the start: rights of its own components, and what the volumes need."""

from collections.abc import Mapping, Sequence
from typing import Any

from local_cluster import volumes

__all__ = ["DNS_USER", "KUBELET_CLIENT", "POLICIES_USER", "manifests"]

KUBELET_CLIENT = "kube-apiserver-kubelet-client"
"""Whom the API server is for the kubelet."""
DNS_USER = "local-cluster-dns"
POLICIES_USER = "local-cluster-network-policies"
"""Who enforces NetworkPolicy, where that is switched on."""


def manifests(*, network_policies: bool = False) -> list[dict[str, Any]]:
    """The objects, each complete: applying them twice changes nothing. `network_policies`: those are enforced."""
    made = [*_kubelet_access(), *_dns(), *volumes.manifests()]
    return [*made, *_network_policies()] if network_policies else made


def _kubelet_access() -> list[dict[str, Any]]:
    # The kubelet asks the API server whether its caller may do this; for exec, logs and port-forward that is itself.
    return [_binding("local-cluster-kubelet-access", role="system:kubelet-api-admin", user=KUBELET_CLIENT)]


def _dns() -> list[dict[str, Any]]:
    return _reader(DNS_USER, {"": ["services", "namespaces"], "discovery.k8s.io": ["endpointslices"]})


def _network_policies() -> list[dict[str, Any]]:
    return _reader(POLICIES_USER, {"": ["pods", "namespaces"], "networking.k8s.io": ["networkpolicies"]})


def _reader(user: str, resources: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """A user who reads these resources, by their groups, and does nothing else."""
    return [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": user},
            "rules": [
                {"apiGroups": [group], "resources": list(names), "verbs": ["list", "watch"]}
                for group, names in resources.items()
            ],
        },
        _binding(user, role=user, user=user),
    ]


def _binding(name: str, *, role: str, user: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    }
