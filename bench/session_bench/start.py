"""How long from `kubectl apply` to the QR code, what of it is the operator's doing, and what it costs of the processors.

Each round measures a session and, right after it, the same pod made by hand with its own new claim and Secret; which
of the two comes first changes from round to round. Both are polled alike: the pod for its address, then its runner for
the first answer of `/v1/qr`. Beside them a pod of the same image that only sleeps, without and with a volume. `measure_crowd` is the same for
several sessions at once, beside as many in one Node process.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from session_devtools.cgroups import CgroupTree
from session_devtools.progress import Progress

from session_bench import core_seconds, objects
from session_bench.core_seconds import CorePart, Spent, together
from session_bench.errors import BenchError
from session_bench.figures import Comparison, Row, Table
from session_bench.one_process.host import KINDS, started
from session_bench.testbed import CORE, Testbed
from session_bench.trace import Step, log_marks, of_start, parts, process_start

MODEL = "model"
SESSION, BY_HAND, SLEEP = "session, apply to QR code", "same pod made by hand", "pod that only sleeps, to ready"
WITH_VOLUME = "pod that only sleeps, with a new volume, to ready"


REST = 1.0
""" Seconds after which the operator has done all that follows from the session before. """
CORES = "core-seconds per session"


class Start(NamedTuple):
    """How long sessions took to their QR codes, in seconds, and what they cost by then."""

    seconds: list[float]
    spent: Spent


def measure_start(testbed: Testbed, *, rounds: int, progress: Progress) -> Table:
    """Measure so many rounds."""
    pod, secret = model(testbed)
    single: dict[str, list[float]] = {SESSION: [], BY_HAND: [], SLEEP: [], WITH_VOLUME: []}
    costs: dict[str, list[float]] = defaultdict(list)

    times: dict[str, list[float]] = defaultdict(list)

    def session(name: str) -> float:
        scheduled, audit = testbed.pod_network.start(testbed.scheduled, name), testbed.audit_log
        since = audit.end()
        begun = time.time()
        start = until_qr(testbed, [objects.session(name)], [name])
        note(costs, SESSION, start.spent, count=1)
        marks = {
            **of_start(audit.entries(since=since, about=name), name),
            Step.SCHEDULED: scheduled.result(),
            Step.STARTED: process_start(testbed.cgroup_of(name)),
            **log_marks(testbed.log_of(name)),
            Step.ANSWERED: begun + start.seconds[0],
        }
        for part, seconds in parts(begun, marks).items():
            times[f"  of it {part}"].append(seconds)
        return start.seconds[0]

    kinds: dict[str, Callable[[str], float]] = {
        SESSION: session,
        BY_HAND: lambda name: until_qr(testbed, objects.hand_made(pod, secret, name), [name]).seconds[0],
        SLEEP: lambda name: until_ready(testbed, [objects.sleeping(pod, name)], name),
        WITH_VOLUME: lambda name: until_ready(testbed, objects.sleeping_with_volume(pod, name), name),
    }
    for turn in range(rounds):
        with progress.step(f"start: round {turn + 1} of {rounds}", status=lambda: "measuring"):
            order = list(kinds) if turn % 2 == 0 else list(reversed(kinds))
            for place, kind in enumerate(order):
                time.sleep(REST)
                single[kind].append(kinds[kind](f"start-{turn}-{place}"))
                testbed.clear()
    rows = rows_of(single) + rows_of(times) + rows_of(costs)
    by_hand = Comparison(row=SESSION, to=BY_HAND)
    return Table(
        name="start",
        title="From apply to the QR code",
        rows=rows,
        comparisons=(by_hand, Comparison(row=SESSION, to=SLEEP), Comparison(row=SESSION, to=WITH_VOLUME)),
        headline=by_hand,
    )


def measure_crowd(testbed: Testbed, *, rounds: int, sessions: int, progress: Progress) -> Table:
    """Measure `rounds` times one session, so many at once, and so many in one Node process, until the last QR code."""
    kind = KINDS[0]
    one, many = SESSION, f"{sessions} sessions at once, apply to the last QR code"
    in_one = f"{sessions} sessions in {kind.title}, start to the last QR code"
    found: dict[str, list[float]] = {one: [], many: [], in_one: []}
    costs: dict[str, list[float]] = defaultdict(list)
    for turn in range(rounds):
        with progress.step(f"crowd: round {turn + 1} of {rounds}", status=lambda: "measuring"):
            for row, count in ((one, 1), (many, sessions)):
                names = [f"crowd-{turn}-{count}-{number}" for number in range(count)]
                start = until_qr(testbed, [objects.session(name) for name in names], names)
                found[row].append(max(start.seconds))
                note(costs, row, start.spent, count=count)
                testbed.clear()
            with started(testbed, kind, sessions) as process:
                found[in_one].append(process.until_codes(sessions))
                note(costs, in_one, core_seconds.of_group(process.group), count=sessions)
    return Table(
        name="crowd",
        title=f"{sessions} sessions applied at once, beside as many in {kind.title}",
        rows=rows_of(found) + rows_of(costs),
        comparisons=(
            Comparison(row=many, to=one),
            Comparison(row=many, to=in_one),
            Comparison(row=cost_of(many), to=cost_of(in_one)),
        ),
        remarks=(f"{kind.title}: {kind.browser}", "what the control plane takes for a pod is in no row"),
    )


def rows_of(found: Mapping[str, list[float]]) -> tuple[Row, ...]:
    """Return the rows of what was found, all in seconds."""
    return tuple(Row(name=name, unit="s", values=tuple(values)) for name, values in found.items())


def note(costs: dict[str, list[float]], who: str, spent: Spent, *, count: int) -> None:
    """Add what one measurement cost per session: all of it, and each part."""
    costs.setdefault(cost_of(who), []).append(sum(spent.values()) / count)
    for part in CorePart:
        if part in spent:
            costs.setdefault(f"  of them {part} ({who.partition(',')[0]})", []).append(spent[part] / count)


def cost_of(who: str) -> str:
    """Name the row with all that it cost."""
    return f"{CORES}: {who.partition(',')[0]}"


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


def until_qr(testbed: Testbed, made: list[dict[str, Any]], names: list[str]) -> Start:
    """Apply objects; return the seconds until each of these pods' runners gives its QR code, and what all of it cost."""
    tree = CgroupTree(testbed.cluster.instance.label)
    before = core_seconds.of_daemons(tree)
    waiting = [testbed.pod_network.start(testbed.qr_known, name) for name in names]
    begun = time.monotonic()
    testbed.kubectl.apply(*made)
    seconds = [future.result()[0] - begun for future in waiting]
    of_pods = [core_seconds.of_group(testbed.cgroup_of(name)) for name in names]
    return Start(seconds, together([{CorePart.NODE: core_seconds.of_daemons(tree) - before}, *of_pods]))


def until_ready(testbed: Testbed, made: list[dict[str, Any]], name: str) -> float:
    """Apply a pod with what it needs; return the seconds until it is ready."""
    waiting = testbed.pod_network.start(testbed.ready, name)
    begun = time.monotonic()
    testbed.kubectl.apply(*made)
    return waiting.result() - begun
