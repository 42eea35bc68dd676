"""Whose account is linked, in status: a hash that outlives pods and operators, and goes with the link."""

from typing import Any

from unit.core.fake_cluster import FakeCluster, running
from whatsapp_operator.core.model import AccountHash, KeyID

ONE, OTHER = "0123456789abcdef", "fedcba9876543210"


def say(
    cluster: FakeCluster, state: str = "Connected", digest: str | None = None, key: str = "k1", **more: Any
) -> None:
    """The runner reports, and the operator looks."""
    account = None if digest is None else AccountHash(key_id=KeyID(key), digest=digest)
    cluster.say(state, account=account, **more)
    cluster.tick(6)
    cluster.keep_answering()
    cluster.resync()


def shown(cluster: FakeCluster) -> tuple[str | None, str | None]:
    """Return hash and key in status."""
    link = cluster.status().link
    return (None, None) if link is None else (link.account_hash, link.account_key_id)


def test_the_linked_account_is_shown() -> None:
    """With the key by which it may be compared."""
    cluster = running()
    say(cluster, digest=ONE)

    assert (ONE, "k1") == shown(cluster)


def test_it_outlives_the_pod_and_the_operator() -> None:
    """The login is on the volume; a new pod that does not know yet takes nothing back."""
    cluster = running()
    say(cluster, digest=ONE)
    cluster.restart_operator()
    cluster.delete_pod()
    cluster.gone()
    cluster.resync()
    without_pod = shown(cluster)
    cluster.settle()
    say(cluster, "Loading")

    assert (ONE, "k1") == without_pod == shown(cluster)


def test_another_number_after_a_relink_is_shown() -> None:
    """And between the two nobody's."""
    cluster = running()
    say(cluster, digest=ONE)
    say(cluster, "LoggedOut")
    between = shown(cluster)
    say(cluster, "QRPending", round=1)
    say(cluster, "Connected", digest=OTHER)

    assert (None, None) == between
    assert (OTHER, "k1") == shown(cluster)


def test_another_key_makes_another_hash_that_says_so() -> None:
    """Hashes of two keys are never compared by mistake."""
    cluster = running()
    say(cluster, digest=ONE)
    say(cluster, digest=OTHER, key="k2")

    assert (OTHER, "k2") == shown(cluster)


def test_an_account_that_is_not_the_expected_one_shows() -> None:
    """The session stays linked and goes on; when the Secret is right, so is the condition."""
    cluster = running()
    say(cluster, digest=ONE, account_expected=False)
    wrong, ready = cluster.says("Linked"), cluster.says("Ready")
    say(cluster, digest=ONE, account_expected=True)

    assert (("True", "UnexpectedAccount"), ("True", "Connected")) == (wrong, ready)
    assert ("True", "Linked") == cluster.says("Linked")
    assert [("Warning", "UnexpectedAccount")] == [
        (event.type, event.reason) for event in cluster.events if event.reason == "UnexpectedAccount"
    ]
