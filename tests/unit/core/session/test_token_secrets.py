"""The Secrets with tokens: made after the pod, named in status once they exist, made again for each pod."""

import contextlib
from dataclasses import replace

import pytest
from unit.core.fake_cluster import DEFAULTS, Crash, FakeCluster, running
from whatsapp_operator.core.decision import CreatePod, CreateSecret
from whatsapp_operator.core.model import KeyID


def named(cluster: FakeCluster) -> set[str]:
    """Return the Secrets with tokens that status names."""
    status = cluster.status()
    others = status.token_secrets.to_dict().values() if status.token_secrets is not None else ()
    return {str(name) for name in (status.token_secret_name, *others) if name is not None}


def purposes(cluster: FakeCluster) -> list[str]:
    """Return what the Secrets are for that were made, in order."""
    return [str(action.purpose) for action in cluster.done if isinstance(action, CreateSecret)]


def with_pod() -> FakeCluster:
    """Return a cluster whose operator has just made the pod, and nothing after it."""
    cluster = FakeCluster()
    cluster.set_quota()
    cluster.apply()
    cluster.look()
    cluster.admission_round()
    while not cluster.pods:
        cluster.look_once()
    return cluster


def replaced(cluster: FakeCluster) -> None:
    """The pod goes, and another one comes and runs."""
    cluster.delete_pod()
    cluster.gone()
    cluster.settle()
    cluster.tick(10)
    cluster.look()


def test_the_pod_waits_for_none_of_them() -> None:
    """They are made while it is scheduled, before anything of it is written."""
    cluster = with_pod()
    writes = cluster.status_writes

    cluster.look_once()

    assert ["None", "observing", "linking", "messaging", "reading", "administering"] == purposes(cluster)
    assert ("Pending", writes) == (cluster.pods["sales"]["status"]["phase"], cluster.status_writes)


@pytest.mark.parametrize("requests", range(6))
def test_the_next_operator_makes_what_is_missing(requests: int) -> None:
    """The last one ended after the pod, or after some of the Secrets; what status names is there."""
    cluster = with_pod()
    cluster.crash_after = requests
    with pytest.raises(Crash):
        cluster.settle()
    cluster.restart_operator()
    assert named(cluster) <= set(cluster.secrets)

    cluster.settle()
    cluster.tick(10)
    cluster.look()

    assert 5 == len(named(cluster))
    assert named(cluster) <= set(cluster.secrets)
    assert 1 == sum(isinstance(action, CreatePod) for action in cluster.done)


def test_a_pod_that_was_left_without_them_gets_one_after_the_other() -> None:
    """Each is in status before the next is made, so an operator that is killed at every third request gets there."""
    cluster = with_pod()
    cluster.tick(6)
    counts = []
    for _ in range(10):
        cluster.restart_operator()
        cluster.crash_after = 2
        with contextlib.suppress(Crash):
            cluster.look()
        counts.append(len(named(cluster)))
        assert named(cluster) <= set(cluster.secrets)

    assert [1, 2, 3, 4, 5] == sorted(set(counts) - {0})
    assert counts == sorted(counts)


def test_an_operator_that_starts_anew_makes_none_again() -> None:
    """Status is the proof that they exist: ten thousand sessions are not forty thousand requests."""
    cluster = running()
    cluster.restart_operator()
    cluster.done.clear()
    cluster.say()

    cluster.resync()

    assert [] == cluster.done


def test_one_that_somebody_deleted_comes_back_with_the_next_pod() -> None:
    """Nobody notices it before: the operator may not read Secrets."""
    cluster = running()
    cluster.secrets.clear()

    replaced(cluster)

    assert named(cluster) < set(cluster.secrets)


def test_the_names_stay_over_a_new_pod() -> None:
    """They hold the same tokens, so nobody has to look for them again, not even for a moment."""
    cluster = running()
    before, seen = named(cluster), []
    cluster.delete_pod()
    cluster.gone()
    for _ in range(12):
        cluster.look_once()
        seen.append(named(cluster))
        cluster.admission_round()
        if cluster.pods and cluster.pods["sales"]["status"]["phase"] == "Pending":
            cluster.tick(6)

    assert [before] * 12 == seen
    assert cluster.pods["sales"]["metadata"]["uid"] == cluster.status().pod_uid


def test_another_keys_are_named_when_they_exist() -> None:
    """Until then nothing is: the old ones open nothing in the new pod."""
    cluster = running()
    before = named(cluster)
    cluster.defaults = replace(DEFAULTS, key_id=KeyID("key-2"))
    cluster.delete_pod()
    cluster.gone()
    cluster.admission_round()
    while not cluster.pods:
        cluster.look_once()
    cluster.refuse = {CreateSecret}
    cluster.look()
    cluster.tick(6)
    cluster.look()
    meanwhile = named(cluster)
    cluster.refuse = set()
    cluster.tick(30)
    cluster.look()

    assert set() == meanwhile
    assert 5 == len(named(cluster) - before)
    assert named(cluster) <= set(cluster.secrets)


def test_a_refusal_keeps_no_pod_from_running() -> None:
    """The runner needs none of them; it is tried again after half a minute, and not before."""
    cluster = with_pod()
    cluster.refuse = {CreateSecret}
    cluster.settle()
    cluster.say()
    cluster.tick(6)
    decision = cluster.look()
    assert ("Connected", set()) == (cluster.status().state, named(cluster))
    assert decision.requeue_at is not None

    cluster.refuse = set()
    cluster.look()
    assert set() == named(cluster)
    cluster.tick(30)
    cluster.look()
    assert 5 == len(named(cluster))


def test_a_renewal_waits_until_the_first_ones_are_named() -> None:
    """Else each would forget that the other was made, for ever."""
    cluster = with_pod()
    cluster.annotate(renew_tokens_at="2026-11-23T08:00:00Z")
    cluster.run()
    cluster.look()
    first = named(cluster)
    decision = cluster.decide()

    assert 5 == len(first)
    assert first <= set(cluster.secrets)
    assert decision.renew_tokens is not None
    assert "2026-11-23T08:00:00Z" == decision.renew_tokens.renewal


def test_a_session_that_cannot_be_read_gets_none() -> None:
    """Its spec is invalid: no action could be right."""
    cluster = with_pod()
    cluster.sessions["sales"]["spec"] = {"operatingMode": 7}
    cluster.done.clear()

    cluster.look()

    assert [] == cluster.done
