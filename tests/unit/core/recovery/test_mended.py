"""Whether what failed was changed: failures of one template do not count against another."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support.facts import T0, pod_facts
from whatsapp_operator.api.session import (
    LastFailure,
    ObjectMeta,
    RecoveryStatus,
    SessionSpec,
    SessionStatus,
    WhatsAppSession,
)
from whatsapp_operator.core.model import Defaults, KeyID, PodPhase
from whatsapp_operator.core.objects.pod import template_hash
from whatsapp_operator.core.recovery.attempts import count_attempts, with_failure
from whatsapp_operator.core.recovery.failed_starts import Starts
from whatsapp_operator.core.recovery.failure import Outcome
from whatsapp_operator.core.recovery.mended import is_mended
from whatsapp_operator.core.session.requests import read_requests

DEFAULTS = Defaults(runner_image="runner:2")


def session(*, failures: int = 6, template: str | None = None, spec: dict[str, Any] | None = None) -> WhatsAppSession:
    """Return a session that failed in a pod of this template."""
    failure = LastFailure(reason="LaunchFailed", exit_code=20, time=T0, pod_uid="pod-0", template_hash=template)
    return WhatsAppSession(
        metadata=ObjectMeta(name="sales", uid="session-1", generation=1),
        spec=SessionSpec.model_validate(spec or {}),
        status=SessionStatus(
            observed_generation=1,
            pod_uid="pod-0",
            recovery=RecoveryStatus(consecutive_failures=failures, last_failure=failure),
        ),
    )


HASH = template_hash(session(), DEFAULTS)


def mended_by(given: WhatsAppSession, defaults: Defaults) -> bool:
    """Whether the session counts as mended under these settings."""
    return is_mended(given, lambda: template_hash(given, defaults))


@pytest.mark.parametrize(
    ("defaults", "mended"),
    [
        (DEFAULTS, False),
        (replace(DEFAULTS, runner_image="runner:1"), True),
        (replace(DEFAULTS, allowed_hosts="other.example"), True),
        (replace(DEFAULTS, browser_sandbox=True, browser_seccomp_profile="x"), True),
        (replace(DEFAULTS, key_id=KeyID("other")), True),
    ],
)
def test_another_setting_of_the_operator_s_is_another_attempt(defaults: Defaults, *, mended: bool) -> None:
    """Each that the template has: the image first of all, and what else may have been wrong."""
    assert mended == mended_by(session(template=HASH), defaults)


def test_without_a_record_nothing_is_known() -> None:
    """Not of a failure of an earlier release, whose record has no template, and not where nothing has failed."""
    other = replace(DEFAULTS, runner_image="runner:1")

    assert not mended_by(session(template=None), other)
    assert not mended_by(session(failures=0, template=HASH), other)
    assert not mended_by(session().model_copy(update={"status": SessionStatus()}), other)


def test_an_image_of_its_own_is_not_mended_by_the_operator_s() -> None:
    """Its pods are the same as before."""
    own = session(spec={"pod": {"image": "mine:1"}})
    failed = session(template=template_hash(own, DEFAULTS), spec={"pod": {"image": "mine:1"}})

    assert not mended_by(failed, replace(DEFAULTS, runner_image="runner:1"))


def test_a_failure_records_what_the_pod_was_made_from() -> None:
    """Its image for people, its template for the next attempt; both are the pod's, whatever the settings are by now."""
    pod = pod_facts(phase=PodPhase.FAILED, image="mirror.example/runner:2", template_hash=HASH)
    failure = LastFailure(reason="LaunchFailed", exit_code=20, time=T0, pod_uid="pod-1")
    recorded = with_failure(RecoveryStatus(), failure, pod=pod, spec=session().spec.recovery).last_failure

    assert recorded == failure.model_copy(update={"image": "mirror.example/runner:2", "template_hash": HASH})


@pytest.mark.parametrize("mended", [False, True])
def test_what_was_mended_is_tried_at_once(*, mended: bool) -> None:
    """As after an edit: the count is gone, what failed last is still told."""
    stalled = session(template=HASH)
    attempts = count_attempts(
        stalled,
        requests=read_requests(stalled, None),
        pod=None,
        outcome=Outcome(),
        restarts=0,
        starts=Starts(unstarted={}),
        timed=True,
        mended=mended,
        now=T0 + timedelta(hours=1),
    )

    assert mended is not attempts.exhausted
    assert (0 if mended else 6) == attempts.status.consecutive_failures
    assert attempts.status.last_failure is not None
    assert "LaunchFailed" == attempts.status.last_failure.reason
