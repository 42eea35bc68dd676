"""A stop after too many failures is written on the claim, and holds although the status that told of it is gone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from support.facts import T0, pod_facts
from whatsapp_operator.api.constants import EXHAUSTED_ANNOTATION
from whatsapp_operator.api.session import (
    HandledRequests,
    LastFailure,
    ObjectMeta,
    RecoverySpec,
    RecoveryStatus,
    SessionSpec,
    SessionStatus,
    WhatsAppSession,
)
from whatsapp_operator.core.decision import DeletePod, PatchPVC
from whatsapp_operator.core.model import Defaults, Observation, PodFacts, PodPhase, PVCFacts, SessionUID
from whatsapp_operator.core.objects.pod import template_hash
from whatsapp_operator.core.session.decide import decide
from whatsapp_operator.core.session.marked_stop import stop_mark, with_mark, with_marked_stop

UID = SessionUID("session-1")
RESTART = "wasession.dev/restart-at"
DEFAULTS = Defaults(runner_image="runner:1")


def session(*, generation: int = 3, restart: str | None = None, uid: str = UID, **status: Any) -> WhatsAppSession:
    """Return a session with two attempts."""
    return WhatsAppSession(
        metadata=ObjectMeta(
            name="sales",
            namespace="shop",
            uid=uid,
            generation=generation,
            creation_timestamp=T0,
            annotations={RESTART: restart} if restart else {},
        ),
        spec=SessionSpec(recovery=RecoverySpec(max_attempts=2)),
        status=SessionStatus(**status),
    )


CLAIM = PVCFacts(name="sales-profile", ours=True, requested=1 << 30, resource_version="7", phase="Bound")


def template(given: WhatsAppSession, defaults: Defaults = DEFAULTS) -> Callable[[], str]:
    """Return what gives the hash of the template that the session's pod would be made from."""
    return lambda: template_hash(given, defaults)


MARKED = replace(CLAIM, stop_mark=stop_mark(session(), template(session())))


def decision(given: WhatsAppSession, claim: PVCFacts, *pods: PodFacts) -> Any:
    """Return what is decided."""
    return decide(Observation(session=given, now=T0, pvc=claim, pods=pods), DEFAULTS)


def test_the_stop_is_written_on_the_claim() -> None:
    """With the deletion of the last pod, once the stop is in status; later there is nothing more to write."""
    failed = pod_facts("p", phase=PodPhase.FAILED, owner_uid=UID, exit_code=30)
    recovery = RecoveryStatus(consecutive_failures=3, last_failure=LastFailure(pod_uid="p", exit_code=30, time=T0))
    stopped = session(recovery=recovery, observed_generation=3)
    first, then = decision(stopped, CLAIM, failed), decision(stopped, MARKED)

    delete, patch = first.actions
    assert isinstance(delete, DeletePod)
    assert isinstance(patch, PatchPVC)
    assert {
        "resourceVersion": "7",
        "annotations": {EXHAUSTED_ANNOTATION: stop_mark(stopped, template(stopped))},
    } == patch.patch["metadata"]
    assert () == then.actions


def test_a_lost_status_is_no_new_beginning() -> None:
    """No pod and no place: it says again that it has stopped, and what a person does."""
    decided = decision(session(), MARKED)
    stalled = next(found for found in decided.status.conditions if found.type == "Stalled")

    assert ("True", "RecoveryExhausted") == (stalled.status, stalled.reason)
    assert RESTART in stalled.message
    assert (False, ()) == (decided.wants_admission, decided.actions)


def test_an_older_status_is_none_either() -> None:
    """One from a backup, in which it had failed only once, and waits for its next attempt."""
    before = session(recovery=RecoveryStatus(consecutive_failures=1, next_attempt_time=T0), observed_generation=2)
    restored = with_marked_stop(before, MARKED, template(before), has_pod=False).status

    assert restored.recovery is not None
    assert (3, None) == (restored.recovery.consecutive_failures, restored.recovery.next_attempt_time)


@pytest.mark.parametrize(
    "another",
    [session(generation=4), session(restart="now"), session(uid="another")],
    ids=["edited", "asked", "another session"],
)
def test_what_a_person_does_ends_it(another: WhatsAppSession) -> None:
    """The mark is of another spec, of other requests, or of another session of this name."""
    assert another is with_marked_stop(another, MARKED, template(another), has_pod=False)


def test_another_image_ends_it_too() -> None:
    """Or another setting that reaches the pods: what stopped was another pod, also where its status is lost."""
    given = session()

    assert given is with_marked_stop(
        given, MARKED, template(given, replace(DEFAULTS, runner_image="runner:2")), has_pod=False
    )


def test_a_request_of_before_is_handled() -> None:
    """The annotation is still there, and status does not know any more that it was carried out."""
    asked = session(restart="before")
    restored = with_marked_stop(
        asked, replace(CLAIM, stop_mark=stop_mark(asked, template(asked))), template(asked), has_pod=False
    )

    assert HandledRequests(restart_at="before") == restored.status.handled_requests


def test_a_pod_that_is_there_is_believed() -> None:
    """Whoever made it: the count is what status says."""
    pod = pod_facts("p", owner_uid=UID)
    given = session()

    assert given is with_marked_stop(given, MARKED, template(given), has_pod=True)
    assert "RecoveryExhausted" not in {found.reason for found in decision(given, MARKED, pod).status.conditions}


def test_a_claim_that_grows_gets_both() -> None:
    """One patch, not two."""
    growing = PatchPVC(name="sales-profile", patch={"metadata": {"resourceVersion": "7"}, "spec": {}}, reason="grow")
    patch = with_mark(growing, CLAIM, session(), template(session()))

    assert patch is not None
    assert {"resourceVersion", "annotations"} == patch.patch["metadata"].keys()
    assert "grow, mark the stop" == patch.reason


def test_a_claim_that_goes_is_left_alone() -> None:
    """Nothing will be left to be marked."""
    assert with_mark(None, replace(CLAIM, deletion=T0), session(), template(session())) is None
