"""Names and places of an instance, and the link nobody else uses."""

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from local_cluster.full.instance import LINK_RANGES, Instance, Link, check_name, choose_link
from session_devtools.errors import ConflictError, MachineError

LINK = Link(network="10.245.0.0/30", host="10.245.0.1", node="10.245.0.2")
INSTANCE = Instance(name="demo", link=LINK, state_root=Path("/state"), run_root=Path("/run/x"))
LINKS = [network for candidates in LINK_RANGES for network in candidates.subnets(new_prefix=30)]


@pytest.mark.parametrize("name", ["demo", "e2e", "a", "t-1234ab", "abcdefghijk"])
def test_a_usable_name_is_taken(name: str) -> None:
    """Letters, digits and hyphens."""
    assert name == check_name(name)


@pytest.mark.parametrize("name", ["", "Demo", "1st", "-x", "x-", "a_b", "a.b", "../x", "abcdefghijkl", "a\n"])
def test_a_name_that_the_kernel_or_a_path_would_not_take_is_refused(name: str) -> None:
    """The message says what a name looks like."""
    with pytest.raises(MachineError, match="at most 11 lower-case letters"):
        check_name(name)


def test_the_longest_name_still_fits_a_link() -> None:
    """The kernel's limit is 15 characters."""
    longest = Instance(name="abcdefghijk", link=LINK)

    assert len(longest.label) == 15


def test_everything_of_an_instance_is_below_two_folders() -> None:
    """So `down` knows what to remove."""
    places = [INSTANCE.logs, INSTANCE.volumes, INSTANCE.kubeconfig, INSTANCE.plane.folder, *INSTANCE.hidden.values()]

    assert [
        place for place in places if not place.is_relative_to("/state/demo") and not place.is_relative_to("/run/x/demo")
    ] == []


def test_containerds_socket_is_where_it_puts_it_seen_from_outside() -> None:
    """Inside it is the usual /run/containerd/containerd.sock; a socket's path has at most 107 bytes."""
    inside = INSTANCE.hidden[Path("/run")] / "containerd" / "containerd.sock"
    longest = Instance(name="abcdefghijk", link=LINK).containerd_socket

    assert inside == INSTANCE.containerd_socket
    assert len(str(longest)) <= 107


def test_the_api_server_trusts_and_is_trusted_on_the_node_only() -> None:
    """It has a certificate for the kubelet, checks the kubelet's, and restricts what a node may write."""
    given_flags = INSTANCE.plane.api_server()

    assert "--authorization-mode=Node,RBAC" in given_flags
    assert "--enable-admission-plugins=NodeRestriction" in given_flags
    assert "--kubelet-certificate-authority=/state/demo/control-plane/pki/ca.crt" in given_flags
    assert (
        "--kubelet-client-certificate=/state/demo/control-plane/pki/kubelet-clients/apiserver-kubelet-client.crt"
        in given_flags
    )
    assert "--advertise-address=10.245.0.2" in given_flags


def test_the_first_link_is_the_first_network() -> None:
    """The host has the lower address."""
    assert choose_link(in_use=[]) == LINK


@given(st.lists(st.sampled_from(LINKS), max_size=20))
def test_a_link_overlaps_nothing_in_use(used: list[ipaddress.IPv4Network]) -> None:
    """Whatever other instances and the host's routes have taken."""
    link = choose_link(in_use=map(str, used))

    assert not any(ipaddress.IPv4Network(link.network).overlaps(network) for network in used)
    assert {link.host, link.node} == {str(host) for host in ipaddress.IPv4Network(link.network).hosts()}


@pytest.mark.parametrize(
    ("in_use", "expected"),
    [
        (["10.0.0.0/8"], "172.31.245.0/30"),
        (["10.245.0.7"], "10.245.0.0/30"),
        (["10.245.0.1"], "10.245.0.4/30"),
        (["10.0.0.0/8", "172.16.0.0/12"], "192.168.245.0/30"),
    ],
)
def test_a_hosts_own_networks_are_avoided(in_use: list[str], expected: str) -> None:
    """A company's 10/8, a bridge's range, a single address."""
    assert choose_link(in_use=in_use).network == expected


def test_a_machine_without_a_free_network_is_reported() -> None:
    """The message names what frees one."""
    with pytest.raises(ConflictError, match="make demo-down"):
        choose_link(in_use=["0.0.0.0/0"])
