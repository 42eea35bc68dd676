"""One run of the operator, from the settings to an orderly end. `whatsapp_operator.__main__` runs it.

    log in ──> serve probes ──> wait for the Lease ──> watch, list everything, act ──> SIGTERM: finish, release
                                                            └─ a fault: end in order if possible, else hard

Ending is as important as running. A process that has lost the Lease ends at once. One whose watches or full lists do
not work ends, and the kubelet restarts it. An orderly end has a deadline, after which `watchdog` ends the process.
"""

import asyncio
import logging
import socket
import uuid
from datetime import timedelta
from typing import Any, Final

from whatsapp_operator.api.constants import CLIENT_NAME
from whatsapp_operator.app.probes import Health, Probes, Role
from whatsapp_operator.app.settings import BadSettings, Settings
from whatsapp_operator.app.stop_signal import StopSignal
from whatsapp_operator.app.version import version
from whatsapp_operator.app.watchdog import Watchdog, end_now
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.connection import Connection, Credentials, credentials_path
from whatsapp_operator.runtime.kube.resync import STALE_AFTER
from whatsapp_operator.runtime.process.clock import SystemClock
from whatsapp_operator.runtime.process.config import Config, Dependencies
from whatsapp_operator.runtime.process.keys import KeyRing
from whatsapp_operator.runtime.process.lease import Lease, Phase
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.process.operator import Operator

logger = logging.getLogger(__name__)

CHECK_EVERY: Final = 1.0
""" Seconds between two checks of the process's own health. """
FAULT_DEADLINE: Final = 10.0
""" Seconds for an orderly end after a fault. """


class Fault(Exception):
    """A part of the process itself is broken, and only a new process helps."""


class Process:
    """One run of the operator."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._metrics = Metrics()
        self._metrics.build.info({"version": version()})
        self._credentials = Credentials(clock=self._clock, kubeconfig=credentials_path())
        self._role = Role.STARTING
        self._since = self._clock.monotonic()
        """ When the role began. """
        self._stop = StopSignal()
        self._lease: Lease | None = None
        self._operator: Operator | None = None
        self._watchdog = Watchdog(valid_until=self._valid_until)

    # --- the two commands ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run until SIGTERM. :raises Fault: the process is broken."""
        namespace = self._namespace()
        defaults = self._settings.defaults()
        await self._credentials.load()
        connection = Connection(self._credentials, user_agent=f"{CLIENT_NAME}/{version()}", metrics=self._metrics)
        kube = self._kube(connection)
        probes = Probes(health=self.health, measure=self._measure, metrics=self._metrics)
        port = await probes.start(address=self._settings.http_address, port=self._settings.http_port)
        logger.info("Probes served", extra={"port": port, "version": version()})
        config = Config(
            defaults=defaults,
            namespace=namespace,
            key_secret=self._settings.key_secret,
            identity=self._pod,
            instance=self._settings.instance,
            namespaces=self._settings.watch_namespaces,
            resync_interval=self._settings.resync_interval,
            workers=self._settings.workers,
        )
        self._lease = Lease(
            kube=kube,
            clock=self._clock,
            namespace=namespace,
            name=self._settings.object_name,
            identity=f"{self._pod}_{uuid.uuid4().hex[:8]}",
            times=self._settings.lease_times(),
            on_lost=lambda reason: end_now(1, f"the Lease is lost: {reason}"),
        )
        self._operator = Operator(
            config,
            Dependencies(kube=kube, clock=self._clock, metrics=self._metrics),
            regarding=lambda: self._lease_object,
        )
        self._stop.listen()
        self._watchdog.start()
        try:
            await self._act(self._lease, self._operator)
        finally:
            # The watchdog still runs: what is left to end, the event loop included, has this long.
            self._watchdog.set_deadline(
                self._settings.shutdown_timeout.total_seconds(), status=1, reason="the orderly end took too long"
            )
            await probes.stop()
            await connection.close()

    async def rotate_key(self) -> None:
        """Add a new key and make it current; a running operator reads it within a resync interval."""
        namespace = self._namespace()
        await self._credentials.load()
        connection = Connection(self._credentials, user_agent=f"{CLIENT_NAME}/{version()}", metrics=self._metrics)
        keys = KeyRing(
            kube=self._kube(connection), clock=self._clock, namespace=namespace, name=self._settings.key_secret
        )
        try:
            await keys.rotate()
        finally:
            await connection.close()

    # --- a run ---------------------------------------------------------------------------------------------------

    async def _act(self, lease: Lease, operator: Operator) -> None:
        self._set_role(Role.STANDBY)
        if not await self._stop.unless_asked(lease.acquire()):
            return
        self._metrics.leader.set(1)
        self._set_role(Role.SYNCING)
        kopf_stop = asyncio.Event()
        tasks = [asyncio.create_task(lease.hold(), name="lease")]
        try:
            # The watches begin before the first list ends, so that they report what changes in between.
            tasks.append(asyncio.create_task(self._watch(operator, kopf_stop), name="watches"))
            if await self._stop.unless_asked(operator.start()):
                self._set_role(Role.ACTING)
                await self._supervise(tasks, operator)
        except Fault:
            self._watchdog.set_deadline(FAULT_DEADLINE, status=1, reason="the orderly end after a fault took too long")
            raise
        finally:
            await self._end(tasks, lease, operator, kopf_stop)

    async def _watch(self, operator: Operator, stop: asyncio.Event) -> None:
        # Imported here: kopf costs time and memory that a standby and `rotate-key` need not spend.
        from whatsapp_operator.app.watches import watch

        await watch(
            on_event=operator.on_watch_event,
            credentials=self._credentials,
            namespaces=self._settings.watch_namespaces,
            request_timeout=self._settings.request_timeout,
            page=self._settings.list_page_size,
            on_started=self._stop.listen,
            stop=stop,
        )

    async def _supervise(self, tasks: list[asyncio.Task[None]], operator: Operator) -> None:
        """Return when asked to stop. :raises Fault: the process is broken."""
        while not self._stop.asked:
            for task in tasks:
                if task.done():
                    cause = None if task.cancelled() else task.exception()
                    raise Fault(f"{task.get_name()} ended: {cause or 'without an error'}") from cause
            if verdict := "; ".join(operator.faults()) or operator.resync.verdict():
                raise Fault(verdict)
            await self._stop.wait(within=CHECK_EVERY)

    async def _end(
        self, tasks: list[asyncio.Task[None]], lease: Lease, operator: Operator, kopf_stop: asyncio.Event
    ) -> None:
        self._set_role(Role.STOPPING)
        allowed = self._settings.shutdown_timeout.total_seconds()
        self._watchdog.set_deadline(allowed, status=1, reason="the orderly end took too long")
        await operator.stop(within=allowed / 2)
        # Only now, when this process writes nothing any more, may another one act.
        tasks[0].cancel()
        await lease.release()
        self._metrics.leader.set(0)
        kopf_stop.set()
        _, late = await asyncio.wait(tasks, timeout=allowed / 4)
        for task in late:
            task.cancel()
        _, late = await asyncio.wait(tasks, timeout=allowed / 8)
        for task in set(tasks) - late:  # their errors were reported by _supervise already
            if not task.cancelled():
                task.exception()
        logger.info("Stopped")

    # --- health and metrics --------------------------------------------------------------------------------------

    def health(self) -> Health:
        """Return the health of the process."""
        operator = self._operator
        if operator is None or self._role not in (Role.SYNCING, Role.ACTING):
            return Health(role=self._role)
        faults = operator.faults()
        age = min(operator.resync.age, self._clock.monotonic() - self._since)
        if age > STALE_AFTER * self._settings.resync_interval.total_seconds():
            faults.append(f"no full list has succeeded for {age:.0f} s")
        return Health(role=self._role, faults=tuple(faults), resync_age=age)

    def _measure(self) -> None:
        if self._operator is not None:
            self._operator.measure()

    def _set_role(self, role: Role) -> None:
        self._role, self._since = role, self._clock.monotonic()
        logger.info("Role", extra={"role": role})

    def _valid_until(self) -> float | None:
        lease = self._lease
        return lease.valid_until if lease is not None and lease.phase is Phase.HELD else None

    @property
    def _lease_object(self) -> dict[str, Any] | None:
        return self._lease.held if self._lease is not None and self._lease.phase is Phase.HELD else None

    @property
    def _pod(self) -> str:
        return self._settings.pod_name or socket.gethostname()

    def _namespace(self) -> str:
        namespace = self._settings.operator_namespace or self._credentials.namespace
        if not namespace:
            raise BadSettings(
                "OPERATOR_NAMESPACE is not set, and there is no service account to read the namespace from"
            )
        return namespace

    def _kube(self, connection: Connection) -> Kube:
        timeout: timedelta = self._settings.request_timeout
        return Kube(connection, timeout=timeout.total_seconds(), page=self._settings.list_page_size)
