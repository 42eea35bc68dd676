"""A scripted kubelet: it binds the pods of one namespace, says that they run, and lets them end as a test wishes.

Each running pod has an address of its own in 127/8, where a runner answers: the real runner's HTTP side over a store
that the test fills, with the tokens of the pod's own Secret and its memory on the claim's "volume", a file. So the two halves of the protocol are tried on each other.
"""

import asyncio
import base64
import contextlib
import itertools
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from integration.operator.admin import Admin, Json, Refused
from session_protocol.environment import Variable
from session_protocol.logouts import logout_reason
from session_protocol.phone_number_id import phone_number_id
from session_protocol.states import traits_of
from session_protocol.times import format_time
from session_protocol.vocabulary import RunnerState, StateReason
from session_runner.monitoring.state_file import StateFile
from session_runner.settings import read_settings
from session_runner.states.facts import Facts
from session_runner.states.history import History
from session_runner.store import StateStore
from support.runner_parts import make_api, make_parts

NODE = "node-1"
_numbers = itertools.count(1)


def now() -> datetime:
    """The time, as the runner and the kubelet tell it."""
    return datetime.now(UTC)


def stamp() -> str:
    """The time as Kubernetes writes it."""
    return format_time(now())


def address() -> str:
    """An address of the loopback network that nobody else uses."""
    number = next(_numbers)
    return f"127.{10 + os.getpid() % 200}.{os.getpid() // 200 % 250}.{number % 250 + 1}"


@dataclass
class ScriptedRunner:
    """The runner of one pod."""

    ip: str
    store: StateStore
    site: web.AppRunner
    state_file: StateFile
    """ What lies on the profile. """
    asked: int = 0
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    """ Cleared: requests are taken and never answered. """

    def report(
        self,
        state: RunnerState,
        reason: StateReason = StateReason.AS_EXPECTED,
        *,
        message: str = "",
        linked: datetime | None = None,
        durable: datetime | None = None,
        round: int = 0,  # noqa: A002
    ) -> None:
        """Publish a state, after it was written to the profile as the real runner does."""
        self.state_file.reported(state=state, reason=reason, message=message)
        self.store.publish(
            state=state,
            reason=reason,
            message=message,
            linked_time=linked,
            durable_time=durable,
            round=round,
            logout=self.state_file.saved.logout if traits_of(state).linked is False else None,
        )

    def link(self) -> None:
        """A phone is linked."""
        self.state_file.update(History(), History(linked=True), Facts(registered=True))
        self.report(RunnerState.CONNECTED, linked=now())

    def log_out(self, given: str, reason: StateReason) -> None:
        """The page says that it is logged out, and why."""
        self.state_file.keep_logout_reason(logout_reason(given))
        self.report(RunnerState.LOGGED_OUT, reason)


@dataclass
class Node:
    """The kubelet of one namespace."""

    admin: Admin
    namespace: str
    folder: Path
    runners: dict[str, ScriptedRunner] = field(default_factory=dict)
    """ By pod UID. """
    first_report: tuple[RunnerState, StateReason] = (RunnerState.QR_PENDING, StateReason.WAITING_FOR_SCAN)
    start_pods: bool = True
    finish_pods: bool = True
    """ Take away what is being deleted. """
    grace: float = 0.0
    """ Seconds that a pod takes to end. """
    pause: bool = False
    """ Ask the API server for nothing: it is away. """
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """ Held while it looks at the pods and does something about them. """

    async def run(self) -> None:
        """Play kubelet until cancelled."""
        while True:
            async with self.looking:
                for pod in [] if self.pause else await self.admin.list("pods", self.namespace):
                    # A pod that vanishes under our hands is what a kubelet meets every day.
                    with contextlib.suppress(LookupError):
                        await self._sync_pod(pod)
            await asyncio.sleep(0.05)

    async def _sync_pod(self, pod: Json) -> None:
        metadata = pod["metadata"]
        if "deletionTimestamp" in metadata:
            if self.finish_pods:
                await asyncio.sleep(self.grace)
                await self.close(metadata["uid"])
                await self.admin.remove_pod(self.namespace, metadata["name"])
        elif self.start_pods and not pod["spec"].get("nodeName") and "ours" not in (metadata.get("labels") or {}):
            await self._start(pod)

    async def _start(self, pod: Json) -> None:
        name = pod["metadata"]["name"]
        try:
            await self.admin.bind(self.namespace, name, NODE)
        except Refused as refused:
            if refused.status != 409:
                raise
            return  # deleted since it was listed: the next look finds it so
        runner = await self._serve(pod)
        conditions = [{"type": kind, "status": "True"} for kind in ("PodScheduled", "Ready")]
        await self.status(
            name,
            {
                "phase": "Running",
                "podIP": runner.ip,
                "podIPs": [{"ip": runner.ip}],
                "startTime": stamp(),
                "conditions": conditions,
                "containerStatuses": [_container(pod, {"running": {"startedAt": stamp()}}, ready=True)],
            },
        )

    async def _serve(self, pod: Json) -> ScriptedRunner:
        metadata = pod["metadata"]
        session = next(owner["uid"] for owner in metadata["ownerReferences"] if owner["controller"])
        tokens = self.folder / metadata["uid"]
        tokens.mkdir()
        volume = next(volume for volume in pod["spec"]["volumes"] if "secret" in volume)
        secret = await self.admin.get("secrets", self.namespace, volume["secret"]["secretName"])
        for name, value in secret["data"].items():
            (tokens / name).write_bytes(base64.b64decode(value))
        phone = phone_number_id(self.namespace, metadata["name"])
        parts = make_parts(clock=now, phone=phone, session_uid=session, pod_uid=metadata["uid"])
        store, app = parts.base.store, make_api(parts, tokens)
        site = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        state_file = self._state_file(pod)
        stop = state_file.begin()
        runner = ScriptedRunner(address(), store, site, state_file)

        @web.middleware
        async def gate(request: web.Request, handler: Any) -> web.StreamResponse:
            runner.asked += 1
            answer: web.StreamResponse = await handler(request)
            await runner.answers.wait()
            return answer

        app.middlewares.insert(0, gate)
        await site.setup()
        await web.TCPSite(site, runner.ip, 8080).start()
        if stop is None:
            runner.report(*self.first_report)
        else:
            runner.report(stop.state, stop.reason, message=stop.message)
        runner.answers.set()
        self.runners[metadata["uid"]] = runner
        return runner

    def _state_file(self, pod: Json) -> StateFile:
        """Return the real runner's memory on the pod's claim, started with the pod's environment."""
        pvc = next(volume for volume in pod["spec"]["volumes"] if "persistentVolumeClaim" in volume)
        environment = {entry["name"]: entry.get("value", "") for entry in pod["spec"]["containers"][0]["env"]}
        start = read_settings(environment | {Variable.POD_UID: pod["metadata"]["uid"]}).start
        name = pvc["persistentVolumeClaim"]["claimName"]
        return StateFile(self.folder / f"{name}.json", clock=now, start=start)

    async def status(self, name: str, status: Json) -> None:
        """Write a pod's status."""
        await self.admin.patch("pods", self.namespace, name, {"status": status}, subresource="status")

    async def end(self, name: str, *, code: int, reason: str = "Error", message: str = "") -> None:
        """Let a pod's container end by itself."""
        pod = await self.admin.get("pods", self.namespace, name)
        started = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
        ended = {
            "exitCode": code,
            "reason": reason,
            "message": message,
            "startedAt": started,
            "finishedAt": stamp(),
        }
        await self.close(pod["metadata"]["uid"])
        await self.status(
            name,
            {
                "phase": "Failed" if code else "Succeeded",
                "containerStatuses": [_container(pod, {"terminated": ended}, ready=False)],
            },
        )

    async def end_lost(self, name: str) -> None:
        """Let a container have ended that this node knows nothing of any more, as after a restore of an older state."""
        pod = await self.admin.get("pods", self.namespace, name)
        state = {"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown", "finishedAt": stamp()}}
        await self.status(name, {"phase": "Failed", "containerStatuses": [_container(pod, state, ready=False)]})

    async def evict(self, name: str) -> None:
        """Let a pod be evicted: it is told so, and deleted."""
        pod = await self.admin.get("pods", self.namespace, name)
        conditions = [
            *pod["status"]["conditions"],
            {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "evicted"},
        ]
        await self.status(name, {"conditions": conditions})
        await self.admin.delete("pods", self.namespace, name)

    async def close(self, uid: str) -> None:
        """Take a pod's runner off the network."""
        runner = self.runners.pop(uid, None)
        if runner is not None:
            runner.answers.set()
            runner.store.close()
            await runner.site.cleanup()

    async def close_all(self) -> None:
        """Take all off the network."""
        for uid in list(self.runners):
            await self.close(uid)


def _container(pod: Json, state: Json, *, ready: bool) -> Json:
    container = pod["spec"]["containers"][0]
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": ready,
        "restartCount": 0,
        "started": ready,
        "state": state,
    }
