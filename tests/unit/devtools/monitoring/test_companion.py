"""Pods as Prometheus' discovery would label them."""

from typing import Any

from session_devtools.monitoring.companion import targets

Object = dict[str, Any]


def pod(*ports: Object, ip: str = "10.244.0.7") -> Object:
    """Return a pod that runs."""
    return {
        "metadata": {"name": "sales", "namespace": "shop", "uid": "u", "labels": {"wasession.dev/session": "sales"}},
        "spec": {"nodeName": "n", "containers": [{"name": "runner", "ports": list(ports)}, {"name": "helper"}]},
        "status": {"phase": "Running"} | ({"podIP": ip} if ip else {}),
    }


def test_each_port_is_a_target() -> None:
    """With the labels that relabelling goes by."""
    found = targets([pod({"name": "http", "containerPort": 8080}, {"containerPort": 9})])

    expected = {
        "__meta_kubernetes_namespace": "shop",
        "__meta_kubernetes_pod_name": "sales",
        "__meta_kubernetes_pod_uid": "u",
        "__meta_kubernetes_pod_ip": "10.244.0.7",
        "__meta_kubernetes_pod_phase": "Running",
        "__meta_kubernetes_pod_node_name": "n",
        "__meta_kubernetes_pod_label_wasession_dev_session": "sales",
        "__meta_kubernetes_pod_labelpresent_wasession_dev_session": "true",
        "__meta_kubernetes_pod_container_name": "runner",
        "__meta_kubernetes_pod_container_port_name": "http",
    }
    assert [["10.244.0.7:8080"], ["10.244.0.7:9"]] == [target["targets"] for target in found]
    assert expected == found[0]["labels"]


def test_a_pod_without_an_address_is_none() -> None:
    """It waits for a node, or was evicted."""
    assert [] == targets([pod({"containerPort": 8080}, ip="")])
