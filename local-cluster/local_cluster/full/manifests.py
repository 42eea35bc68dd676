"""The objects that an instance holds from the start: rights of its own components, and what the volumes need."""

from typing import Any

from local_cluster import volumes

__all__ = ["DNS_USER", "KUBELET_CLIENT", "manifests"]

KUBELET_CLIENT = "kube-apiserver-kubelet-client"
"""Whom the API server is for the kubelet."""
DNS_USER = "local-cluster-dns"


def manifests() -> list[dict[str, Any]]:
    """The objects, each complete: applying them twice changes nothing."""
    return [*_kubelet_access(), *_dns(), *volumes.manifests()]


def _kubelet_access() -> list[dict[str, Any]]:
    # The kubelet asks the API server whether its caller may do this; for exec, logs and port-forward that is itself.
    return [_binding("local-cluster-kubelet-access", role="system:kubelet-api-admin", user=KUBELET_CLIENT)]


def _dns() -> list[dict[str, Any]]:
    reads = ["list", "watch"]
    return [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": DNS_USER},
            "rules": [
                {"apiGroups": [""], "resources": ["services", "namespaces"], "verbs": reads},
                {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": reads},
            ],
        },
        _binding(DNS_USER, role=DNS_USER, user=DNS_USER),
    ]


def _binding(name: str, *, role: str, user: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    }
