"""How long from `kubectl apply` to the QR code, and what of it is the operator's doing.

Each round measures a session and, right after it, the same pod made by hand with its own new claim and Secret; which
of the two comes first changes from round to round. Both are polled alike: the pod for its address, then its runner for
the first answer of `/v1/qr`. Beside them a pod of the same image that only sleeps. `measure_crowd` is the same for
several sessions at once.
"""

import time
from collections.abc import Callable
from typing import Any

from session_devtools.progress import Progress

from session_bench import objects
from session_bench.errors import BenchError
from session_bench.figures import Comparison, Row, Table
from session_bench.testbed import CORE, Testbed

MODEL = "model"
SESSION, BY_HAND, SLEEP = "session, apply to QR code", "same pod made by hand", "pod that only sleeps, to ready"


def measure_start(testbed: Testbed, *, rounds: int, progress: Progress) -> Table:
    """Measure so many rounds."""
    pod, secret = model(testbed)
    single: dict[str, list[float]] = {SESSION: [], BY_HAND: [], SLEEP: []}
    kinds: dict[str, Callable[[str], float]] = {
        SESSION: lambda name: until_qr(testbed, [objects.session(name)], [name])[0],
        BY_HAND: lambda name: until_qr(testbed, objects.hand_made(pod, secret, name), [name])[0],
        SLEEP: lambda name: until_ready(testbed, objects.sleeping(pod, name), name),
    }
    for turn in range(rounds):
        with progress.step(f"start: round {turn + 1} of {rounds}", status=lambda: "measuring"):
            order = list(kinds) if turn % 2 == 0 else list(reversed(kinds))
            for place, kind in enumerate(order):
                single[kind].append(kinds[kind](f"start-{turn}-{place}"))
                testbed.clear()
    rows = tuple(Row(name=kind, unit="s", values=tuple(values)) for kind, values in single.items())
    by_hand = Comparison(row=SESSION, to=BY_HAND)
    return Table(
        name="start",
        title="From apply to the QR code",
        rows=rows,
        comparisons=(by_hand, Comparison(row=SESSION, to=SLEEP)),
        headline=by_hand,
    )


def measure_crowd(testbed: Testbed, *, rounds: int, sessions: int, progress: Progress) -> Table:
    """Measure `rounds` times one session and so many at once, until the last one's QR code is known."""
    one, many = SESSION, f"{sessions} sessions at once, apply to the last QR code"
    found: dict[str, list[float]] = {one: [], many: []}
    for turn in range(rounds):
        with progress.step(f"crowd: round {turn + 1} of {rounds}", status=lambda: "measuring"):
            for kind, count in ((one, 1), (many, sessions)):
                names = [f"crowd-{turn}-{count}-{number}" for number in range(count)]
                found[kind].append(max(until_qr(testbed, [objects.session(name) for name in names], names)))
                testbed.clear()
    return Table(
        name="crowd",
        title=f"{sessions} sessions applied at once",
        rows=tuple(Row(name=kind, unit="s", values=tuple(values)) for kind, values in found.items()),
        comparisons=(Comparison(row=many, to=one),),
    )


def model(testbed: Testbed) -> tuple[dict[str, Any], dict[str, Any]]:
    """Let the operator make a session; return its pod and Secret, and remove it. It warms the caches, too."""
    testbed.kubectl.apply(objects.session(MODEL))
    testbed.pod_network.run(testbed.qr_known, MODEL)
    pod = testbed.pod(MODEL)
    secret = None if pod is None else testbed.get(f"{CORE}/secrets/{objects.secret_of(pod)}")
    if pod is None or secret is None:
        raise BenchError("the model session ended while it was looked at; run `make bench-start` again")
    testbed.clear()
    return pod, secret


def until_qr(testbed: Testbed, made: list[dict[str, Any]], names: list[str]) -> list[float]:
    """Apply objects; return the seconds until each of these pods' runners gives its QR code."""
    waiting = [testbed.pod_network.start(testbed.qr_known, name) for name in names]
    begun = time.monotonic()
    testbed.kubectl.apply(*made)
    return [future.result()[0] - begun for future in waiting]


def until_ready(testbed: Testbed, made: dict[str, Any], name: str) -> float:
    """Apply a pod; return the seconds until it is ready."""
    waiting = testbed.pod_network.start(testbed.ready, name)
    begun = time.monotonic()
    testbed.kubectl.apply(made)
    return waiting.result() - begun
