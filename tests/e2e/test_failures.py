"""A runner that fails is told apart by its own last words, and gets a new pod after a while, with the same login.

All failures are of one session: many sessions that fail within a minute are another story, which pauses recovery.
"""

from datetime import datetime

import pytest
from e2e.harness import ClusterHarness
from e2e.memory_pressure import EXHAUST
from e2e.object_versions import watch
from e2e.tenant import Object, Tenant
from e2e.trio import TRIO
from session_devtools.errors import CommandError
from support.sessions import condition
from support.waiting import until

FRAIL = TRIO[2]
OTHERS = TRIO[:2]


def _kill_browser(trio: Tenant) -> None:
    trio.kill_browser(FRAIL)


def _exhaust_browser(trio: Tenant) -> None:
    _exhaust(trio, "browser")


def _exhaust_main(trio: Tenant) -> None:
    _exhaust(trio, "main")


def _exhaust(trio: Tenant, victim: str) -> None:
    """The command ends with the victim, or with the container when that is quicker."""
    try:
        trio.python(FRAIL, EXHAUST, victim)
    except CommandError as error:
        if "exit code 137" not in str(error):
            raise


CASES = {
    "the browser is killed": (_kill_browser, "BrowserExited", 32),
    "a browser process exceeds the memory limit": (_exhaust_browser, "OutOfMemory", 33),
    "the main process exceeds the memory limit": (_exhaust_main, "OOMKilled", 137),
}


@pytest.mark.parametrize("case", CASES)
def test_a_failed_runner_is_recorded_and_recreated_with_its_login(
    e2e: ClusterHarness, durable_trio: Tenant, case: str
) -> None:
    """Reason, exit code and words are in status, the next pod comes after the delay, the others notice nothing."""
    trio = durable_trio
    harm, reason, code = CASES[case]
    before = trio.status(FRAIL)
    others = {name: trio.pod_uid(name) for name in OTHERS}
    with watch(e2e.kubectl, "whatsappsessions", trio.namespace) as sessions:
        harm(trio)
        failed = _failure(trio, before)
        after = trio.wait_for_recovery(FRAIL, after=before)
        waits = [_recovery(one) for one in sessions.of(FRAIL) if _recovery(one).get("nextAttemptTime")]

    assert (reason, code, before["podUID"]) == (failed["reason"], failed["exitCode"], failed["podUID"])
    assert 1 == _recovery({"status": after})["consecutiveFailures"]
    assert {1} == {one["consecutiveFailures"] for one in waits}
    due = datetime.fromisoformat(waits[-1]["nextAttemptTime"])
    assert 5 <= (due - datetime.fromisoformat(failed["time"])).total_seconds() <= 6
    assert due <= datetime.fromisoformat(trio.pod(FRAIL)["metadata"]["creationTimestamp"])
    assert others == {name: trio.pod_uid(name) for name in OTHERS}
    assert "True" == condition(after, "Linked")["status"]


def _recovery(session: Object) -> Object:
    recovery: Object = session["status"].get("recovery", {})
    return recovery


def _failure(trio: Tenant, before: Object) -> Object:
    """Wait for the record of this very pod's failure."""
    return until(
        "the failure is recorded",
        lambda: _recovery({"status": trio.status(FRAIL)}).get("lastFailure", {}),
        lambda failure: failure.get("podUID") == before["podUID"],
    )
