"""Rounds and places that nobody uses: whose turn it is, who gives way, and what those who wait are told."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from unit.core.quota.rounds import MI, NOW, assume, let_in, pod, quota, requeued, round_, session
from whatsapp_operator.api.conditions import Condition, ConditionStatus
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.core.quota import ledger
from whatsapp_operator.core.quota.not_running import NotRunning
from whatsapp_operator.core.quota.reservations import Usage, quota_status

LIMIT = "Maximum concurrent sessions limit reached"


def stuck(name: str, *, since: float = 300, reason: str = "ImagePullBackOff", **more: Any) -> WhatsAppSession:
    """Return an admitted session whose pod has not run for so many seconds, as its status shows."""
    made = session(name, reserved=768, **more)
    conditions = (
        Condition(type="Ready", status=ConditionStatus.FALSE, reason=reason, last_transition_time=moment(since)),
        Condition(type="PodReady", status=ConditionStatus.FALSE, reason="NoPod", last_transition_time=moment(since)),
    )
    return made.with_status(made.status.model_copy(update={"conditions": conditions}))


def moment(ago: float) -> datetime:
    """Return a time so many seconds ago."""
    return NOW - timedelta(seconds=ago)


def leaving(made: WhatsAppSession) -> WhatsAppSession:
    """Return a session that is being deleted and that somebody's finalizer keeps."""
    return made.model_copy(update={"metadata": made.metadata.model_copy(update={"deletion_timestamp": moment(200)})})


def test_who_waits_outside_is_not_admitted() -> None:
    """Until its time; the place is another's, and the quota says that it waits."""
    result = round_(requeued("a", at=30), session("b", age=1), quotas=(quota(sessions=1),))

    assert ["b"] == let_in(result)
    assert {} == dict(result.refusals)
    assert (1, 1) == (result.usage["default"].admitted, result.usage["default"].waiting)


def test_who_comes_back_comes_after_those_that_waited_by_then() -> None:
    """And before those that came later: nobody is passed for ever, neither the one nor the other."""
    sessions = [requeued("again", at=-60), session("before", age=61), session("after", age=59)]

    for places, expected in ((1, ["before"]), (2, ["before", "again"]), (3, ["before", "again", "after"])):
        assert expected == let_in(round_(*sessions, quotas=(quota(sessions=places),)))


def test_an_edit_puts_it_back_in_its_old_turn() -> None:
    """What was wrong may be mended: it asks at once, as if it had never failed."""
    mended = requeued("a", at=300)
    edited = mended.with_status(mended.status.model_copy(update={"observed_generation": 0}))

    assert ["a"] == let_in(round_(edited, session("b", age=60), quotas=(quota(sessions=1),)))


def test_an_assumed_reservation_of_one_that_waits_outside_is_withdrawn() -> None:
    """It was given before the session gave its place back."""
    result = round_(requeued("a", at=30), session("b", age=1), assumed=(assume("a"),), quotas=(quota(sessions=1),))

    assert ({SessionUID("a")}, ["b"]) == (set(result.withdrawn), let_in(result))


def test_what_makes_room_is_put_together_once_for_a_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for each of thousands that wait for thousands that do not run."""
    asked = []

    def remedy(found: list[NotRunning], *, quota: str, namespace: str) -> str:
        asked.append((quota, namespace, len(found)))
        return "Wait."

    monkeypatch.setattr(ledger, "remedy", remedy)
    waiting = [session(f"w{number}", namespace=f"n{number % 2}") for number in range(9)]
    result = round_(stuck("a"), stuck("b"), *waiting, quotas=(quota(sessions=2),))

    assert [("default", "n0", 2), ("default", "n1", 2)] == sorted(asked)
    assert {f"{LIMIT} (2). Wait."} == {refusal.message for refusal in result.refusals.values()}


def test_who_can_use_no_place_gets_none() -> None:
    """Its claim is being deleted, its name is taken: what was assumed for it is the next one's."""
    result = round_(
        session("a"), session("b", age=1), assumed=(assume("a"),), quotas=(quota(sessions=1),), declined={"a"}
    )

    assert ({SessionUID("a")}, ["b"]) == (set(result.withdrawn), let_in(result))
    assert {} == dict(result.refusals)


@pytest.mark.parametrize("traces", ["status", "assumed", "both"])
def test_a_deleted_session_that_somebody_keeps_holds_no_place(traces: str) -> None:
    """Its worker makes no pod any more, and there is none."""
    gone = leaving(session("a", reserved=None if traces == "assumed" else 768))
    assumed = () if traces == "status" else (assume("a"),)

    result = round_(gone, session("b", age=1), assumed=assumed, quotas=(quota(sessions=1),), declined={"a"})

    assert ["b"] == let_in(result)
    assert Usage(admitted=1, memory=768 * MI) == result.usage["default"]


def test_a_deleted_session_counts_while_its_pod_ends() -> None:
    """Whatever its worker says: the pod takes memory until it is gone. Nor does it give way before its worker knows."""
    gone = leaving(session("a", reserved=768))
    limits = (quota(sessions=1),)

    assert [] == let_in(round_(gone, session("b"), pods=(pod("a"),), quotas=limits, declined={"a"}))
    assert [] == let_in(round_(gone, session("b"), quotas=limits))


def test_a_refusal_names_who_does_not_run() -> None:
    """By name in its own namespace, by number in others': it cannot read those."""
    sessions = [stuck("a"), stuck("theirs", namespace="other"), session("b", age=1)]

    message = round_(*sessions, quotas=(quota(sessions=2),)).refusals[SessionUID("b")].message

    assert message.startswith(
        f"{LIMIT} (2). 2 of the admitted sessions do not run, in this namespace a: ImagePullBackOff."
    )
    assert "given back by itself" in message
    assert "kubectl describe wasq default" in message
    assert "theirs" not in message
    assert "Please terminate some sessions first" not in message


def test_a_message_names_three() -> None:
    """However many there are."""
    sessions = [stuck(f"s{number}", since=300 - number) for number in range(9)]

    message = round_(*sessions, session("b", age=1), quotas=(quota(sessions=9),)).refusals[SessionUID("b")].message

    assert "9 of the admitted sessions do not run, in this namespace s0: ImagePullBackOff, s1:" in message
    assert "s2: ImagePullBackOff and 6 more." in message


@pytest.mark.parametrize("limits", [{"memory": "800Mi"}, {"sessionsPerNamespace": 1}, {"sessions": 1}])
def test_each_limit_that_runs_names_who_does_not_run(limits: dict[str, Any]) -> None:
    """Sessions, memory, sessions of the namespace."""
    result = round_(stuck("a"), session("b", age=1), quotas=(quota(**limits),))

    assert "1 of the admitted sessions does not run, in this namespace a: ImagePullBackOff." in (
        result.refusals[SessionUID("b")].message
    )


def test_a_namespaces_limit_speaks_of_its_own_sessions() -> None:
    """Another namespace's do not stand in the way."""
    result = round_(
        session("a", reserved=768),
        stuck("x", namespace="other"),
        session("b", age=1),
        quotas=(quota(sessionsPerNamespace=1),),
    )

    assert "Please terminate some sessions first." in result.refusals[SessionUID("b")].message


def test_ones_own_place_is_nobody_elses() -> None:
    """A session that asks for more than it has does not run, and is not told of itself."""
    result = round_(stuck("a", memory=1024), quotas=(quota(memory="1000Mi"),))

    assert "Maximum session memory limit reached (1000Mi). Please terminate some sessions first." == (
        result.refusals[SessionUID("a")].message
    )


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        ({"status": ConditionStatus.TRUE, "reason": "PodReady"}, False),
        ({"status": ConditionStatus.FALSE, "reason": "PodNotReady"}, False),
        ({"status": ConditionStatus.FALSE, "reason": "PodStarting"}, True),
        ({"status": ConditionStatus.FALSE, "reason": "PodTerminating"}, True),
    ],
)
def test_who_runs_is_not_named(condition: dict[str, Any], named: bool) -> None:  # noqa: FBT001
    """Also if its runner does not serve its API at the moment."""
    made = stuck("a")
    ready = Condition(type="PodReady", last_transition_time=moment(300), **condition)
    found = made.with_status(made.status.model_copy(update={"conditions": (made.status.conditions[0], ready)}))

    assert named == bool(round_(found).usage["default"].not_running)


def test_a_usual_start_is_not_named() -> None:
    """Each session needs some seconds."""
    assert () == round_(stuck("a", since=59)).usage["default"].not_running
    assert 1 == len(round_(stuck("a", since=61)).usage["default"].not_running)


def test_a_deleted_session_that_cannot_end_is_named() -> None:
    """Its node is lost: somebody has to look."""
    made = leaving(session("a", reserved=768))

    (found,) = round_(made, pods=(pod("a"),)).usage["default"].not_running

    assert ("shop", "a", "Deleting", moment(200)) == (found.namespace, found.name, found.reason, found.since)


def test_the_quotas_status_names_ten() -> None:
    """Those that have not run for longest, and how many there are in all; nothing of it when all run."""
    usage = round_(*(stuck(f"s{number:02}", since=100 + number) for number in range(14))).usage["default"]

    status = quota_status(quota(), usage=usage, now=NOW)
    found = status.not_running_sessions or ()
    assert (14, [f"s{number}" for number in range(13, 3, -1)]) == (
        status.not_running,
        [one.name.replace("s0", "s") for one in found],
    )
    assert {"namespace": "shop", "name": "s13", "since": "2026-11-22T18:03:07Z", "reason": "ImagePullBackOff"} == (
        found[0].to_dict()
    )
    quiet = quota_status(quota(), usage=Usage(), now=NOW).to_dict()
    assert {"notRunning", "notRunningSessions"}.isdisjoint(quiet)


@pytest.mark.parametrize(
    ("containers", "init", "expected"),
    [
        ([("proxy", "1Gi")], [], 1792),
        ([], [("proxy", "1Gi")], 1792),
        ([("proxy", "1Gi")], [("other", "256Mi")], 2048),
        ([], [], 768),
    ],
)
def test_what_a_mesh_adds_counts_once(
    containers: list[tuple[str, str]], init: list[tuple[str, str]], expected: int
) -> None:
    """By the pod and by the reservation that has taken it in."""
    made = pod("a")
    made["spec"] = {
        "containers": [
            {"name": name, "resources": {"limits": {"memory": limit}}}
            for name, limit in [("runner", "768Mi"), *containers]
        ],
        "initContainers": [
            {"name": name, "restartPolicy": "Always", "resources": {"limits": {"memory": limit}}}
            for name, limit in init
        ],
    }

    assert expected * MI == round_(session("a", reserved=768), pods=(made,)).usage["default"].memory
    assert expected * MI == round_(session("a", reserved=expected), pods=(made,)).usage["default"].memory
