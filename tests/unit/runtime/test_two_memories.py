"""The whole runtime beside the runner's own memory of a stop: crashes, lost writes, deaf watches, people, in any order.

`unit.core.test_two_memories` tries the decisions one by one; here runs what carries them out. The runner's half is the
real one, begun by the kubelet with the environment of the pod that the operator made.
"""

import os
import random
from collections.abc import Awaitable, Callable

import pytest
from session_protocol.vocabulary import RunnerState, StateReason
from session_runner.settings import read_settings
from session_runner.states.hold import HeldState, Start, hold_after
from unit.runtime.memory_api import Fault, Json
from unit.runtime.simulation import NAMESPACE, Simulation
from whatsapp_operator.runtime.kube.client import Request

pytestmark = pytest.mark.slow

SEEDS = int(os.environ.get("STORM_EXAMPLES", "20"))
ACTS = 14
ANNOTATIONS = ("wasession.dev/restart-at", "wasession.dev/relink-at")


class Storm(Simulation):
    """One session, its profile, and whether a person has answered the conflict that lies on it."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.acts: list[str] = []
        self.hold_kept: HeldState | None = None
        self.start_kept: Start | None = None
        self.open: set[str] = set()
        """ UIDs of the pods whose runners opened the page. """
        self.answered = True
        self.requests = 0
        self.checks.append(self._record_suspension)

    # --- the runner

    def _run(self, name: str, uid: str) -> None:
        super()._run(name, uid)
        pod = self.pod(name)
        if pod is None or self.pod_uid(name) != uid:
            return
        variables = pod["spec"]["containers"][0]["env"]
        start = read_settings({entry["name"]: entry.get("value", "pod") for entry in variables}).start
        if start.is_asked_for(self.start_kept):
            assert self.hold_kept is None or self.answered, f"a page was opened in a conflict: {self.acts}"
            self.hold_kept = None
        self.start_kept = start.after(self.start_kept)
        if self.hold_kept is not None:
            self.runners.say(uid, self.hold_kept.state, self.hold_kept.reason)
            return
        self.open.add(uid)
        self.answered = False
        self.runners.say(uid, RunnerState.CONNECTED)

    def speak(self, state: RunnerState, reason: StateReason) -> None:
        """The runner with the open page says something; the word of a pod that a request replaces is of before."""
        uid = self.pod_uid("a")
        if uid not in self.open or uid not in self.runners.states:
            return
        self.hold_kept = hold_after(self.hold_kept, state=state, reason=reason, message="")
        self.answered = self.answered and self._waits()
        self.runners.say(uid, state, reason)

    def _waits(self) -> bool:
        """Whether what a person did waits for the present pod's end."""
        session, pod = self.api.get("whatsappsessions", NAMESPACE, "a") or {}, self.pod("a") or {}
        asked, carried = (obj["metadata"].get("annotations") or {} for obj in (session, pod))
        anew = pod["metadata"]["ownerReferences"][0]["uid"] != session["metadata"]["uid"]
        return anew or any(asked.get(name) not in (None, carried.get(name)) for name in ANNOTATIONS)

    def _record_suspension(self) -> None:
        self.answered |= self.condition("a", "Suspended")[0] == "True"

    # --- what may happen

    async def conflict(self) -> None:
        """Another window takes over."""
        self.speak(RunnerState.CONFLICT, StateReason.REPLACED)

    async def over(self) -> None:
        """The other window is closed."""
        self.speak(RunnerState.CONNECTED, StateReason.AS_EXPECTED)

    async def lost(self) -> None:
        """The pod vanishes with its node."""
        if self.pod("a"):
            self.runners.end(self.pod_uid("a"))
            self.evict("a")

    async def fails(self) -> None:
        """The browser crashes."""
        if self.pod_uid("a") in self.runners.states:
            self.end("a", code=30)

    async def silent(self) -> None:
        """The runner is not heard until `heard`."""
        self.runners.silent.add(self.pod_uid("a"))

    async def reachable(self) -> None:
        """All runners are heard, all watches tell."""
        self.loses_events = False
        while self.runners.silent:
            self.runners.wake(self.runners.silent.pop())

    async def unseen(self) -> None:
        """Watch events are lost."""
        self.loses_events = True

    async def crashed(self) -> None:
        """The operator's process is another one."""
        self.kill()
        await self.clock.advance(1)
        await self.start()

    async def faulty(self) -> None:
        """Most writes fail, or their answers are lost."""
        committed = self.random.random() < 0.5

        def fault(request: Request, _number: int) -> Fault | None:
            fails = request.method != "GET" and self.random.random() < 0.6
            return Fault(committed=committed) if fails else None

        self.api.fault = fault

    async def sound(self) -> None:
        """The API server works."""
        self.api.fault = lambda _request, _number: None

    async def restart(self) -> None:
        """A person asks."""
        self._request("restart-at")

    async def relink(self) -> None:
        """A person asks for the other thing."""
        self._request("relink-at")

    def _request(self, name: str) -> None:
        self.requests += 1
        self.answered = True
        self.ask("a", name, f"request {self.requests}")

    async def suspended(self) -> None:
        """A person puts the session to rest."""
        self.edit("a", {"spec": {"operatingMode": "Suspended"}})

    async def resumed(self) -> None:
        """A person wakes it."""
        self.edit("a", {"spec": {"operatingMode": "Running"}})

    async def applied_anew(self) -> None:
        """Deleted and applied; the claim and what lies on it stay."""
        self.api.remove("whatsappsessions", NAMESPACE, "a")
        self.session("a")
        self.answered = True

    async def full(self) -> None:
        """No place in the quota."""
        self._limit_sessions(0)

    async def free(self) -> None:
        """A place in the quota."""
        self._limit_sessions(1)

    def _limit_sessions(self, number: int) -> None:
        self.api.change("whatsappsessionquotas", "", "default", {"spec": {"sessions": number}})

    async def moments(self) -> None:
        """A part of what is under way."""
        await self.rest(self.random.choice([0.25, 0.5, 1]))

    async def while_(self) -> None:
        """All that is under way, silence and a resync included."""
        await self.rest(self.random.choice([10, 70]))

    async def rest(self, seconds: float = 200) -> None:
        """Let time pass, and the garbage collector look."""
        end = self.clock.seconds + seconds
        await self.until(lambda: self.clock.seconds >= end, within=seconds + 10)
        live = {session["metadata"]["uid"] for session in self.api.all("whatsappsessions")}
        for pod in list(self.api.all("pods")):
            if pod["metadata"]["ownerReferences"][0]["uid"] not in live:
                self.runners.end(pod["metadata"]["uid"])
                self.api.remove("pods", NAMESPACE, pod["metadata"]["name"])

    async def anything(self) -> None:
        """Let one thing happen."""
        acts: list[Callable[[], Awaitable[None]]] = [self.conflict, self.conflict, self.over, self.lost, self.lost]
        acts += [
            self.fails,
            self.silent,
            self.reachable,
            self.unseen,
            self.crashed,
            self.faulty,
            self.sound,
            self.sound,
        ]
        acts += [self.restart, self.relink, self.suspended, self.resumed, self.resumed, self.applied_anew]
        acts += [self.full, self.free, self.moments, self.moments, self.while_, self.while_]
        act = self.random.choice(acts)
        self.acts.append(act.__name__)
        await act()

    def written(self) -> list[Json]:
        """Return what was written but Leases and events."""
        return [vars(write) for write in self.api.writes if not write.path.rsplit("/", 1)[-1].startswith("event")]


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_no_storm_takes_over_and_none_leaves_a_session_that_nobody_can_start(seed: int) -> None:
    """No page is opened in a conflict that nobody answered; and when it is quiet, one request opens it, and that is all."""
    storm = Storm(seed)
    storm.namespace()
    storm.quota(sessions=1)
    await storm.start()
    storm.session("a")
    await storm.rest(5)
    for _ in range(ACTS):
        await storm.anything()
        await storm.rest(0.25)

    for calm in (storm.sound, storm.reachable, storm.free, storm.resumed):
        await calm()
    await storm.rest(100)
    await storm.restart()
    await storm.until(
        lambda: storm.condition("a", "Ready")[0] == "True" and storm.pod_uid("a") in storm.open, within=500
    )
    await storm.rest(70)
    written = storm.written()
    await storm.rest(130)

    assert ("False", "NotStalled") == storm.condition("a", "Stalled"), storm.acts
    assert f"request {storm.requests}" == storm.status("a")["handledRequests"]["restart-at"]
    assert written == storm.written()
    await storm.stop()
