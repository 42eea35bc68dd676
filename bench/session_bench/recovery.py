"""How long a linked session is away: its browser killed, or its pod deleted, until it is Connected again.

One session with a durable login is measured again and again. A killed browser is a failure, so `recovery.baseDelay`
(5 s) is waited for on purpose; a deleted pod is none and is replaced at once. Beside them what any pod needs to start.
A session rests before each loss until its status may be written as often as after a quiet day.
"""

import time
from collections import defaultdict
from collections.abc import Callable

from session_devtools.installation.browser import kill_browser
from session_devtools.progress import Progress
from session_protocol.vocabulary import RunnerState
from support.sessions import has_durable_login, has_no_failures, in_new_pod
from whatsapp_operator.core.writes.write_limiter import BURST, REFILL

from session_bench import objects
from session_bench.errors import BenchError
from session_bench.figures import Comparison, Table
from session_bench.start import rows_of, until_ready
from session_bench.testbed import Testbed
from session_bench.trace import Step, log_marks, of_return, parts, process_start

NAME = "returning"
HEALTHY_AFTER = 5.0
""" Seconds after which failures are forgotten here, so that each kill is a first one. """
REST = (BURST * REFILL).total_seconds()
SLEEP = "pod that only sleeps, apply to ready"
DELETED = "pod deleted (it ends in order first)"
KILLED = "browser killed (5 s of it waited on purpose)"


def measure_recovery(testbed: Testbed, *, rounds: int, progress: Progress) -> Table:
    """Measure each kind of loss so often."""
    testbed.kubectl.apply(objects.session(NAME, recovery={"healthyAfter": f"{HEALTHY_AFTER:.0f}s"}))
    with progress.step("recovery: linking, and a minute for the login to be safe on disk", status=lambda: "measuring"):
        testbed.scan(testbed.pod_network.run(testbed.qr_known, NAME)[1])
        status = testbed.wait_for_state(NAME, RunnerState.CONNECTED)
        linked = str(status["link"]["linkedTime"])
        testbed.wait_for(NAME, has_durable_login())
        pod = testbed.pod(NAME)
        if pod is None:
            raise BenchError("the session's pod is gone before anything was measured")
    killed, deleted, slept = [], [], []
    times: dict[str, list[float]] = defaultdict(list)
    for turn in range(rounds):
        with progress.step(f"recovery: round {turn + 1} of {rounds}", status=lambda: "measuring"):
            time.sleep(REST)
            killed.append(
                _measure_outage(testbed, lambda: kill_browser(testbed.kubectl, NAME, namespace=objects.NAMESPACE))
            )
            time.sleep(REST)
            deleted.append(_measure_deletion(testbed, times))
            slept.append(until_ready(testbed, [objects.sleeping(pod, f"asleep-{turn}")], f"asleep-{turn}"))
    after = testbed.status(NAME)
    if linked != after["link"]["linkedTime"]:
        raise BenchError("the session was linked anew meanwhile, so this measured something else")
    testbed.clear()
    found = {SLEEP: slept, DELETED: deleted, KILLED: killed}
    return Table(
        name="recovery",
        title="From a loss to Connected again, the login kept",
        rows=rows_of(found) + rows_of(times),
        comparisons=(Comparison(row=DELETED, to=SLEEP), Comparison(row=KILLED, to=SLEEP)),
    )


def _measure_outage(testbed: Testbed, lose: Callable[[], None]) -> float:
    """Lose the session's pod in some way, and return the seconds until it is Connected in another one."""
    before = str(testbed.status(NAME)["podUID"])
    begun = time.monotonic()
    lose()
    testbed.wait_for(NAME, in_new_pod(before))
    took = time.monotonic() - begun
    testbed.wait_for(NAME, has_no_failures())
    testbed.wait_for_state(NAME, RunnerState.CONNECTED)
    return took


def _measure_deletion(testbed: Testbed, times: dict[str, list[float]]) -> float:
    """Delete the session's pod; return the seconds, and note in `times` where they went."""
    before = str(testbed.status(NAME)["podUID"])
    scheduled, audit = testbed.pod_network.start(testbed.scheduled, NAME, after=before), testbed.audit_log
    since = audit.end()
    begun = time.time()
    took = _measure_outage(testbed, lambda: _delete_pod(testbed))
    marks = {
        **of_return(audit.entries(since=since, about=NAME), NAME),
        Step.SCHEDULED: scheduled.result(),
        Step.STARTED: process_start(testbed.cgroup_of(NAME)),
        **log_marks(testbed.log_of(NAME), shown=RunnerState.CONNECTED),
        Step.ANSWERED: begun + took,
    }
    for part, seconds in parts(begun, marks).items():
        times[f"  of a deleted one {part}"].append(seconds)
    return took


def _delete_pod(testbed: Testbed) -> None:
    testbed.kubectl("delete", "pod", NAME, f"--namespace={objects.NAMESPACE}", "--wait=false")
