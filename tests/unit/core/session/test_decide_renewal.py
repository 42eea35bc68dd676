"""Renewing the tokens of a session: Secrets first, then its runner is told, then status names them."""

from dataclasses import replace

from unit.core.fake_cluster import DEFAULTS, FakeCluster, running
from whatsapp_operator.core.decision import CreateSecret
from whatsapp_operator.core.model import KeyID, Rejection, TokenSource

MORNING, NOON = "2026-11-23T08:00:00Z", "2026-11-23T12:00:00Z"


def secrets(cluster: FakeCluster) -> list[str]:
    """Return the names of the Secrets that status names."""
    status = cluster.status()
    others = status.token_secrets
    assert others is not None
    return [str(name) for name in (status.token_secret_name, *others.to_dict().values())]


def renewed(at: str = MORNING) -> FakeCluster:
    """Return a running session whose tokens were renewed, all of it in status."""
    cluster = running()
    cluster.annotate(renew_tokens_at=at)
    finish(cluster)
    return cluster


def renew_runner(cluster: FakeCluster) -> TokenSource:
    """Let the operator tell the pod's runner of its new tokens, which it must want to."""
    decision = cluster.decide()
    assert decision.poll is not None
    assert decision.renew_tokens is not None
    cluster.memory.tokens_renewed["sales"] = decision.poll, decision.renew_tokens
    return decision.renew_tokens


def finish(cluster: FakeCluster) -> None:
    """Carry a renewal out."""
    cluster.look()
    renew_runner(cluster)
    cluster.tick(10)
    cluster.look()


def recreate(cluster: FakeCluster) -> None:
    """The pod is lost and comes again."""
    cluster.delete_pod()
    cluster.look()
    cluster.gone()
    cluster.settle()
    cluster.tick(10)
    cluster.run()
    cluster.settle()
    cluster.tick(10)
    cluster.look()


def test_a_session_that_nobody_renews_says_nothing_of_it() -> None:
    """No condition, no field."""
    cluster = running()

    assert cluster.status().handled_requests.renew_tokens_at is None
    assert "TokensRenewed" not in {condition.type for condition in cluster.status().conditions}
    assert cluster.decide().renew_tokens is None


def test_secrets_come_before_the_runner_is_reported() -> None:
    """Else its clients would be shut out of it. The pod stays, and so does the Secret that it mounts."""
    cluster = running()
    pod, before = cluster.pods["sales"]["metadata"]["uid"], secrets(cluster)
    cluster.annotate(renew_tokens_at=MORNING)

    first = cluster.decide()
    cluster.look()
    second = cluster.decide()

    assert [CreateSecret] * 5 == [type(action) for action in first.actions]
    assert first.renew_tokens is None
    assert TokenSource(key_id=KeyID("key-1"), renewal=MORNING) == second.renew_tokens
    assert ((), before, pod) == (second.actions, secrets(cluster), cluster.pods["sales"]["metadata"]["uid"])
    assert ("False", "TokensRenewing") == cluster.says("TokensRenewed")


def test_status_names_them_when_the_runner_takes_them() -> None:
    """Names that nobody had before; the request is handled, and nothing is left to do."""
    cluster = running()
    before = secrets(cluster)
    cluster.annotate(renew_tokens_at=MORNING)
    finish(cluster)

    assert set(secrets(cluster)) <= set(cluster.secrets)
    assert not set(before) & set(secrets(cluster))
    assert MORNING == cluster.status().handled_requests.renew_tokens_at
    assert ("True", "TokensRenewed") == cluster.says("TokensRenewed")
    assert ["RequestHandled"] == [event.reason for event in cluster.events if "renew-tokens-at" in event.message]
    assert ((), None) == (cluster.decide().actions, cluster.decide().renew_tokens)


def test_a_renewal_is_no_edit_that_waits_for_the_next_pod() -> None:
    """The running pod is as good as a new one."""
    cluster = renewed()

    assert "before the last edit" not in cluster.condition("PodReady").message


def test_an_operator_that_starts_anew_has_nothing_to_do() -> None:
    """Status tells that it is done, also under another key."""
    cluster = renewed()
    before = secrets(cluster)
    cluster.restart_operator()
    cluster.defaults = replace(DEFAULTS, key_id=KeyID("key-2"))
    cluster.say()
    cluster.look()

    assert ((), None) == (cluster.decide().actions, cluster.decide().renew_tokens)
    assert before == secrets(cluster)


def test_one_that_ended_on_the_way_does_it_again() -> None:
    """It cannot know whether the runner was told; to be told twice changes nothing there."""
    cluster = running()
    cluster.annotate(renew_tokens_at=MORNING)
    cluster.look()
    first = renew_runner(cluster)
    cluster.restart_operator()
    cluster.say()
    cluster.look()

    assert first == renew_runner(cluster)


def test_the_next_pod_takes_the_renewed_tokens() -> None:
    """It mounts their hashes, and the names in status stay."""
    cluster = renewed()
    before, old = secrets(cluster), cluster.pods["sales"]
    recreate(cluster)
    pod = cluster.pods["sales"]

    assert old["metadata"]["uid"] != pod["metadata"]["uid"]
    assert MORNING == pod["metadata"]["annotations"]["wasession.dev/renew-tokens-at"]
    assert old["spec"]["volumes"][1] != pod["spec"]["volumes"][1]
    assert before == secrets(cluster)
    assert ("True", "TokensRenewed") == cluster.says("TokensRenewed")


def test_the_annotation_can_go_when_it_is_done() -> None:
    """Status remembers: the old tokens do not come back, not with the next pod either."""
    cluster = renewed()
    before = secrets(cluster)
    del cluster.sessions["sales"]["metadata"]["annotations"]["wasession.dev/renew-tokens-at"]
    cluster.look()
    recreate(cluster)

    assert before == secrets(cluster)
    assert cluster.decide().renew_tokens is None


def test_a_lost_status_brings_no_old_tokens_back() -> None:
    """The annotation tells the renewal; the runner is told again, because nobody knows what it takes."""
    cluster = renewed()
    before = secrets(cluster)
    cluster.sessions["sales"]["status"] = {}
    cluster.restart_operator()
    cluster.say()
    finish(cluster)

    assert before == secrets(cluster)


def test_status_and_annotation_lost_leave_what_the_pod_was_made_with() -> None:
    """Nothing goes back to before that."""
    cluster = renewed()
    recreate(cluster)
    before = secrets(cluster)
    cluster.sessions["sales"]["status"] = {}
    cluster.sessions["sales"]["metadata"]["annotations"] = {}
    cluster.restart_operator()
    cluster.say()
    cluster.settle()
    cluster.tick(10)
    cluster.look()

    assert before == secrets(cluster)
    assert cluster.decide().renew_tokens is None


def test_each_renewal_has_its_own() -> None:
    """One after the other."""
    cluster = renewed()
    before = secrets(cluster)
    cluster.annotate(renew_tokens_at=NOON)
    finish(cluster)

    assert not set(before) & set(secrets(cluster))
    assert NOON == cluster.status().handled_requests.renew_tokens_at


def test_the_first_value_again_is_a_renewal_too() -> None:
    """Nobody should do it, but then status names what the runner takes: under the key of now."""
    cluster = renewed()
    recreate(cluster)
    first = secrets(cluster)
    cluster.annotate(renew_tokens_at=NOON)
    finish(cluster)
    cluster.defaults = replace(DEFAULTS, key_id=KeyID("key-2"))
    cluster.annotate(renew_tokens_at=MORNING)
    finish(cluster)
    again = secrets(cluster)
    cluster.restart_operator()
    cluster.say()
    cluster.tick(10)
    cluster.look()

    assert not set(first) & set(again)
    assert again == secrets(cluster)


def test_a_status_of_an_older_operator_is_made_whole() -> None:
    """It named the mounted Secret for everything, and knew of no others."""
    cluster = running()
    before = secrets(cluster)
    status = cluster.sessions["sales"]["status"]
    del status["tokenSecrets"]
    status["tokenSecretName"] = cluster.pods["sales"]["spec"]["volumes"][1]["secret"]["secretName"]
    cluster.tick(10)
    cluster.look()

    assert before == secrets(cluster)


def test_a_renewal_takes_the_current_key() -> None:
    """After a rotation it is the way to have tokens of the new key without another pod."""
    cluster = running()
    cluster.defaults = replace(DEFAULTS, key_id=KeyID("key-2"))
    cluster.annotate(renew_tokens_at=MORNING)
    cluster.look()

    assert TokenSource(key_id=KeyID("key-2"), renewal=MORNING) == renew_runner(cluster)


def test_without_a_pod_it_waits_for_the_next_one() -> None:
    """A suspended session has no runner to tell."""
    cluster = running()
    cluster.apply(spec={"operatingMode": "Suspended"})
    cluster.look()
    cluster.gone()
    cluster.look()
    cluster.annotate(renew_tokens_at=MORNING)
    cluster.tick(10)
    cluster.look()
    waits = cluster.says("TokensRenewed")
    cluster.apply(spec={})
    cluster.settle()
    cluster.run()
    cluster.say()
    cluster.tick(10)
    cluster.look()

    assert ("False", "NoPod") == waits
    assert ("True", "TokensRenewed") == cluster.says("TokensRenewed")
    assert MORNING == cluster.status().handled_requests.renew_tokens_at


def test_a_pod_with_plain_tokens_is_renewed_with_the_next_one() -> None:
    """An earlier operator made it: it stays, its one Secret is named, and the condition says what to do."""
    cluster = running()
    pod = cluster.pods["sales"]
    del pod["metadata"]["annotations"]["wasession.dev/renew-tokens-at"]
    pod["spec"]["volumes"][1]["secret"]["secretName"] = "was-session-1-a0c45cfc"
    cluster.annotate(renew_tokens_at=MORNING)
    cluster.tick(10)
    decision = cluster.look()
    status = cluster.status()

    assert ((), None) == (decision.actions, decision.renew_tokens)
    assert ("was-session-1-a0c45cfc", None) == (status.token_secret_name, status.token_secrets)
    assert ("False", "RunnerOutdated") == cluster.says("TokensRenewed")
    assert "restart-at" in cluster.condition("TokensRenewed").message


def test_secrets_that_are_refused_are_reported_and_tried_again() -> None:
    """The old tokens stay, and the session runs on."""
    cluster = running()
    cluster.annotate(renew_tokens_at=MORNING)
    cluster.refuse = {CreateSecret}
    cluster.look_once()
    cluster.tick(10)
    cluster.look()
    waits = cluster.decide()
    renewed = cluster.says("TokensRenewed")
    cluster.refuse = set()
    cluster.tick(30)
    cluster.say()
    finish(cluster)

    assert ((), None) == (waits.actions, waits.renew_tokens)
    assert waits.requeue_at is not None
    assert ("False", "Forbidden") == renewed
    assert ("True", "TokensRenewed") == cluster.says("TokensRenewed")


def test_a_long_value_counts_by_its_beginning_and_a_hash() -> None:
    """As for the other requests: two long ones are two renewals, and neither fills status."""
    first, second = (
        renewed("x" * 1000 + end).status().handled_requests.renew_tokens_at or "" for end in ("morning", "noon")
    )

    assert [256, 256] == [len(first), len(second)]
    assert first.startswith("x" * 200)
    assert first != second


def test_an_outdated_runner_is_named() -> None:
    """Its image is of an earlier release: the condition says what to do, and its pod is left alone."""
    cluster = running()
    cluster.annotate(renew_tokens_at=MORNING)
    cluster.memory.rejection = Rejection.UNSIGNED
    cluster.tick(60)
    cluster.look()

    assert ("Unknown", "RunnerUnreachable") == cluster.says("Ready")
    assert "not signed" in cluster.condition("Ready").message
    assert ("False", "RunnerOutdated") == cluster.says("TokensRenewed")
