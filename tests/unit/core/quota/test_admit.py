"""Admission rounds: who is counted, who is let in, and what the others are told."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.facts import T0
from unit.core.quota.rounds import MI, NOW, assume, foreign_pod, let_in, pod, quota, round_, session
from whatsapp_operator.api.session import (
    SessionStatus,
    WhatsAppSession,
)
from whatsapp_operator.core.model import AssumedReservation, Refusal, SessionUID
from whatsapp_operator.core.objects.pod_memory import MOST_ADDED
from whatsapp_operator.core.quota.reservations import Usage


def test_without_limits_all_are_let_in() -> None:
    """Each with a grant for its quota and its pod's memory limit."""
    result = round_(session("a"), session("b", memory=512))

    assert (
        AssumedReservation(session_uid=SessionUID("a"), quota_name="default", memory=768 * MI, reserved_at=NOW),
        AssumedReservation(session_uid=SessionUID("b"), quota_name="default", memory=512 * MI, reserved_at=NOW),
    ) == result.assumed_reservations
    assert {"default": Usage(admitted=2, waiting=0, memory=1280 * MI)} == result.usage


def test_first_come_first_served() -> None:
    """By creation time, then by UID, so that two operators would say the same."""
    sessions = [session("c", age=1), session("b", age=9), session("a", age=9), session("d", age=5)]

    assert ["a", "b", "d"] == let_in(round_(*sessions, quotas=(quota(sessions=3),)))


def test_the_sessions_limit_and_its_text() -> None:
    """The fourth of three waits, and is told why."""
    sessions = [session(name, age=9 - place) for place, name in enumerate("abcd")]

    result = round_(*sessions, quotas=(quota(sessions=3),))

    assert {
        "d": Refusal(
            reason="QuotaExceeded",
            message="Maximum concurrent sessions limit reached (3). Please terminate some sessions first.",
        )
    } == result.refusals
    assert Usage(admitted=3, waiting=1, memory=3 * 768 * MI) == result.usage["default"]


def test_the_memory_limit_and_its_text() -> None:
    """Memory is the pods' memory limits."""
    result = round_(session("a", memory=6 * 1024), session("b", memory=2049, age=1), quotas=(quota(memory="8Gi"),))

    assert ["a"] == let_in(result)
    assert "Maximum session memory limit reached (8Gi). Please terminate some sessions first." == (
        result.refusals[SessionUID("b")].message
    )


def test_the_namespace_limit_and_its_text() -> None:
    """One namespace cannot take all; another one's session is let in."""
    result = round_(
        session("a"),
        session("b", age=5),
        session("c", namespace="other", age=1),
        quotas=(quota(sessionsPerNamespace=1),),
    )

    assert ["a", "c"] == let_in(result)
    assert (
        "Maximum concurrent sessions limit reached in namespace shop (1). Please terminate some sessions first."
    ) == result.refusals[SessionUID("b")].message


def test_a_small_one_passes_a_large_one_that_waits() -> None:
    """All that fit are admitted."""
    result = round_(session("large", memory=4096), session("small", memory=512, age=1), quotas=(quota(memory="1Gi"),))

    assert ["small"] == let_in(result)


def test_a_limit_of_nothing_admits_nobody() -> None:
    """Zero is a limit, not its absence."""
    assert [] == let_in(round_(session("a"), quotas=(quota(sessions=0),)))
    assert [] == let_in(round_(session("a"), quotas=(quota(sessionsPerNamespace=0),)))


def test_a_quota_that_does_not_exist_is_reported_with_what_to_do() -> None:
    """Its own reason; sessions of other quotas are let in."""
    result = round_(session("a", quotaName="gold"), session("b"))

    assert ["b"] == let_in(result)
    refusal = result.refusals[SessionUID("a")]
    assert "QuotaNotFound" == refusal.reason
    assert "gold" in refusal.message
    assert "Create" in refusal.message


def test_a_quota_that_cannot_be_read_admits_nobody() -> None:
    """No limit is guessed in the place of one that a person wrote."""
    result = round_(session("a"), quotas=(quota(sessions="many"),))

    assert [] == let_in(result)
    assert "InvalidObject" == result.refusals[SessionUID("a")].reason
    assert "sessions" in result.refusals[SessionUID("a")].message


@pytest.mark.parametrize(
    "traces",
    [
        {"reserved": True},
        {"pod": True},
        {"grant": True},
        {"reserved": True, "pod": True},
        {"reserved": True, "grant": True},
        {"reserved": True, "pod": True, "grant": True},
    ],
)
def test_a_place_counts_once_however_many_traces_it_has(traces: dict[str, bool]) -> None:
    """Reservation, pod and grant of one session are one place."""
    holder = session("a", reserved=768 if "reserved" in traces else None)
    pods = (pod("a"),) if "pod" in traces else ()
    assumed = (assume("a"),) if "grant" in traces else ()

    result = round_(holder, session("b", age=1), pods=pods, assumed=assumed, quotas=(quota(sessions=2),))

    assert ["b"] == let_in(result)
    assert Usage(admitted=2, waiting=0, memory=2 * 768 * MI) == result.usage["default"]


def test_the_largest_memory_of_the_traces_counts() -> None:
    """A pod that was made larger than what status says, a reservation that was made larger."""
    larger_pod = round_(session("a", reserved=768), pods=(pod("a", memory=900),))
    larger_place = round_(session("a", reserved=1000), pods=(pod("a"),))

    assert (900 * MI, 1000 * MI) == (larger_pod.usage["default"].memory, larger_place.usage["default"].memory)


@pytest.mark.parametrize("phase", ["Pending", "Running", "Failed", "Succeeded"])
def test_a_pod_counts_until_its_object_is_gone(phase: str) -> None:
    """Ended or not; also when its session is deleted already."""
    result = round_(session("b"), pods=(pod("gone", phase=phase),), quotas=(quota(sessions=1),))

    assert [] == let_in(result)
    assert 1 == result.usage["default"].admitted


@pytest.mark.parametrize("owner", [False, True])
@pytest.mark.parametrize("namespace", ["shop", "elsewhere"])
def test_a_pod_in_our_colours_takes_nothing(namespace: str, *, owner: bool) -> None:
    """Labels, a quota's name, a limit of 8Ei, even an owner reference: no place, no memory, and nobody is kept out."""
    stranger = foreign_pod("a", namespace=namespace, owner=owner)
    limits = (quota(sessions=1, memory="1Gi"),)

    result = round_(session("a"), pods=(stranger,), quotas=limits)

    assert ["a"] == let_in(result)
    assert Usage(admitted=1, waiting=0, memory=768 * MI) == result.usage["default"]


def test_a_pod_that_names_a_deleted_session_counts_nowhere() -> None:
    """Neither by its label nor by its owner: nobody is there who was admitted."""
    result = round_(pods=(foreign_pod("gone"), foreign_pod("gone", name="b", owner=True)))

    assert Usage() == result.usage["default"]


def test_an_older_operators_pod_counts_as_its_session_was_admitted() -> None:
    """It bears no seal: its session's reservation is all that counts, whatever the pod says of itself."""
    result = round_(session("a", reserved=768), pods=(foreign_pod("a", owner=True),))

    assert ([], {}) == (let_in(result), dict(result.refusals))
    assert Usage(admitted=1, memory=768 * MI) == result.usage["default"]


@pytest.mark.parametrize(
    "change", [{"name": "b"}, {"namespace": "elsewhere"}, {"namespace": ""}], ids=["name", "namespace", "nowhere"]
)
def test_a_copied_seal_counts_nowhere(change: dict[str, str]) -> None:
    """It is good for the pod that it was made for."""
    original = pod("a")
    copy = {"metadata": original["metadata"] | change}

    assert Usage() == round_(pods=(copy,)).usage["default"]
    assert Usage(admitted=1, memory=768 * MI) == round_(pods=(original, copy)).usage["default"]


def test_what_is_sealed_counts_and_not_what_the_pod_says_later() -> None:
    """Another quota in the labels: the operator's word stands. A limit of 8Ei counts as far as others may add memory."""
    enlarged = foreign_pod("a", annotations=pod("a")["metadata"]["annotations"])
    enlarged["metadata"]["labels"]["wasession.dev/quota"] = "gold"

    usage = round_(pods=(enlarged,), quotas=(quota(), quota("gold"))).usage

    assert (Usage(admitted=1, memory=768 * MI + MOST_ADDED), Usage()) == (usage["default"], usage["gold"])


def test_who_has_a_pod_does_not_apply() -> None:
    """It is counted by it, and writes its reservation itself."""
    result = round_(session("a"), pods=(pod("a"),))

    assert ([], {}) == (let_in(result), dict(result.refusals))


@pytest.mark.parametrize(
    "spec",
    [
        {"operatingMode": "Suspended"},
        {"stalled": "Conflict"},
        {"stalled": "NameTaken"},
        {"stalled": "MultiplePods"},
        {"reserved": 768},
        {"reserved": 1024},
    ],
)
def test_who_shall_not_run_or_has_a_place_does_not_apply(spec: dict[str, Any]) -> None:
    """Suspended, stalled, or with a reservation that is large enough."""
    result = round_(session("a", **spec))

    assert ([], {}) == (let_in(result), dict(result.refusals))


def test_who_is_exhausted_does_not_apply_until_somebody_edits() -> None:
    """A new generation is a new chance."""
    tired = session("a")
    status = SessionStatus.from_stored({"observedGeneration": 1, "recovery": {"consecutiveFailures": 6}})

    assert [] == let_in(round_(tired.with_status(status)))
    edited = tired.with_status(status.model_copy(update={"observed_generation": 0}))
    assert ["a"] == let_in(round_(edited))


def test_a_soft_stall_does_not_keep_a_session_out() -> None:
    """A volume that cannot grow is told, and the session runs on what it has."""
    assert ["a"] == let_in(round_(session("a", stalled="ClaimResizeRefused")))


def test_a_request_applies_anew() -> None:
    """A stopped session's place went with its pod."""
    asked = session("a", stalled="Conflict")
    annotations = {"wasession.dev/restart-at": "2026-11-22T18:00:00Z"}
    asked = asked.model_copy(update={"metadata": asked.metadata.model_copy(update={"annotations": annotations})})

    assert ["a"] == let_in(round_(asked))


def test_who_needs_more_memory_than_reserved_applies_for_the_difference() -> None:
    """Its own place does not stand in its way, and is kept while it waits."""
    limits = (quota(sessions=1, memory="1Gi"),)

    assert ["a"] == let_in(round_(session("a", memory=1024, reserved=768), quotas=limits))
    too_large = round_(session("a", memory=1025, reserved=768), quotas=limits)
    assert "Maximum session memory limit reached (1Gi). Please terminate some sessions first." == (
        too_large.refusals[SessionUID("a")].message
    )
    assert Usage(admitted=1, waiting=1, memory=768 * MI) == too_large.usage["default"]


def test_a_deleted_or_unreadable_session_does_not_apply() -> None:
    """What it holds still counts."""
    leaving = session("a", reserved=512)
    leaving = leaving.model_copy(update={"metadata": leaving.metadata.model_copy(update={"deletion_timestamp": T0})})
    broken = WhatsAppSession.parse({"metadata": {"name": "b", "uid": "b"}, "spec": {"replicas": "many"}})

    result = round_(leaving, broken)

    assert ([], {}) == (let_in(result), dict(result.refusals))
    assert 1 == result.usage["default"].admitted


@pytest.mark.parametrize(
    "sessions",
    [
        (),
        (session("a", operatingMode="Suspended"),),
        (session("a", reserved=768),),
        (session("a", memory=512),),
        (session("a", quotaName="gold"),),
    ],
)
def test_a_void_assumed_reservation_is_withdrawn_and_not_counted(sessions: tuple[WhatsAppSession, ...]) -> None:
    """The session is gone, no longer wants in, has its place in status, or wants another one."""
    result = round_(*sessions, assumed=(assume("a"),), quotas=(quota(), quota("gold")))

    assert {"a"} == result.withdrawn
    counted = sum(usage.admitted for usage in result.usage.values())
    wants_another = bool(result.assumed_reservations)
    assert counted == (1 if wants_another or (sessions and sessions[0].status.admission) else 0)


def test_an_assumed_reservation_stands_and_is_not_given_twice() -> None:
    """Until it is in status."""
    result = round_(session("a"), assumed=(assume("a"),), quotas=(quota(sessions=1),))

    assert ((), frozenset(), {}) == (result.assumed_reservations, result.withdrawn, dict(result.refusals))


def test_a_refusal_is_by_what_is_taken_at_the_end() -> None:
    """Else the next round, which finds it taken, would give another reason, and the status would change for nothing."""
    result = round_(
        session("holder", namespace="y"),
        session("waits", age=9, namespace="y"),
        session("comes-in", age=5, namespace="x"),
        pods=(pod("holder", namespace="y"),),
        quotas=(quota(sessions=2, sessionsPerNamespace=1),),
    )

    assert ["comes-in"] == let_in(result)
    assert "limit reached (2)" in result.refusals[SessionUID("waits")].message


def test_lowered_limits_put_nobody_out() -> None:
    """Who is in stays; nobody new comes in."""
    holders = [session(name, reserved=768) for name in "abc"]

    result = round_(*holders, session("d", age=1), quotas=(quota(sessions=1),))

    assert Usage(admitted=3, waiting=1, memory=3 * 768 * MI) == result.usage["default"]


holders = st.tuples(st.booleans(), st.booleans(), st.booleans(), st.integers(256, 2048), st.sampled_from(["x", "y"]))


@settings(max_examples=60)
@given(
    st.lists(holders, max_size=12),
    st.none() | st.integers(0, 12),
    st.none() | st.integers(256, 8192),
    st.none() | st.integers(0, 12),
)
def test_a_round_never_exceeds_a_limit_and_leaves_no_room_unused(
    given_sessions: list[tuple[bool, bool, bool, int, str]],
    most: int | None,
    memory: int | None,
    per_namespace: int | None,
) -> None:
    """Whatever is held already: nobody is let in above a limit, and who is refused truly does not fit."""
    sessions, pods, assumed = [], [], []
    for number, (reserved, has_pod, granted, size, namespace) in enumerate(given_sessions):
        uid = f"s{number}"
        sessions.append(
            session(uid, namespace=namespace, memory=size, reserved=size if reserved else None, age=60 - number)
        )
        pods += [pod(uid, memory=size, namespace=namespace)] if has_pod else []
        assumed += [assume(uid, memory=size)] if granted and not reserved and not has_pod else []
    spec: dict[str, Any] = {"sessions": most, "memory": memory and f"{memory}Mi", "sessionsPerNamespace": per_namespace}
    limits = quota("default", **{name: value for name, value in spec.items() if value is not None})
    before = round_(*sessions, pods=tuple(pods), assumed=tuple(assumed), quotas=(quota(sessions=0),)).usage["default"]

    result = round_(*sessions, pods=tuple(pods), assumed=tuple(assumed), quotas=(limits,))

    after = result.usage["default"]
    assert before.admitted + len(result.assumed_reservations) == after.admitted
    assert most is None or after.admitted <= max(most, before.admitted)
    assert memory is None or after.memory <= max(memory * MI, before.memory)
    assert len(result.refusals) == after.waiting
    if most is None and memory is None and per_namespace is None:
        assert not result.refusals
    # What was granted now, granted before, changes nothing: a round repeated is the same round.
    again = round_(*sessions, pods=tuple(pods), assumed=(*assumed, *result.assumed_reservations), quotas=(limits,))
    assert ((), result.refusals, result.usage) == (again.assumed_reservations, again.refusals, again.usage)
