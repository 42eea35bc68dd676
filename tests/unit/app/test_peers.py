"""The settings that name others on the network."""

import pytest
from whatsapp_operator.app.peers import MAX_ENTRIES, egress, scrapers
from whatsapp_operator.app.settings import BadSettings, load
from whatsapp_operator.core.network import AddressPeer, Egress, PodPeer

LABEL = ("app.kubernetes.io/name", "prometheus")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (" , ", ()),
        ("monitoring", (PodPeer(namespace="monitoring"),)),
        ("monitoring/app.kubernetes.io/name=prometheus", (PodPeer(namespace="monitoring", labels=(LABEL,)),)),
        ("a/x=1&y=, b", (PodPeer(namespace="a", labels=(("x", "1"), ("y", ""))), PodPeer(namespace="b"))),
        ("a,a", (PodPeer(namespace="a"),)),
    ],
)
def test_scrapers_are_namespaces_with_labels(text: str, expected: tuple[PodPeer, ...]) -> None:
    """By comma; one that is named twice counts once."""
    assert expected == scrapers(text)


@pytest.mark.parametrize(
    ("text", "cidr", "port"),
    [
        ("10.1.2.3:3128", "10.1.2.3/32", 3128),
        ("10.1.0.0/16:1", "10.1.0.0/16", 1),
        ("[fd00::/64]:65535", "fd00::/64", 65535),
        ("[fd00::1]:443", "fd00::1/128", 443),
        ("0.0.0.0/0:5353", "0.0.0.0/0", 5353),
    ],
)
def test_destinations_are_addresses_with_a_port(text: str, cidr: str, port: int) -> None:
    """Single ones are ranges of one."""
    assert (Egress(peer=AddressPeer(cidr=cidr), port=port),) == egress(text)


def test_a_port_may_be_one_of_udp() -> None:
    """For DNS on another port."""
    dns = PodPeer(namespace="openshift-dns")

    assert (Egress(peer=dns, port=5353), Egress(peer=dns, port=5353, protocol="UDP")) == egress(
        "openshift-dns:5353,openshift-dns:5353/udp"
    )


def test_destinations_are_pods_with_a_port() -> None:
    """A namespace whose name is made of digits is one."""
    squid = PodPeer(namespace="proxies", labels=(("app", "squid"),))

    assert (Egress(peer=squid, port=3128), Egress(peer=PodPeer(namespace="n"), port=1)) == egress(
        "proxies/app=squid:3128,n:1"
    )


@pytest.mark.parametrize(
    "text",
    [
        "Monitoring", "a/b", "a/=b", "a/b=c&b=d", "a/b=c d", "a/", "-a", "a" * 64, "a/b/c/d=e", "a/b=" + "x" * 64,
        "*", "a;b", "a/b=c/d", "a\nb", "a/x..y/b=c", "a/x-.y/b=c", "a/.x/b=c", "a/X.y/b=c", "a/" + "x" * 254 + "/b=c", "a//b=c",
    ],
)  # fmt: skip
def test_a_bad_scraper_is_refused(text: str) -> None:
    """With words that show what to write."""
    with pytest.raises(ValueError, match="should be namespaces by comma"):
        scrapers(text)


@pytest.mark.parametrize(
    "text",
    [
        "10.1.2.3", "10.1.2.3:0", "10.1.2.3:65536", "10.1.2.3:http", "10.1.2.3/8:80", "10.1.2.300:80", "fd00::1:443",
        "fd00::/64:443", "[10.0.0.1]:443", "[x]:443", "squid:", ":3128", "proxies/app=squid", "10.1.2.3:53/sctp", "10.1.2.3:53/", "10.1.2.3:-1", "10.1.2.3:٣",
        "10.1.0.0/33:80", "[fd00::/129]:80", "a b:80", "[fe80::1%eth0]:443", "[fe80::1%1]:443", "[::ffff:10.0.0.1]:443",
        "[::ffff:0:0/96]:443", "[]:443", "[fd00::1]443", "[[fd00::1]]:443", "http://10.0.0.1:80", "10.0.0.1:80:80", "10.0.0.1/:80",
    ],
)  # fmt: skip
def test_a_bad_destination_is_refused(text: str) -> None:
    """With words that show what to write."""
    with pytest.raises(ValueError, match="should be addresses or pods by comma"):
        egress(text)


def test_there_is_a_limit() -> None:
    """A policy is read by every node."""
    with pytest.raises(ValueError, match="at most 32"):
        scrapers(",".join(f"n{number}" for number in range(MAX_ENTRIES + 1)))


def test_the_settings_name_the_variable() -> None:
    """At the start, before any policy is written."""
    with pytest.raises(BadSettings, match="NETWORK_POLICY_EGRESS: should be"):
        load(runner_image="r:1", network_policy_egress="proxy")
    with pytest.raises(BadSettings, match="NETWORK_POLICY_SCRAPERS: should be"):
        load(runner_image="r:1", network_policy_scrapers="/")


def test_policies_are_on_unless_switched_off() -> None:
    """And know where the operator is."""
    network = load(runner_image="r:1", network_policy_scrapers="m").network("ops")

    assert network is not None
    assert ("ops", (PodPeer(namespace="m"),)) == (network.operator_namespace, network.scrapers)
    assert load(runner_image="r:1", network_policies="false").network("ops") is None
