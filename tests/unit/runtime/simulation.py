"""A cluster in memory with the whole runtime in it: time that a test moves, a kubelet, runners, people, and accidents.

    simulation = Simulation()
    await simulation.start()                 # an operator begins
    simulation.session("a")                  # a person applies a session
    await simulation.until(lambda: simulation.state("a") == "QRPending")
    simulation.kill()                        # SIGKILL, between two instructions
    await simulation.start()                 # a new process

Nothing of the runtime is replaced but its seams: `KubeClient`, `Clock`, `RunnerClient`, the jitter.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from session_protocol.answers import State
from session_protocol.live_settings import LiveSettings, digest_of_settings
from session_protocol.times import format_time
from unit.runtime.fakes import FakeClock, exactly, settle
from unit.runtime.memory_api import Json, Killed, MemoryApi
from whatsapp_operator.core.model import AccountHash, Defaults, KeyID, TokenSource
from whatsapp_operator.core.network import RunnerNetwork
from whatsapp_operator.runtime.kube.client import Kube, Request, Response
from whatsapp_operator.runtime.kube.resync import Stream
from whatsapp_operator.runtime.process.config import SELECTORS, Config, Dependencies
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.process.operator import Operator
from whatsapp_operator.runtime.runners.client import WAIT, NoAnswer, Target

SIX = ("a", "b", "c", "d", "e", "f")
""" Sessions, where a test needs as many as fail together. """
NAMESPACE = "shop"
PLURALS = {resource.plural: resource for resource in SELECTORS}
LATENCY = 0.01
""" Seconds that a watch event takes. """
STEP = 0.25
LEASE = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {"name": "whatsapp-operator", "namespace": "ops", "uid": "lease"},
}
""" What events about the operator as a whole are about. """


@dataclass
class Process:
    """One operator's connection to the API server; dead processes make no requests."""

    api: MemoryApi
    dead: bool = False

    async def send(self, request: Request) -> Response:
        """Ask, unless dead."""
        if self.dead:
            raise Killed
        try:
            response = await self.api.send(request)
        except Killed:
            self.dead = True
            raise
        if self.dead:  # killed while the answer was on its way
            raise Killed
        return response


@dataclass
class FakeRunners:
    """What the runners say, by pod UID; a `RunnerClient`."""

    clock: FakeClock
    node_time: Callable[[], datetime]
    states: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    since: dict[str, datetime] = field(default_factory=dict)
    """ Since when, by the node's clock, each pod's runner is in its state. """
    silent: set[str] = field(default_factory=set)
    news: dict[str, asyncio.Event] = field(default_factory=dict)
    renewed: dict[str, TokenSource] = field(default_factory=dict)
    """ The tokens that a runner was told of. """
    settings: dict[str, LiveSettings] = field(default_factory=dict)
    """ The settings that it was told to go by. """

    def say(self, uid: str, state: str, reason: str = "AsExpected") -> None:
        """Let a pod's runner say something."""
        revision = self.states.get(uid, (0, "", ""))[0] + 1
        if self.states.get(uid, (0, "", ""))[1] != state:
            self.since[uid] = self.node_time()
        self.states[uid] = (revision, state, reason)
        self.wake(uid)

    def end(self, uid: str) -> None:
        """The pod has ended."""
        self.states.pop(uid, None)
        self.wake(uid)

    def wake(self, uid: str) -> None:
        """Have a parked question answered."""
        self.news.pop(uid, asyncio.Event()).set()

    async def get_state(self, target: Target, *, after: int | None) -> State:
        """Play runner."""
        uid = target.pod_uid
        if uid in self.states and uid not in self.silent and self.states[uid][0] == after:
            news = self.news.setdefault(uid, asyncio.Event())
            timer = self.clock.call_later(WAIT.total_seconds(), news.set)
            await news.wait()
            timer.cancel()
        if uid not in self.states or uid in self.silent:
            raise NoAnswer("silent")
        revision, state, reason = self.states[uid]
        return State(
            session_uid=target.session_uid,
            pod_uid=uid,
            revision=revision,
            state=state,
            reason=reason,
            since=self.since[uid],
            settings_digest=digest_of_settings(self.settings.get(uid, LiveSettings())),
        )

    async def renew_tokens(self, target: Target, source: TokenSource) -> None:
        """Take other tokens."""
        if target.pod_uid not in self.states or target.pod_uid in self.silent:
            raise NoAnswer("silent")
        self.renewed[target.pod_uid] = source

    async def change_settings(self, target: Target, settings: LiveSettings) -> bool:
        """Take other settings."""
        if target.pod_uid not in self.states or target.pod_uid in self.silent:
            raise NoAnswer("silent")
        self.settings[target.pod_uid] = settings
        return True

    async def get_account(self, target: Target, *, key_id: KeyID) -> tuple[int, AccountHash]:
        """Tell nothing: no state of these speaks of an account."""
        raise NoAnswer(f"{target.key} has no account for {key_id}")


def _without_accidents(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say nothing of tasks that a `Killed` ended, alone or in a task group, which nobody asks any more.

    They are found by the garbage collector at any moment, also while another test runs, and writing their traceback in
    the middle of another one's parsing is more than Python 3.11 bears ("AST constructor recursion depth mismatch").
    """
    error = context.get("exception")
    of_others = error.split(Killed)[1] if isinstance(error, BaseExceptionGroup) else error
    if "exception" not in context or not (of_others is None or isinstance(of_others, Killed)):
        loop.default_exception_handler(context)


class Simulation:
    """The whole of it."""

    def __init__(self, *, resync: float = 60, network: RunnerNetwork | None = None) -> None:
        self.network = network
        self.clock = FakeClock()
        self.server_ahead = self.node_ahead = timedelta()
        """ How wrong the clocks of the API server and of the node are. """
        self.api = MemoryApi(now=lambda: self.clock.true_time + self.server_ahead)
        self.runners = FakeRunners(self.clock, node_time=lambda: self.clock.true_time + self.node_ahead)
        self.first_state = ("QRPending", "WaitingForScan")
        self.start_pods = True
        self.missing_images: set[str] = set()
        """ Images that no node can pull. """
        self.runner_image = "runner:1"
        """ The operator's setting, for the next process. """
        self.broken_images: dict[str, str] = {}
        """ Images whose browser does not start, with their runners' last words. """
        self.resync = timedelta(seconds=resync)
        self.operator: Operator | None = None
        self.loses_events = False
        """ Watch events are lost. """
        self.begins_anew = False
        """ An operator whose knowledge is worthless is followed by another, as in its process. """
        self.checks: list[Callable[[], None]] = []
        """ Called after each change in the cluster: what must always hold. """
        self._process = Process(self.api)
        self._before: set[asyncio.Task[Any]] = set()
        self.api.watchers += [self._kubelet, self._check, self._watch]

    # --- the operator --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start an operator's process."""
        self._before = asyncio.all_tasks()
        asyncio.get_running_loop().set_exception_handler(_without_accidents)
        self._process = Process(self.api)
        self.clock.begin_anew()
        self.operator = Operator(
            Config(
                defaults=Defaults(runner_image=self.runner_image, network=self.network),
                namespace="ops",
                key_secret="keys",
                identity="operator-1",
                resync_interval=self.resync,
                workers=3,
            ),
            Dependencies(
                kube=Kube(self._process, timeout=30),
                clock=self.clock,
                metrics=Metrics(),
                runner_client=self.runners,
                jitter=exactly,
            ),
            regarding=lambda: LEASE,
        )
        asyncio.get_running_loop().create_task(self.operator.start())
        await settle()

    def kill(self) -> None:
        """End the process between two instructions: no handler runs that could still make a request."""
        self._process.dead = True
        for task in asyncio.all_tasks() - self._before - {asyncio.current_task()}:
            task.cancel()
        self.operator = None

    @property
    def killed(self) -> bool:
        """The process met a `Killed`."""
        return self._process.dead

    async def stop(self) -> None:
        """End everything."""
        self.kill()
        self.api.watchers.clear()
        await settle()

    async def up(self, *names: str, **spec: Any) -> None:
        """Start an operator and bring sessions up."""
        await self.start()
        for name in names:
            self.session(name, **spec)
        await self.until(lambda: all(self.state(name) == "QRPending" for name in names))

    async def until(self, seen: Callable[[], object], *, within: float = 600, step: float = STEP) -> None:
        """Let time pass until something is so; a killed operator is replaced by a new one after a second."""
        end = self.clock.seconds + within
        while not seen():
            if self.clock.seconds > end:
                raise AssertionError(f"waited in vain; sessions: {self.api.all('whatsappsessions')}")
            await self.clock.advance(step)
            if self.begins_anew and self.operator is not None and self.operator.resync.worthless() is not None:
                self.kill()
                await self.start()
            if self.operator is not None and self.killed:
                self.kill()
                await self.clock.advance(1)
                await self.start()

    async def rest(self, seconds: float = 200) -> None:
        """Let time pass."""
        end = self.clock.seconds + seconds
        await self.until(lambda: self.clock.seconds >= end, within=seconds + 10, step=2.0)

    # --- people --------------------------------------------------------------------------------------------------

    def namespace(self, name: str = NAMESPACE, labels: dict[str, str] | None = None) -> None:
        """Make a namespace."""
        self.api.put("namespaces", {"metadata": {"name": name, "labels": labels or {}}})

    def quota(self, **spec: Any) -> None:
        """Create the quota."""
        self.api.put("whatsappsessionquotas", _custom("WhatsAppSessionQuota", {"name": "default"}, spec))

    def session(self, name: str, *, namespace: str = NAMESPACE, **spec: Any) -> Json:
        """Apply a session."""
        return self.api.put(
            "whatsappsessions", _custom("WhatsAppSession", {"name": name, "namespace": namespace}, spec)
        )

    def edit(self, name: str, patch: Json) -> None:
        """Change a session."""
        self.api.change("whatsappsessions", NAMESPACE, name, patch)

    def ask(self, name: str, request: str, value: str = "2026-01-01T00:00:00Z") -> None:
        """Set a request's annotation."""
        self.edit(name, {"metadata": {"annotations": {f"wasession.dev/{request}": value}}})

    def status(self, name: str) -> Json:
        """Return a session's status."""
        session = self.api.get("whatsappsessions", NAMESPACE, name) or {}
        status: Json = session.get("status") or {}
        return status

    def state(self, name: str) -> str | None:
        """Return a session's state."""
        return self.status(name).get("state")

    def gauge(self, name: str, **labels: str) -> float:
        """Return a metric of the running operator."""
        assert self.operator is not None
        self.operator.measure()
        return self.operator._dependencies.metrics.registry.get_sample_value(name, labels) or 0.0

    def condition(self, name: str, kind: str) -> tuple[str, str]:
        """Return a condition's status and reason."""
        conditions = self.status(name).get("conditions") or []
        found: Json = next((found for found in conditions if found["type"] == kind), {})
        return found.get("status", ""), found.get("reason", "")

    # --- the node ------------------------------------------------------------------------------------------------

    def pod(self, name: str, *, namespace: str = NAMESPACE) -> Json | None:
        """Return a pod."""
        return self.api.get("pods", namespace, name)

    def pod_uid(self, name: str, *, namespace: str = NAMESPACE) -> str:
        """Return a pod's UID, or nothing."""
        pod = self.pod(name, namespace=namespace)
        return str(pod["metadata"]["uid"]) if pod else ""

    def end(self, name: str, *, code: int, message: str = "", namespace: str = NAMESPACE) -> None:
        """Let a pod's container end."""
        ended = {
            "exitCode": code,
            "reason": "Error",
            "message": message,
            "startedAt": self._stamp(-5),
            "finishedAt": self._stamp(),
        }
        status = {
            "phase": "Failed" if code else "Succeeded",
            "containerStatuses": [{"name": "runner", "state": {"terminated": ended}}],
        }
        self.runners.end(self.pod_uid(name, namespace=namespace))
        self.api.change("pods", namespace, name, {"status": status}, status=True)

    def evict(self, name: str) -> None:
        """Let a pod vanish with its node."""
        self.api.remove("pods", NAMESPACE, name)

    def say(self, name: str, state: str, reason: str = "AsExpected") -> None:
        """Let the runner of a session's pod say something."""
        self.runners.say(self.pod_uid(name), state, reason)

    def _kubelet(self, plural: str, event: str, obj: Json) -> None:
        if plural != "pods" or not self.start_pods:
            return
        name, uid = obj["metadata"]["name"], obj["metadata"]["uid"]
        if event == "ADDED":
            self.clock.call_later(0.3, lambda: self._run(name, uid))
        elif event == "MODIFIED" and "deletionTimestamp" in obj["metadata"]:
            self.clock.call_later(0.5, lambda: self._finish(name, uid))

    def _namespace(self, uid: str) -> str | None:
        """Return where a pod is; None: it is gone."""
        pods = [pod["metadata"] for pod in self.api.all("pods")]
        return next((str(pod["namespace"]) for pod in pods if pod["uid"] == uid), None)

    def _run(self, name: str, uid: str) -> None:
        if (namespace := self._namespace(uid)) is None:
            return
        pod = self.api.change("pods", namespace, name, {"spec": {"nodeName": "node-1"}})
        image = pod["spec"]["containers"][0].get("image", "")
        if image in self.missing_images:
            waiting = {"waiting": {"reason": "ImagePullBackOff", "message": f"Back-off pulling image {image}"}}
            conditions = [{"type": "PodScheduled", "status": "True"}]
            pending = {"conditions": conditions, "containerStatuses": [{"name": "runner", "state": waiting}]}
            self.api.change("pods", namespace, name, {"status": pending}, status=True)
            self.clock.call_later(30, lambda: self._run(name, uid))
            return
        running = {"running": {"startedAt": self._stamp()}}
        status = {
            "phase": "Running",
            "podIP": "127.0.0.1",
            "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "runner", "state": running}],
        }
        self.api.change("pods", namespace, name, {"status": status}, status=True)
        images = [container.get("image", "") for container in pod["spec"].get("containers") or []]
        if (
            message := next((self.broken_images[image] for image in images if image in self.broken_images), None)
        ) is not None:
            self.end(name, code=20, message=message, namespace=namespace)
            return
        self.runners.say(uid, *self.first_state)

    def _finish(self, name: str, uid: str) -> None:
        if (namespace := self._namespace(uid)) is not None:
            self.runners.end(uid)
            self.api.remove("pods", namespace, name)

    # --- the watches ---------------------------------------------------------------------------------------------

    def _watch(self, plural: str, event: str, obj: Json) -> None:
        resource = PLURALS.get(plural)
        operator = self.operator
        if resource is None or operator is None or self.loses_events:
            return

        def deliver() -> None:
            if self.operator is operator:
                operator.on_watch_event(Stream(resource, None), event, obj)

        self.clock.call_later(LATENCY, deliver)

    def _check(self, _plural: str, _event: str, _obj: Json) -> None:
        for check in self.checks:
            check()

    def _stamp(self, shift: float = 0) -> str:
        return format_time(self.clock.true_time + self.node_ahead + timedelta(seconds=shift))


def _custom(kind: str, metadata: Json, spec: Json) -> Json:
    return {"apiVersion": "wasession.dev/v1alpha1", "kind": kind, "metadata": dict(metadata), "spec": spec}


def outcome(simulation: Simulation) -> Json:
    """Return what two runs must agree on: what exists, what is said, and how often pods and claims were made or deleted.

    Times, UIDs and versions differ between runs; so do Secrets made twice and refused, Leases and events.
    """
    api = simulation.api
    statuses = {
        session["metadata"]["name"]: {
            "state": (session.get("status") or {}).get("state"),
            "admitted": "admission" in (session.get("status") or {}),
            "failures": ((session.get("status") or {}).get("recovery") or {}).get("consecutiveFailures"),
            "restarts": ((session.get("status") or {}).get("recovery") or {}).get("restarts"),
            "conditions": {
                found["type"]: (found["status"], found["reason"])
                for found in (session.get("status") or {}).get("conditions") or []
            },
        }
        for session in api.all("whatsappsessions")
    }
    counted = ("pods", "persistentvolumeclaims", "services")
    return {
        "said": statuses,
        "objects": {plural: sorted(obj["metadata"]["name"] for obj in api.all(plural)) for plural in counted},
        "created": {key: count for key, count in sorted(api.created.items()) if key[0] in counted and count},
        "deleted": {key: count for key, count in sorted(api.deleted.items()) if key[0] in counted},
        "quotas": [
            {name: value for name, value in (quota.get("status") or {}).items() if name != "conditions"}
            for quota in api.all("whatsappsessionquotas")
        ],
    }
