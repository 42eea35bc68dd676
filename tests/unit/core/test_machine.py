"""A stormy life of three sessions: people, kubelet, runners, crashes and time in any order, and what holds all the while.

Promises are checked at the very request that would break them (`Watched`), not only afterwards. At the end the storm
stops, and the cluster must come to the state that everybody asked for, and rest there. `STORM_EXAMPLES=2000` is the
long form.
"""

import contextlib
import copy
import os
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from session_protocol.vocabulary import ExitCode, RunnerState, StateReason
from unit.core.fake_cluster import Crash, FakeCluster
from unit.core.raw_objects import Json
from whatsapp_operator.api.conditions import is_true
from whatsapp_operator.core.decision import Action, CreatePod, Decision, DeletePod, PatchPVC
from whatsapp_operator.core.session.holds import stored_hold
from whatsapp_operator.core.session.requests import request_pending

NAMES = ["a", "b", "c"]
names = st.sampled_from(NAMES)
SPECS: list[Json] = [
    {},
    {"operatingMode": "Suspended"},
    {"pod": {"image": "other"}},
    {"recovery": {"maxAttempts": 1, "healthyAfter": "1m"}},
    {"resources": {"limits": {"memory": "512Mi"}}},
    {"resources": {"limits": {"memory": "1Gi"}}},
    {"profile": {"retention": "Delete", "size": "2Gi"}},
]
REPORTS = [
    (RunnerState.CONNECTED, StateReason.AS_EXPECTED),
    (RunnerState.QR_PENDING, StateReason.WAITING_FOR_SCAN),
    (RunnerState.CONFLICT, StateReason.REPLACED),
    (RunnerState.TEMPORARILY_BANNED, StateReason.BANNED),
    (RunnerState.LOGGED_OUT, StateReason.WAITING_FOR_PERSON),
    (RunnerState.LOGGED_OUT, StateReason.RELINKING),
    (RunnerState.LINK_EXPIRED, StateReason.ROUNDS_USED_UP),
    (RunnerState.STOPPING, StateReason.STOP_REQUESTED),
    (RunnerState.OFFLINE, StateReason.NETWORK_UNREACHABLE),
    (RunnerState.CRASHED, StateReason.PAGE_DIED),
    ("Hibernating", "NotKnown"),
]
OVER = {RunnerState.CONNECTED, RunnerState.QR_PENDING}


@dataclass
class Watched(FakeCluster):
    """A cluster that looks at each request of the operator."""

    held: set[str] = field(default_factory=set)
    """ UIDs of sessions that wait for a person, as far as anybody has written. """
    allowed: int = 0
    """ How many places may be taken: the limit, or more where it was lowered below what was taken. """

    def taken(self) -> set[str]:
        """Return the UIDs that take a place: by reservation or by pod."""
        reserved = {s["metadata"]["uid"] for s in self.sessions.values() if (s.get("status") or {}).get("admission")}
        pods = (pod["metadata"].get("labels", {}).get("wasession.dev/session-uid") for pod in self.pods.values())
        return reserved | {uid for uid in pods if uid}

    def _write(self, name: str, decision: Decision) -> None:
        before = stored_hold(self.status(name))
        super()._write(name, decision)
        uid = self.sessions[name]["metadata"]["uid"]
        after = stored_hold(self.status(name))
        if after is not None and before is None:
            self.held.add(uid)
        if is_true(
            self.status(name).conditions, "Suspended"
        ):  # a suspension is an answer when it is complete, not before
            self.held.discard(uid)
        assert len(self.taken()) <= self.allowed, "more places are taken than the quota has"

    def _act(self, action: Action, name: str) -> bool:
        session = self.session(name)
        if isinstance(action, CreatePod):
            uid = session.metadata.uid
            assert name not in self.pods, "a pod was made beside another one"
            asked = request_pending(session, session.status.handled_requests)
            assert asked or uid not in self.held, "a stopped session was started without a request"
            self.held.discard(uid)
            assert session.status.admission is not None, "a pod was made without a place"
            recovery = session.status.recovery
            due = recovery.next_attempt_time if recovery is not None else None
            forgiven = session.status.observed_generation != session.metadata.generation
            forgiven = forgiven or request_pending(session, session.status.handled_requests)
            assert due is None or forgiven or due <= self.now, "a wait was cut short"
        if isinstance(action, DeletePod):
            pod = self.pods[action.name]
            assert action.uid == pod["metadata"]["uid"]
            owners = [owner["uid"] for owner in pod["metadata"].get("ownerReferences", [])]
            assert session.metadata.uid in owners, "a foreign pod was deleted"
        if isinstance(action, PatchPVC):
            labels = self.pvcs[action.name]["metadata"].get("labels", {})
            assert name == labels.get("wasession.dev/session"), "a foreign claim was patched"
        return super()._act(action, name)


class Storm(RuleBasedStateMachine):
    """Everything that can happen."""

    def __init__(self) -> None:
        super().__init__()
        self.cluster = Watched()
        self.limit = 0
        self.requests = 0
        self.foreign: dict[str, Json] = {}

    # --- people

    @initialize(limit=st.integers(1, 3))
    def begin(self, limit: int) -> None:
        """The quota and a session."""
        self.quota(limit)
        self.cluster.apply("a")

    @rule(limit=st.integers(0, 3))
    def quota(self, limit: int) -> None:
        """The limit is changed."""
        self.limit = limit
        self.cluster.set_quota(sessions=limit)
        self._settle_allowance()

    @rule(name=names, spec=st.sampled_from(SPECS))
    def apply(self, name: str, spec: Json) -> None:
        """A session is made or edited."""
        self.cluster.apply(name, spec=copy.deepcopy(spec))

    @precondition(lambda self: self.cluster.sessions)
    @rule(data=st.data(), request=st.sampled_from(["restart_at", "relink_at"]))
    def ask(self, data: st.DataObject, request: str) -> None:
        """A person asks for a new pod."""
        name = data.draw(st.sampled_from(sorted(self.cluster.sessions)))
        self.requests += 1
        self.cluster.annotate(name, **{request: f"request {self.requests}"})

    @precondition(lambda self: self.cluster.sessions)
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        """A person takes all requests away again, carried out or not."""
        name = data.draw(st.sampled_from(sorted(self.cluster.sessions)))
        self.cluster.sessions[name]["metadata"]["annotations"].clear()

    @precondition(lambda self: self.cluster.sessions)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """A session is deleted."""
        name = data.draw(st.sampled_from(sorted(self.cluster.sessions)))
        self.cluster.delete_session(name)
        self.cluster.memory.reports.pop(name, None)
        self.cluster.memory.failed.pop(name, None)

    @rule(name=names)
    def squat(self, name: str) -> None:
        """Somebody makes a pod of that name."""
        if name not in self.cluster.pods:
            self.foreign[name] = {
                "metadata": {"name": name, "uid": f"foreign-{name}", "namespace": "shop", "labels": {}},
                "spec": {},
                "status": {"phase": "Running"},
            }
            self.cluster.pods[name] = copy.deepcopy(self.foreign[name])

    @rule()
    def leave(self) -> None:
        """Somebody's pods go."""
        for name in self.foreign:
            self.cluster.gone(name)
        self.foreign.clear()

    @rule(name=names)
    def lose_pvc(self, name: str) -> None:
        """Somebody deletes a claim: it goes when its pod is gone."""
        pvc = self.cluster.pvcs.get(f"{name}-profile")
        if pvc is not None:
            pvc["metadata"]["deletionTimestamp"] = "2026-11-22T18:00:00Z"

    # --- kubelet, nodes, runners

    def _ours(self) -> list[str]:
        return sorted(name for name in self.cluster.pods if name not in self.foreign)

    def _living(self) -> list[str]:
        return [name for name in self._ours() if self.cluster.pods[name]["status"]["phase"] in ("Pending", "Running")]

    def _running(self) -> list[str]:
        return [name for name in self._ours() if self.cluster.pods[name]["status"]["phase"] == "Running"]

    @precondition(lambda self: self._living())
    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        """A pod starts."""
        self.cluster.run(data.draw(st.sampled_from(self._living())))

    @precondition(lambda self: self._living())
    @rule(data=st.data(), code=st.sampled_from([0, 1, 137, *ExitCode]))
    def end(self, data: st.DataObject, code: int) -> None:
        """A pod's container ends."""
        self.cluster.end(data.draw(st.sampled_from(self._living())), code=int(code))

    @precondition(lambda self: self._living())
    @rule(data=st.data())
    def evict(self, data: st.DataObject) -> None:
        """A pod is evicted."""
        self.cluster.evict(data.draw(st.sampled_from(self._living())))

    @precondition(lambda self: self._living())
    @rule(data=st.data())
    def stick(self, data: st.DataObject) -> None:
        """An image cannot be pulled."""
        name = data.draw(st.sampled_from(self._living()))
        if self.cluster.pods[name]["status"]["phase"] == "Pending":
            self.cluster.wait(name, reason="ImagePullBackOff")

    @precondition(lambda self: self._ours())
    @rule(data=st.data(), disrupted=st.booleans())
    def delete_pod(self, data: st.DataObject, *, disrupted: bool) -> None:
        """A pod is deleted by hand or by a drain."""
        self.cluster.delete_pod(data.draw(st.sampled_from(self._ours())), disrupted=disrupted)

    @precondition(lambda self: self._ours())
    @rule(data=st.data())
    def vanish(self, data: st.DataObject) -> None:
        """A pod's object is gone, seen or not."""
        self.cluster.gone(data.draw(st.sampled_from(self._ours())))

    @rule()
    def lose_node(self) -> None:
        """All pods are gone."""
        for name in self._ours():
            self.cluster.gone(name)

    @precondition(lambda self: any(name in self.cluster.sessions for name in self._running()))
    @rule(data=st.data(), reported=st.sampled_from(REPORTS))
    def say(self, data: st.DataObject, reported: tuple[str, str]) -> None:
        """A runner says something, and the operator has time to look."""
        name = data.draw(st.sampled_from([name for name in self._running() if name in self.cluster.sessions]))
        pod, session = self.cluster.pods[name], self.cluster.sessions[name]
        if pod["metadata"]["ownerReferences"][0]["uid"] != session["metadata"]["uid"]:
            return
        self.cluster.say(reported[0], name, reason=reported[1])
        if reported[0] in OVER or reported == (RunnerState.LOGGED_OUT, StateReason.RELINKING):
            self.cluster.held.discard(session["metadata"]["uid"])
        self.cluster.look(name)

    # --- time and the operator

    @rule(seconds=st.sampled_from([1, 5, 16, 61, 301, 700]))
    def pass_time(self, seconds: int) -> None:
        """Time passes."""
        self.cluster.tick(seconds)

    @rule()
    def answer(self) -> None:
        """All runners repeat their word."""
        self.cluster.keep_answering()

    @precondition(lambda self: self.cluster.sessions)
    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        """The operator carries out one decision."""
        self.cluster.look_once(data.draw(st.sampled_from(sorted(self.cluster.sessions))))

    @rule()
    def admit(self) -> None:
        """The operator makes a round."""
        self.cluster.admission_round()

    @rule()
    def resync(self) -> None:
        """The operator looks at everything, and touches no spec and nobody's metadata."""
        before = {name: copy.deepcopy((s["metadata"], s["spec"])) for name, s in self.cluster.sessions.items()}
        self.cluster.resync()
        assert before == {name: (s["metadata"], s["spec"]) for name, s in self.cluster.sessions.items()}

    @rule(requests=st.integers(0, 6))
    def crash(self, requests: int) -> None:
        """The operator ends after some requests, and a new one takes over."""
        self.cluster.crash_after = requests
        with contextlib.suppress(Crash):
            self.cluster.resync()
        self.cluster.restart_operator()

    @rule()
    def rest(self) -> None:
        """Looked at often enough without anything happening, nothing more is written."""
        for _ in range(4):
            self.cluster.resync()
        writes = self.cluster.writes
        self.cluster.resync()
        assert writes == self.cluster.writes

    # --- what always holds

    def _settle_allowance(self) -> None:
        open_reservations = {str(uid) for uid in self.cluster.memory.assumed}
        self.cluster.allowed = max(self.limit, len(self.cluster.taken() | open_reservations))

    @invariant()
    def reservations(self) -> None:
        """Never more places than the limit, but those taken before it was lowered; and they only become fewer."""
        taken = len(self.cluster.taken())
        assert taken <= self.cluster.allowed
        open_reservations = {str(uid) for uid in self.cluster.memory.assumed}
        self.cluster.allowed = max(self.limit, min(self.cluster.allowed, len(self.cluster.taken() | open_reservations)))

    @invariant()
    def strangers(self) -> None:
        """Nobody else's pod is ever touched."""
        assert self.foreign == {name: self.cluster.pods[name] for name in self.foreign}

    def teardown(self) -> None:
        """The storm stops: everything comes to where it should be, and rests."""
        cluster = self.cluster
        if not cluster.sessions and not cluster.pods:
            return
        self.leave()
        cluster.restart_operator()
        for _ in range(8):
            self._calm()
        writes = cluster.writes
        for _ in range(3):
            cluster.tick(5)
            cluster.keep_answering()
            cluster.resync()
        assert writes == cluster.writes, "it does not come to rest"
        self._assert_as_asked()

    def _calm(self) -> None:
        """Time passes, pods end and start as they should, runners answer."""
        cluster = self.cluster
        cluster.settle(passes=2)
        for pvc in [name for name, pvc in cluster.pvcs.items() if "deletionTimestamp" in pvc["metadata"]]:
            if pvc.removesuffix("-profile") not in cluster.pods:
                del cluster.pvcs[pvc]
        for name in self._running():
            pod, session = cluster.pods[name], cluster.sessions.get(name)
            report = cluster.memory.reports.get(name)
            if session is not None and (report is None or report.pod_uid != pod["metadata"]["uid"]):
                cluster.say(RunnerState.CONNECTED, name)
        cluster.tick(400)
        cluster.keep_answering()
        cluster.resync()

    def _assert_as_asked(self) -> None:
        cluster = self.cluster
        wanting = 0
        for name in cluster.sessions:
            session, status = cluster.session(name), cluster.status(name)
            assert session.metadata.generation == status.observed_generation
            has_pod = name in cluster.pods
            assert has_pod == (status.replicas == 1)
            if session.spec.operating_mode == "Suspended":
                assert (False, None, "Suspended") == (has_pod, status.admission, status.state)
            elif stored_hold(status) == RunnerState.LINK_EXPIRED:
                assert (False, None, "LinkExpired") == (has_pod, status.admission, status.state)
            elif str(cluster.condition("Stalled", name).status) == "True":
                assert has_pod or status.admission is None
            else:
                wanting += 1
                assert has_pod == (status.admission is not None)
                assert has_pod or "Queued" == status.state
        running = len([name for name in cluster.sessions if name in cluster.pods])
        reservations: Any = min(self.limit, wanting)
        assert running >= reservations, "a place is free and somebody waits"


TestStorm = Storm.TestCase
TestStorm.settings = settings(
    max_examples=int(os.environ.get("STORM_EXAMPLES", "20")),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
# A failure is made small before it is shown, and the long form takes its time.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
