"""The command lines of the control plane: who is let in, and where things listen."""

import dataclasses
import json
from pathlib import Path

import pytest
from local_cluster.control_plane import ControlPlane, audit_policy, flags

PLANE = ControlPlane(
    folder=Path("/state"),
    bind="0.0.0.0",
    advertise="10.0.0.1",
    api_port=6443,
    etcd_port=2379,
    etcd_peer_port=2380,
    authorizers=("Node", "RBAC"),
)


def test_options_keep_their_order_and_kind() -> None:
    """Numbers and paths need no quoting by the caller."""
    assert flags({"b": 1, "a": Path("/x"), "c": "y"}) == ["--b=1", "--a=/x", "--c=y"]


def test_etcd_listens_on_loopback_and_wants_certificates() -> None:
    """Clients and peers both: nobody else on the machine reads the cluster's Secrets."""
    given = PLANE.etcd()

    assert "--listen-client-urls=https://127.0.0.1:2379" in given
    assert "--listen-peer-urls=https://127.0.0.1:2380" in given
    assert "--client-cert-auth=true" in given
    assert "--peer-client-cert-auth=true" in given
    assert "--trusted-ca-file=/state/pki/etcd/ca.crt" in given


def test_the_api_server_takes_certificates_alone() -> None:
    """Nobody anonymous and no token file."""
    given = PLANE.api_server()

    assert "--anonymous-auth=false" in given
    assert "--client-ca-file=/state/pki/ca.crt" in given
    assert "--authorization-mode=Node,RBAC" in given
    assert [flag for flag in given if "token-auth-file" in flag] == []


@pytest.mark.parametrize(("service_accounts", "expected"), [(True, False), (False, True)])
def test_pods_need_an_account_only_where_somebody_makes_it(*, service_accounts: bool, expected: bool) -> None:
    """Without a controller manager the admission plugin would refuse every pod."""
    plane = dataclasses.replace(PLANE, service_accounts=service_accounts)

    assert expected == ("--disable-admission-plugins=ServiceAccount" in plane.api_server())


def test_extra_flags_win() -> None:
    """A mode can change what it must."""
    plane = dataclasses.replace(PLANE, extra_api_flags={"profiling": "true", "endpoint-reconciler-type": "none"})

    given = plane.api_server()
    assert "--profiling=true" in given
    assert "--profiling=false" not in given
    assert "--endpoint-reconciler-type=none" in given


@pytest.mark.parametrize("component", ["controller_manager", "scheduler"])
def test_the_controllers_may_be_quick(component: str) -> None:
    """Their default limits would be what a test of many sessions measures."""
    given = getattr(PLANE, component)(secure_port=10257)

    assert "--kube-api-qps=200" in given
    assert "--secure-port=10257" in given
    assert "--bind-address=127.0.0.1" in given


def test_controllers_have_rights_of_their_own() -> None:
    """As in a real cluster, where a missing right shows."""
    assert "--use-service-account-credentials=true" in PLANE.controller_manager(secure_port=0)


def test_the_audit_log_holds_no_bodies() -> None:
    """One line per request with user and program, and no Secret in it."""
    policy = json.loads(audit_policy())

    assert policy["rules"] == [{"level": "Metadata"}]
    assert policy["omitStages"] == ["RequestReceived"]
