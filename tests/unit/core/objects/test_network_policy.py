"""The NetworkPolicy of a namespace: who comes in, where runners may go, and when it is changed."""

import copy
import ipaddress
import random
from collections.abc import Iterator
from typing import Any

import pytest
from support.merge_patch import merged
from whatsapp_operator.api.session import ObjectMeta, WhatsAppSession
from whatsapp_operator.core.decision import CreateNetworkPolicy, PatchNetworkPolicy
from whatsapp_operator.core.model import Defaults, KeyID, NetworkPolicyFacts
from whatsapp_operator.core.network import AddressPeer, Egress, PodPeer, RunnerNetwork
from whatsapp_operator.core.objects.network_policy import network_policy_manifest, policy_actions
from whatsapp_operator.core.objects.pod import pod_manifest
from whatsapp_operator.core.writes.merge_patch import merge_patch

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NETWORK = RunnerNetwork(operator_namespace="ops")
DEFAULTS = Defaults(runner_image="r:1", key_id=KeyID("k"), network=NETWORK)


def spec(**settings: Any) -> dict[str, Any]:
    """Return the spec of the policy with these settings."""
    found: dict[str, Any] = network_policy_manifest("shop", RunnerNetwork(operator_namespace="ops", **settings))["spec"]
    return found


def blocks() -> list[tuple[Any, list[Any]]]:
    """Return the ranges that are open on port 443, each with its exceptions."""
    (rule,) = [rule for rule in spec()["egress"] if rule["ports"] == [{"port": 443, "protocol": "TCP"}]]
    found = [peer["ipBlock"] for peer in rule["to"]]
    return [
        (ipaddress.ip_network(block["cidr"]), [ipaddress.ip_network(cidr) for cidr in block["except"]])
        for block in found
    ]


BLOCKS = blocks()


def is_open(address: Address) -> bool:
    """Whether a runner may connect to port 443 of an address."""
    return any(address in block and not any(address in cidr for cidr in excepted) for block, excepted in BLOCKS)


PRIVATE = [
    "0.0.0.0", "10.0.0.1", "10.96.0.1", "10.244.1.7", "100.64.0.1", "100.100.100.200", "127.0.0.1", "169.254.169.254",
    "169.254.20.10", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
    "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd00::1",
    "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "ff0e::1", "4000::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "9.255.255.255", "11.0.0.0", "31.13.64.51", "100.63.255.255", "100.128.0.0", "157.240.0.60", "172.15.0.1",
    "172.32.0.1", "192.167.0.1", "192.169.0.1", "198.17.0.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111",
    "2a03:2880:f200::60", "2001:4860:4860::8888", "64:ff9b::157.240.0.60",
]  # fmt: skip


@pytest.mark.parametrize("text", PRIVATE)
def test_what_is_not_public_is_closed(text: str) -> None:
    """Pods, Services, nodes, clouds' metadata, neighbours, and the tunnels to them."""
    assert not is_open(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_what_is_public_is_open(text: str) -> None:
    """The page's hosts, and the addresses beside the ranges that are closed."""
    assert is_open(ipaddress.ip_address(text))


def sample() -> Iterator[Address]:
    """Yield addresses from everywhere: at random, and the first and last ones of all special ranges."""
    chance = random.Random(4)
    for _ in range(20_000):
        yield ipaddress.IPv4Address(chance.getrandbits(32))
        yield ipaddress.IPv6Address(chance.getrandbits(128))
        yield ipaddress.IPv6Address((0x2 << 124) | chance.getrandbits(125))
    for _, excepted in BLOCKS:
        for cidr in excepted:
            yield from (cidr[0], cidr[-1])


def test_nothing_open_is_anything_but_global() -> None:
    """Compared with the standard library's own knowledge of special ranges, over 60,000 addresses."""
    wrong = [address for address in sample() if is_open(address) and (not address.is_global or address.is_multicast)]

    assert [] == wrong


CLOSED_ON_PURPOSE = ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20")


def test_nearly_all_that_is_global_is_open() -> None:
    """Closed by us and global to the library: protocol assignments, relays and tunnels, and unassigned space."""
    closed = [
        address for address in sample() if address.is_global and not address.is_multicast and not is_open(address)
    ]
    allowed = [ipaddress.ip_network(cidr) for cidr in CLOSED_ON_PURPOSE]
    assigned = ipaddress.ip_network("2000::/3")

    assert [] == [
        address
        for address in closed
        if not any(address in network for network in allowed) and (address.version == 4 or address in assigned)
    ]


def test_each_exception_lies_within_its_range_and_begins_with_its_first_address() -> None:
    """Else the API server rejects the policy."""
    for block, excepted in BLOCKS:
        assert all(cidr.subnet_of(block) and cidr != block for cidr in excepted)


def test_it_selects_the_runners() -> None:
    """By labels that every session's pod has, and limits both directions."""
    session = WhatsAppSession(metadata=ObjectMeta(name="sales", namespace="shop", uid="u"))
    labels = pod_manifest(session, DEFAULTS)["metadata"]["labels"]

    assert spec()["podSelector"]["matchLabels"].items() <= labels.items()
    assert {"Ingress", "Egress"} == set(spec()["policyTypes"])


def test_in_come_the_operator_clients_and_scrapers() -> None:
    """To the runner's port alone; a client is of the same namespace."""
    scraper = PodPeer(namespace="monitoring", labels=(("app.kubernetes.io/name", "prometheus"),))
    (rule,) = spec(scrapers=(scraper, PodPeer(namespace="metrics")))["ingress"]
    operator, client, labelled, prometheus, everybody = rule["from"]

    assert [{"port": 8080, "protocol": "TCP"}] == rule["ports"]
    assert {"kubernetes.io/metadata.name": "ops"} == operator["namespaceSelector"]["matchLabels"]
    assert {"app.kubernetes.io/name": "whatsapp-session-operator", "app.kubernetes.io/component": "operator"} == (
        operator["podSelector"]["matchLabels"]
    )
    assert {"podSelector": {"matchLabels": {"wasession.dev/client": "true"}}} == client
    assert {"namespaceSelector": {"matchLabels": {"wasession.dev/scrapes-metrics": "true"}}} == labelled
    assert {"kubernetes.io/metadata.name": "monitoring"} == prometheus["namespaceSelector"]["matchLabels"]
    assert {"app.kubernetes.io/name": "prometheus"} == prometheus["podSelector"]["matchLabels"]
    assert {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "metrics"}}} == everybody


def test_names_are_asked_for_anywhere() -> None:
    """On port 53, over both protocols; a node's cache has an address that nobody knows here."""
    assert {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]} == spec()["egress"][0]


def test_settings_add_destinations() -> None:
    """A proxy by its address, and one by its pods."""
    squid = PodPeer(namespace="proxies", labels=(("app", "squid"),))
    more = spec(egress=(Egress(peer=AddressPeer(cidr="10.1.2.3/32"), port=3128), Egress(peer=squid, port=3129)))[
        "egress"
    ]

    assert 4 == len(more)
    assert {"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [{"port": 3128, "protocol": "TCP"}]} == more[2]
    assert {"to": [squid.manifest()], "ports": [{"port": 3129, "protocol": "TCP"}]} == more[3]


# --- when it is made and changed ------------------------------------------------------------------------------------


def facts(spec: dict[str, Any], *, ours: bool = True) -> NetworkPolicyFacts:
    """Return a policy as it was read."""
    return NetworkPolicyFacts(ours=ours, spec=spec, resource_version="7")


def test_a_missing_one_is_made() -> None:
    """In its namespace, with our labels and without an owner."""
    (action,) = policy_actions(None, namespace="shop", defaults=DEFAULTS)

    assert isinstance(action, CreateNetworkPolicy)
    metadata = action.manifest["metadata"]
    assert ("whatsapp-session-runners", "shop") == (metadata["name"], metadata["namespace"])
    assert "whatsapp-session-operator" == metadata["labels"]["app.kubernetes.io/managed-by"]
    assert "ownerReferences" not in metadata


def test_one_that_is_as_it_should_be_is_left() -> None:
    """Nothing is written at rest."""
    assert () == policy_actions(facts(copy.deepcopy(spec())), namespace="shop", defaults=DEFAULTS)


@pytest.mark.parametrize(
    "change",
    [
        {"egress": [{}]},
        {"ingress": []},
        {"policyTypes": ["Ingress"]},
        {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "whatsapp-session", "nobody": "has"}}},
        {"podSelector": {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "x", "operator": "Exists"}]}},
        {"egress": None},
    ],
)
def test_one_that_somebody_changed_is_put_back(change: dict[str, Any]) -> None:
    """Whole, whatever was added, taken away or replaced; only if nobody changed it again meanwhile."""
    changed = {name: value for name, value in (spec() | change).items() if value is not None}
    (action,) = policy_actions(facts(changed), namespace="shop", defaults=DEFAULTS)

    assert isinstance(action, PatchNetworkPolicy)
    assert {"resourceVersion": "7"} == action.patch["metadata"]
    repaired = merged(changed, action.patch["spec"])
    assert spec() == repaired
    assert {} == merge_patch(repaired, repaired)


def test_new_settings_reach_the_policies_that_are_there() -> None:
    """As a patch of the lists alone."""
    network = RunnerNetwork(operator_namespace="ops", egress=(Egress(peer=AddressPeer(cidr="10.1.2.3/32"), port=3128),))
    defaults = Defaults(runner_image="r:1", network=network)
    (action,) = policy_actions(facts(spec()), namespace="shop", defaults=defaults)

    assert isinstance(action, PatchNetworkPolicy)
    assert {"egress"} == action.patch["spec"].keys()


def test_a_foreign_one_is_left_alone() -> None:
    """Whatever it says."""
    assert () == policy_actions(facts({}, ours=False), namespace="shop", defaults=DEFAULTS)


def test_none_is_made_where_policies_are_switched_off() -> None:
    """By the setting."""
    assert () == policy_actions(None, namespace="shop", defaults=Defaults(runner_image="r:1"))
