"""How long a linked session is away: its browser killed, or its pod deleted, until it is Connected again.

One session with a durable login is measured again and again. A killed browser is a failure, so `recovery.baseDelay`
(5 s) is waited for on purpose; a deleted pod is none and is replaced at once. Beside them what any pod needs to start.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from session_demo.stage import KILL_BROWSER
from session_devtools.steps import Progress
from session_devtools.waiting import wait_until
from session_protocol.vocabulary import RunnerState

from session_bench import objects
from session_bench.errors import BenchError
from session_bench.figures import Comparison, Row, Table
from session_bench.ground import Ground
from session_bench.start import until_ready

NAME = "returning"
HEALTHY_AFTER = 5.0
""" Seconds after which failures are forgotten here, so that each kill is a first one. """
SLEEP = "pod that only sleeps, apply to ready"
DELETED = "pod deleted (it ends in order first)"
KILLED = "browser killed (5 s of it waited on purpose)"


def measure_recovery(ground: Ground, *, rounds: int, progress: Progress) -> Table:
    """Measure each kind of loss so often."""
    ground.kubectl.apply(objects.session(NAME, recovery={"healthyAfter": f"{HEALTHY_AFTER:.0f}s"}))
    with progress.step("recovery: linking, and a minute for the login to be safe on disk", still=lambda: "measuring"):
        ground.scan(ground.inside.run(ground.qr_known, NAME)[1])
        status = ground.connected(NAME)
        linked = str(status["link"]["linkedTime"])
        wait_until("the login to be durable", lambda: _is_durable(ground), every=0.5)
        pod = ground.pod(NAME)
        if pod is None:
            raise BenchError("the session's pod is gone before anything was measured")
    killed, deleted, slept = [], [], []
    for turn in range(rounds):
        with progress.step(f"recovery: round {turn + 1} of {rounds}", still=lambda: "measuring"):
            killed.append(_away(ground, lambda: _kill_browser(ground)))
            deleted.append(_away(ground, lambda: _delete_pod(ground)))
            slept.append(until_ready(ground, objects.sleeping(pod, f"asleep-{turn}"), f"asleep-{turn}"))
    after = ground.session(NAME)
    if linked != after["link"]["linkedTime"]:
        raise BenchError("the session was linked anew meanwhile, so this measured something else")
    ground.clear()
    found = {SLEEP: slept, DELETED: deleted, KILLED: killed}
    return Table(
        name="recovery",
        title="From a loss to Connected again, the login kept",
        rows=tuple(Row(name=name, unit="s", values=tuple(values)) for name, values in found.items()),
        comparisons=(Comparison(row=DELETED, to=SLEEP), Comparison(row=KILLED, to=SLEEP)),
    )


def _away(ground: Ground, lose: Callable[[], None]) -> float:
    """Lose the session's pod in some way, and return the seconds until it is Connected in another one."""
    before = str(ground.session(NAME)["podUID"])
    begun = time.monotonic()
    lose()
    ground.connected(NAME, but=before)
    took = time.monotonic() - begun
    wait_until("the failure to be forgotten", lambda: _is_calm(ground), every=0.5)
    return took


def _kill_browser(ground: Ground) -> None:
    arguments = ("exec", f"--namespace={objects.NAMESPACE}", NAME, "--", "python3", "-c", KILL_BROWSER)
    if "killed" not in ground.kubectl(*arguments):
        raise BenchError("no browser was found in the session's pod")


def _delete_pod(ground: Ground) -> None:
    ground.kubectl("delete", "pod", NAME, f"--namespace={objects.NAMESPACE}", "--wait=false")


def _is_durable(ground: Ground) -> bool:
    told = ground.session(NAME).get("link", {}).get("durableTime")
    return told is not None and datetime.fromisoformat(told) <= datetime.now(UTC)


def _is_calm(ground: Ground) -> bool:
    status = ground.session(NAME)
    return status.get("state") == RunnerState.CONNECTED and not status.get("recovery", {}).get("consecutiveFailures")
