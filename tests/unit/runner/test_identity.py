"""Whose runner it is: read from the pod's full host name."""

from pathlib import Path

import pytest
from session_runner.host.identity import session_in, session_of_pod

# As the kubelet writes it for a pod with a host name and a subdomain.
HOSTS = """\
# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
fe00::0\tip6-localnet
10.0.0.7\tsales.whatsapp-sessions.shop.svc.cluster.local\tsales

# Entries added by HostAliases.
10.0.0.8\tsales.other.elsewhere.example.com
"""


def test_a_pod_knows_its_session() -> None:
    """Its name is the host's, the namespace is in the full name."""
    assert {"session": "sales", "namespace": "shop"} == session_in(HOSTS, hostname="sales")


def test_a_cluster_may_have_no_domain() -> None:
    """The full name then ends with svc."""
    hosts = "10.0.0.7\tsales.whatsapp-sessions.shop.svc.\tsales\n"

    assert {"session": "sales", "namespace": "shop"} == session_in(hosts, hostname="sales")


@pytest.mark.parametrize(
    ("hosts", "hostname"),
    [
        (HOSTS, "sale"),
        (HOSTS, "s.les"),
        ("127.0.0.1 localhost sales\n", "sales"),
        ("# 10.0.0.7 sales.whatsapp-sessions.shop.svc.cluster.local sales\n", "sales"),
        ("10.0.0.7 sales.shop.svc.cluster.local\n", "sales"),
        ("", "sales"),
    ],
)
def test_elsewhere_nothing_is_known(hosts: str, hostname: str) -> None:
    """Another host's line, no full name, a comment, no subdomain: no field rather than a wrong one."""
    assert {} == session_in(hosts, hostname=hostname)


def test_no_file_is_no_error(tmp_path: Path) -> None:
    """The runner may be any process."""
    assert {} == session_of_pod(tmp_path / "none")
