"""What counts as a failure of a runner, and what is a loss."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from session_protocol.vocabulary import ExitCode, RunnerState
from support.facts import T0, pod_facts, runner_report
from whatsapp_operator.api.session import LastFailure
from whatsapp_operator.core.model import PodFacts, PodPhase, RunnerReport
from whatsapp_operator.core.recovery.failure import is_runner_failure, outcome_of

POD = pod_facts(started=T0 + timedelta(seconds=2))
NOW = T0 + timedelta(seconds=60)
_NOT_COUNTED = (ExitCode.SANDBOX_REFUSED, ExitCode.PROFILE_UNUSABLE)


def pod(**facts: Any) -> PodFacts:
    """Return a running pod with other facts."""
    return dataclasses.replace(POD, **facts)


def ended(code: int | None = 1, **facts: Any) -> PodFacts:
    """Return a pod whose container ended by itself."""
    before = {"phase": PodPhase.FAILED, "exit_code": code, "exit_reason": "Error", "finished": NOW}
    return pod(**before | facts)


def report(state: str, *, since: float = 0) -> RunnerReport:
    """Return the runner's word, said since some seconds."""
    message = "The page of +49 170 1234567 died."
    return runner_report(state, reason="PageDied", message=message, since=NOW - timedelta(seconds=since), received=NOW)


def failure(of: PodFacts, reported: RunnerReport | None = None, *, answers: bool = True) -> LastFailure | None:
    """Return the pod's failure with the default timeouts."""
    return outcome_of(of, report=reported, responding=answers, now=NOW).failure


def loss_reason(of: PodFacts) -> str | None:
    """Return the reason of the pod's loss; None: it is not lost."""
    loss = outcome_of(of, report=None, responding=False, now=NOW).loss
    return loss.reason if loss is not None else None


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"code": 33, "exit_reason": "OOMKilled"}, "OutOfMemory"),
        ({"code": 30}, "PageCrashed"),
        ({"code": 1}, "InternalError"),
        ({"code": 0, "exit_reason": "Completed", "phase": PodPhase.SUCCEEDED}, "Stopped"),
        ({"code": 137, "exit_reason": "OOMKilled"}, "OOMKilled"),
        ({"code": 137}, "Signal9"),
        ({"code": 128, "exit_reason": "StartError"}, "StartError"),
        ({"code": 5}, "ExitCode5"),
        ({"code": None, "exit_reason": "", "finished": None}, "RunnerExited"),
    ],
)
def test_the_reason_is_the_best_one_that_anybody_has(facts: dict[str, Any], reason: str) -> None:
    """The runner's own exit code wins over OOMKilled; then the kubelet's word; then the code as it is."""
    found = failure(ended(**facts))

    assert found is not None
    assert reason == found.reason


@pytest.mark.parametrize("code", [code for code in ExitCode if code not in _NOT_COUNTED])
def test_every_exit_code_of_the_runner_has_its_reason(code: ExitCode) -> None:
    """Beside whatever the kubelet says."""
    found = failure(ended(int(code), exit_reason="OOMKilled"))

    assert found is not None
    assert (code.reason, int(code)) == (found.reason, found.exit_code)


def test_a_failure_has_pod_time_and_message() -> None:
    """As they go into status."""
    assert LastFailure(
        reason="InternalError", exit_code=1, time=NOW, message="Traceback …", pod_uid="pod-1"
    ) == failure(ended(termination_message="Traceback …"))


def test_a_failure_is_never_in_the_future() -> None:
    """A node's clock that is ahead must not lengthen the back-off."""
    found = failure(ended(finished=NOW + timedelta(hours=1)))

    assert found is not None
    assert NOW == found.time


@pytest.mark.parametrize(
    "facts",
    [
        {"pod_reason": "Evicted"},
        {"pod_reason": "Preempting"},
        {"pod_reason": "NodeLost"},
        {"pod_reason": "NodeShutdown"},
        {"pod_reason": "Terminated"},
        {"disrupted": True},
        {"pod_reason": "OutOfcpu"},
        {"exit_reason": "ContainerStatusUnknown"},
        {"exit_reason": "Unknown", "code": 255},
    ],
)
def test_a_loss_is_no_failure(facts: dict[str, Any]) -> None:
    """Evicted, preempted, its node shut down or rebooted: the runner did nothing wrong."""
    lost = ended(**facts)

    assert loss_reason(lost) is not None
    assert failure(lost) is None


def test_a_loss_names_its_reason() -> None:
    """The pod's, the container's, or that it was disrupted."""
    assert ("Evicted", "Unknown", "Disrupted") == (
        loss_reason(ended(pod_reason="Evicted")),
        loss_reason(ended(exit_reason="Unknown")),
        loss_reason(ended(disrupted=True)),
    )


def test_a_living_pod_is_neither() -> None:
    """Also one that is about to be disrupted: it may be spared."""
    assert not POD.ended
    assert loss_reason(pod(disrupted=True)) is None
    assert failure(pod(disrupted=True)) is None


@pytest.mark.parametrize("code", [0, 1, 40, 137])
def test_a_pod_that_was_asked_to_end_does_not_fail(code: int) -> None:
    """Deleted by anybody: however its runner ends."""
    assert failure(ended(code, deletion=T0)) is None


@pytest.mark.parametrize("state", [RunnerState.CRASHED, RunnerState.UNRESPONSIVE])
def test_a_report_that_lasts_is_a_failure(state: RunnerState) -> None:
    """Said for healthCheck (45 s), and not a moment earlier: it is about to exit by itself."""
    assert failure(POD, report(state, since=44.9)) is None
    found = failure(POD, report(state, since=45))
    assert found is not None
    assert (state, None, "The page of [number] died.", "pod-1") == (
        found.reason,
        found.exit_code,
        found.message,
        found.pod_uid,
    )


def test_a_last_report_before_silence_is_no_failure() -> None:
    """The runner may have gone on to a better one; silence is not failure."""
    assert failure(POD, report(RunnerState.CRASHED, since=3600), answers=False) is None


@pytest.mark.parametrize(
    "state", [*(set(RunnerState) - {RunnerState.CRASHED, RunnerState.UNRESPONSIVE}), "Hibernating"]
)
def test_no_other_state_is_a_failure(state: str) -> None:
    """Waiting for a person, being offline or in a conflict, words that are not known."""
    assert failure(POD, report(state, since=3600)) is None


def test_failures_of_runners_and_of_nodes_are_distinguished() -> None:
    """A mass failure is one of runners: their exits and words."""
    assert is_runner_failure(LastFailure(reason="OutOfMemory", exit_code=33))
    assert is_runner_failure(LastFailure(reason="Crashed"))
    assert not is_runner_failure(LastFailure(reason="OutOfcpu"))
