"""A session whose pod was made before there were tokens for messaging, or reading: it runs on, and gets them in its own time."""

import pytest
from unit.core.fake_cluster import FakeCluster, running
from whatsapp_operator.core.decision import CreatePod, CreateSecret

MORNING = "2026-11-23T08:00:00Z"


def older(cluster: FakeCluster, segment: str = "mounted") -> FakeCluster:
    """Make it a cluster that an operator of before has left: by its pod, Secrets and status.

    :param segment: what the mounted Secret was called, before messaging or only before reading.
    """
    mounted = cluster.pods["sales"]["spec"]["volumes"][1]["secret"]
    mounted["secretName"] = mounted["secretName"].replace("-digests-", f"-{segment}-")
    status = cluster.sessions["sales"]["status"]
    del cluster.secrets[status["tokenSecrets"].pop("reading")]
    if segment == "mounted":
        del cluster.secrets[status["tokenSecrets"].pop("messaging")], status["phoneNumberID"]
    cluster.restart_operator()
    cluster.done.clear()
    cluster.say()
    return cluster


def messaging(cluster: FakeCluster) -> str | None:
    """Return the Secret for messaging that status names; it must exist."""
    others = cluster.status().token_secrets
    name = others.messaging if others is not None else None
    assert name is None or name in cluster.secrets
    return name


def reading(cluster: FakeCluster) -> str | None:
    """Return the Secret for reading that status names; it must exist."""
    others = cluster.status().token_secrets
    name = others.reading if others is not None else None
    assert name is None or name in cluster.secrets
    return name


def replaced(cluster: FakeCluster) -> None:
    """The pod goes, and another one comes and runs."""
    cluster.delete_pod()
    cluster.gone()
    cluster.settle()
    cluster.run()
    cluster.say()
    cluster.tick(10)
    cluster.look()


def renew_runner(cluster: FakeCluster) -> None:
    """Let the operator tell the pod's runner of its new tokens, which it must want to, and look again."""
    decision = cluster.decide()
    assert decision.poll is not None
    assert decision.renew_tokens is not None
    cluster.memory.tokens_renewed["sales"] = decision.poll, decision.renew_tokens
    cluster.tick(10)
    cluster.look()


@pytest.mark.parametrize("segment", ["mounted", "hashes"])
def test_an_upgrade_leaves_it_as_it_is(segment: str) -> None:
    """No other pod, no Secret that opens nothing, no write of its status, and no word of an edit that waits."""
    cluster = older(running(), segment)
    writes, pod = cluster.status_writes, cluster.pods["sales"]["metadata"]["uid"]

    cluster.tick(60)
    cluster.say()
    cluster.resync()

    assert ([], writes, pod) == (cluster.done, cluster.status_writes, cluster.pods["sales"]["metadata"]["uid"])
    assert (segment == "hashes", None) == (messaging(cluster) is not None, reading(cluster))
    assert "before the last edit" not in cluster.condition("PodReady").message


@pytest.mark.parametrize("segment", ["mounted", "hashes"])
def test_its_next_pod_brings_them(segment: str) -> None:
    """With a Secret of hashes that knows them: the old one stays as it is. The other tokens are the same ones."""
    cluster = older(running(), segment)
    before = cluster.status().token_secrets

    replaced(cluster)

    after = cluster.status().token_secrets
    assert before is not None
    assert after is not None
    assert (before.linking, before.administering) == (after.linking, after.administering)
    assert messaging(cluster) is not None
    assert reading(cluster) is not None
    assert "-digests-" in cluster.pods["sales"]["spec"]["volumes"][1]["secret"]["secretName"]


def test_a_renewal_brings_them_to_the_running_pod() -> None:
    """Its runner is told of all tokens; status names them then, and the next operator leaves it at that."""
    cluster = older(running())
    pod = cluster.pods["sales"]["metadata"]["uid"]
    cluster.annotate(renew_tokens_at=MORNING)
    cluster.look()
    assert (None, 5) == (messaging(cluster), sum(isinstance(action, CreateSecret) for action in cluster.done))
    renew_runner(cluster)
    named = messaging(cluster)
    cluster.restart_operator()
    cluster.done.clear()
    cluster.say()
    cluster.resync()

    assert named is not None
    assert reading(cluster) is not None
    assert ([], named, pod) == (cluster.done, messaging(cluster), cluster.pods["sales"]["metadata"]["uid"])


def test_one_that_was_renewed_before_keeps_the_names_that_it_has() -> None:
    """They are not those that its pod was made with."""
    cluster = running()
    cluster.annotate(renew_tokens_at=MORNING)
    cluster.look()
    renew_runner(cluster)
    older(cluster)
    before = cluster.sessions["sales"]["status"]

    cluster.resync()

    assert ([], before) == (cluster.done, cluster.sessions["sales"]["status"])


def test_what_an_older_operator_left_undone_is_done() -> None:
    """Without those for messaging and reading, which this pod does not know."""
    cluster = older(running())
    missing = cluster.sessions["sales"]["status"]["tokenSecrets"].pop("administering")
    del cluster.secrets[missing]
    cluster.tick(10)
    cluster.say()

    cluster.look()

    others = cluster.status().token_secrets
    assert others is not None
    assert (missing, None, None) == (others.administering, others.messaging, others.reading)
    assert missing in cluster.secrets
    assert not [action for action in cluster.done if isinstance(action, CreatePod)]
