"""Which cluster the current context is, and what is too old, unreachable or not allowed."""

from pathlib import Path

import pytest
from session_demo import kube_context
from session_demo.errors import DemoError
from session_demo.kube_context import Minors
from session_devtools.errors import CommandError
from support.fake_kubectl import Cluster, kubectl


def test_a_context_is_shown_with_its_server_and_version() -> None:
    """So that a person sees in one line whether it is the right one."""
    found = kube_context.of(kubectl(Cluster(context="blue")))

    assert "context blue (https://203.0.113.7:6443, Kubernetes v1.35.4)" == str(found)


def test_every_later_command_names_the_context() -> None:
    """Whoever switches contexts meanwhile does not switch the demo's cluster."""
    found = kube_context.of(kubectl(Cluster(context="blue")))

    assert ("--context=blue",) == found.kubectl.flags


def test_no_context_says_how_to_choose_one() -> None:
    """As in a new shell without a kubeconfig."""
    cluster = Cluster(
        answers={("config", "current-context"): CommandError(["kubectl"], 1, "error: current-context is not set")}
    )

    with pytest.raises(DemoError, match=r"kubectl config use-context NAME.*KUBECONFIG"):
        kube_context.of(kubectl(cluster))


def test_a_cluster_that_does_not_answer_is_named() -> None:
    """With its address, and kubectl's own words."""
    cluster = Cluster(answers={("version",): CommandError(["kubectl", "version"], 1, "connection refused")})

    with pytest.raises(DemoError) as caught:
        kube_context.of(kubectl(cluster))

    output = "`kubectl version` ended with status 1: connection refused"
    assert f"the cluster of context blue (https://203.0.113.7:6443) does not answer: {output}" == str(caught.value)


def test_asking_for_the_version_does_not_wait_for_ever() -> None:
    """A cluster behind a closed tunnel answers nothing at all."""
    cluster = Cluster()

    kube_context.of(kubectl(cluster))

    (asked,) = cluster.commands_of("version")
    assert "--request-timeout=10s" in asked


def test_an_old_cluster_is_refused() -> None:
    """Its API server would not take the CRDs."""
    cluster = Cluster(version={"minor": "29", "gitVersion": "v1.29.1"})

    with pytest.raises(DemoError, match=r"Kubernetes v1\.29\.1\): the demo needs Kubernetes 1\.31 or newer"):
        kube_context.of(kubectl(cluster))


def test_a_context_without_a_cluster_has_no_address() -> None:
    """A damaged kubeconfig is told, not raised about."""
    cluster = Cluster(answers={("config", "view"): '{"clusters": null}'})

    assert "no address" == kube_context.of(kubectl(cluster)).server


@pytest.mark.parametrize(("minor", "expected"), [("35", 35), ("32+", 32), ("", 0)])
def test_minor_versions_are_read_as_clouds_write_them(minor: str, expected: int) -> None:
    """With a plus sign behind; an absent one is older than all."""
    versions = {"clientVersion": {"minor": minor}, "serverVersion": {"minor": minor}}

    assert Minors(client=expected, server=expected) == kube_context.minors(versions)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Minors(client=25, server=31), ""),
        (Minors(client=24, server=31), "your kubectl is 1.24; the demo needs 1.25 or newer"),
        (Minors(client=25, server=30), "the demo needs Kubernetes 1.31 or newer"),
        (Minors(client=1, server=1), "the demo needs Kubernetes 1.31 or newer"),
    ],
)
def test_the_limits_are_what_was_tried_or_is_needed(found: Minors, expected: str) -> None:
    """The first thing that has to change is named."""
    assert expected == kube_context.too_old(found)


def test_all_rights_are_there() -> None:
    """Each kind that the demo makes is asked about."""
    cluster = Cluster()

    assert [] == kube_context.missing_rights(kubectl(cluster))
    assert list(kube_context.REQUIRED_RIGHTS) == [arguments[-1] for arguments in cluster.commands_of("auth")]


def test_each_missing_right_is_named() -> None:
    """With what kubectl says, which may also be that the question failed."""
    denied = ("auth", "can-i", "create", "namespaces")
    cluster = Cluster(answers={denied: CommandError(["kubectl", *denied], 1, "no\n")})

    output = "`kubectl auth can-i create namespaces` ended with status 1: no"
    assert [f"you may not create namespaces ({output})"] == kube_context.missing_rights(kubectl(cluster))


def test_without_kubectl_there_is_no_current_context(tmp_path: Path) -> None:
    """The demo reaches a cluster of somebody else's by their kubectl alone."""
    with pytest.raises(DemoError, match="kubectl is not on the PATH"):
        kube_context.current(search_path=str(tmp_path))
