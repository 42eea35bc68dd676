"""Where a webhook's connection may go."""

import ipaddress

import pytest
from session_protocol.services import namespace_of
from session_runner.webhooks.guard import Destinations, Target, refusal

ALLOWED = Destinations.parse(("10.1.0.0/16:8080", "[fd00::/64]:81", "automation"))


def refused(address: str, host: str = "hooks.example.com", *, port: int = 443, scheme: str = "https") -> str | None:
    """Why not, for a target."""
    return refusal(ipaddress.ip_address(address), Target(scheme=scheme, host=host, port=port), ALLOWED)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_free_by_https(address: str) -> None:
    """As in the namespace's NetworkPolicy."""
    assert refused(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "fd01::1",
        "2002:a00:1::",
    ],
)
def test_private_ones_are_for_the_operator_to_open(address: str) -> None:
    """The refusal names the setting that would open them."""
    assert "WEBHOOK_DESTINATIONS" in (refused(address) or "")


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "::"]
)
def test_nothing_opens_what_is_the_pods_or_the_nodes(address: str) -> None:
    """Not even the name of a Service that is allowed."""
    assert "nothing is sent" in (refused(address, "n8n.automation.svc", port=8080) or "")


@pytest.mark.parametrize(("port", "scheme"), [(80, "http"), (443, "http"), (8443, "https")])
def test_public_addresses_by_another_way_are_refused(port: int, scheme: str) -> None:
    """The NetworkPolicy would not let them out either, and say nothing."""
    assert "port 443" in (refused("8.8.8.8", port=port, scheme=scheme) or "")


def test_the_operator_opens_ranges_with_their_port() -> None:
    """And no other one."""
    assert [None, None] == [refused("10.1.2.3", port=8080, scheme="http"), refused("fd00::5", port=81, scheme="http")]
    assert "WEBHOOK_DESTINATIONS" in (refused("10.1.2.3", port=8081, scheme="http") or "")
    assert "WEBHOOK_DESTINATIONS" in (refused("10.2.0.1", port=8080, scheme="http") or "")


@pytest.mark.parametrize(
    ("host", "namespace"),
    [
        ("n8n.automation.svc", "automation"),
        ("n8n.automation.svc.cluster.local", "automation"),
        ("N8N.Automation.SVC.", "automation"),
        ("pod.n8n.automation.svc", "automation"),
        ("automation.svc", None),
        (".automation.svc", None),
        ("n8n.automation.svc.example.com", None),
        ("n8n.automation", None),
    ],
)
def test_a_services_name_has_a_namespace(host: str, namespace: str | None) -> None:
    """Whose Services the operator may allow."""
    assert namespace == namespace_of(host)


def test_the_services_of_an_allowed_namespace_are_open() -> None:
    """On any port, since a Service's is not its pods'; those of another one are not."""
    assert refused("10.96.0.7", "n8n.automation.svc", port=5678, scheme="http") is None
    assert "WEBHOOK_DESTINATIONS" in (refused("10.96.0.1", "kubernetes.default.svc") or "")
    assert "WEBHOOK_DESTINATIONS" in (refused("10.96.0.7", "automation.example.com") or "")
