"""The process that works: everything but the Lease, from its login to its end.

    log in ──> serve probes ──> wait for the Lease ──> watch, list everything, act ──> SIGTERM: finish, release, 0
                                                         ^               │   └─ a fault: end in order if possible, else hard, 1
                                                         └── begin anew ─┘

Ending is as important as running. When the Lease is lost, its parent kills this process (`lease_keeper`), and before each
write it checks itself that the Lease still allows it. One whose watches or full lists do not work ends, and the kubelet
restarts it. An orderly end has a deadline, after which `watchdog` ends the process.

Where only what is known has become worthless (`Resync.worthless`), all of it is dropped: the `Operator` with its store,
queue and reservations, and kopf with its watches. New ones begin, under the same Lease: nobody else could do it sooner.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from whatsapp_operator.api.constants import CLIENT_NAME
from whatsapp_operator.app.lease_link import HeldLease, SharedMemory
from whatsapp_operator.app.probes import Health, Probes, Role
from whatsapp_operator.app.settings import BadSettings, Settings
from whatsapp_operator.app.stop_signal import StopSignal
from whatsapp_operator.app.version import version
from whatsapp_operator.app.watchdog import Watchdog, end_now
from whatsapp_operator.core.model import Defaults
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.connection import (
    Connection,
    Credentials,
    credentials_path,
    service_account_namespace,
)
from whatsapp_operator.runtime.kube.resync import STALE_AFTER, Worthless
from whatsapp_operator.runtime.process.clock import SystemClock
from whatsapp_operator.runtime.process.config import Config, Dependencies
from whatsapp_operator.runtime.process.garbage import Garbage
from whatsapp_operator.runtime.process.heartbeat import beat
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.process.operator import Operator

logger = logging.getLogger(__name__)

USER_AGENT: Final = f"{CLIENT_NAME}/{version()}"
CHECK_EVERY: Final = 1.0
""" Seconds between two checks of the process's own health. """
FAULT_DEADLINE: Final = 10.0
""" Seconds for an orderly end after a fault. """
CLOCK_TOLERANCE: Final = 5.0
""" Seconds by which the machine's clock may differ from ours before it is told. """
BEGIN_ANEW_AFTER: Final = 30.0
""" Seconds from one new beginning to the next at least: two API servers that disagree may be asked in turn. """


class Fault(Exception):
    """A part of the process itself is broken, and only a new process helps."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What was read before anything is started."""

    settings: Settings
    defaults: Defaults
    namespace: str
    """ The operator's own. """
    credentials: Credentials

    @property
    def identity(self) -> str:
        """The name of the pod, as events and the Lease have it."""
        return self.settings.pod_name or socket.gethostname()


def read_inputs(settings: Settings) -> Inputs:
    """Read what the settings refer to, and log in.

    :raises BadSettings: something is missing or wrong.
    :raises BadCredentials: there are no credentials, or they cannot be read.
    """
    namespace = settings.operator_namespace or service_account_namespace()
    if not namespace:
        raise BadSettings("OPERATOR_NAMESPACE is not set, and there is no service account to read the namespace from")
    defaults = replace(settings.defaults(), network=settings.network(namespace))
    credentials = Credentials(clock=SystemClock(), kubeconfig=credentials_path())
    asyncio.run(credentials.load())
    return Inputs(settings=settings, defaults=defaults, namespace=namespace, credentials=credentials)


class Process:
    """One run of the operator, in the process that works."""

    def __init__(self, inputs: Inputs, *, memory: SharedMemory, lease: HeldLease) -> None:
        self._settings = inputs.settings
        self._namespace = inputs.namespace
        self._defaults = inputs.defaults
        self._credentials = inputs.credentials
        self._identity = inputs.identity
        self._memory = memory
        self._lease = lease
        self._clock = SystemClock()
        self._metrics = Metrics(sessions_limit=self._settings.metrics_sessions_limit)
        self._leader = self._metrics.leader.labels(self._settings.object_name)
        self._metrics.build.info({"version": version()})
        self._role = Role.STARTING
        self._since = self._clock.monotonic()
        """ When the role began. """
        self._stop = StopSignal()
        self._operator: Operator | None = None
        self._probes: Probes | None = None
        self._clock_was_set = False
        self._begun_anew = -BEGIN_ANEW_AFTER
        """ When everything last began anew. """
        self._watchdog = Watchdog(valid_until=lambda: lease.valid_until)

    async def run(self) -> None:
        """Run until SIGTERM. :raises Fault: the process is broken."""
        heartbeat = asyncio.create_task(beat(self._clock, self._on_beat))
        connection = Connection(
            self._credentials, user_agent=USER_AGENT, metrics=self._metrics, before_write=self._check_lease
        )
        timeout, page = self._settings.request_timeout.total_seconds(), self._settings.list_page_size
        kube = Kube(connection, timeout=timeout, page=page)
        probes = self._probes = Probes(
            health=self.health,
            measure=self._measure,
            metrics=self._metrics,
            token_file=self._settings.metrics_token_file,
        )
        port = await probes.start(address=self._settings.http_address, port=self._settings.http_port)
        logger.info("Probes served", extra={"port": port, "version": version()})
        config = Config(
            defaults=self._defaults,
            namespace=self._namespace,
            key_secret=self._settings.key_secret,
            identity=self._identity,
            instance=self._settings.instance,
            namespaces=self._settings.watch_namespaces,
            resync_interval=self._settings.resync_interval,
            workers=self._settings.workers,
        )
        dependencies = Dependencies(
            kube=kube, clock=self._clock, metrics=self._metrics, offload=asyncio.to_thread, garbage=Garbage()
        )
        self._stop.listen()
        self._watchdog.start()
        try:
            await self._act(lambda: Operator(config, dependencies, regarding=lambda: self._lease.reference))
        finally:
            # The watchdog still runs: what is left to end, the event loop included, has this long.
            self._watchdog.set_deadline(
                self._settings.shutdown_timeout.total_seconds(), status=1, reason="the orderly end took too long"
            )
            await probes.stop()
            await connection.close()
            heartbeat.cancel()

    async def _act(self, new_operator: Callable[[], Operator]) -> None:
        self._set_role(Role.STANDBY)
        if not await self._stop.unless_asked(self._lease.acquire()):
            return
        self._leader.set(1)
        while (worthless := await self._operate(new_operator())) is not None:
            reason, why = worthless
            logger.warning("Everything begins anew", extra={"reason": reason, "why": why})
            self._metrics.cache_resets.labels(reason).inc()
            self._begun_anew = self._clock.monotonic()

    async def _operate(self, operator: Operator) -> tuple[Worthless, str] | None:
        """Let an operator act until asked to stop, or until it is to be replaced by another; return why.

        :raises Fault: the process is broken.
        """
        self._operator = operator
        self._set_role(Role.SYNCING)
        kopf_stop = asyncio.Event()
        worthless = None
        # The watches begin before the first list ends, so that they report what changes in between.
        watches = asyncio.create_task(self._watch(operator, kopf_stop), name="watches")
        try:
            if await self._stop.unless_asked(operator.start()):
                self._set_role(Role.ACTING)
                worthless = await self._supervise(watches, operator)
        except Fault:
            self._watchdog.set_deadline(FAULT_DEADLINE, status=1, reason="the orderly end after a fault took too long")
            raise
        finally:
            await self._end(watches, operator, kopf_stop, begins_anew=worthless is not None)
        return worthless

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

    async def _supervise(self, watches: asyncio.Task[None], operator: Operator) -> tuple[Worthless, str] | None:
        """Return when asked to stop, or why everything is to begin anew. :raises Fault: the process is broken."""
        while not self._stop.asked:
            if watches.done():
                cause = None if watches.cancelled() else watches.exception()
                raise Fault(f"{watches.get_name()} ended: {cause or 'without an error'}") from cause
            if (worthless := operator.resync.worthless()) is not None:
                if self._clock.monotonic() - self._begun_anew >= BEGIN_ANEW_AFTER:
                    return worthless
            elif verdict := "; ".join(operator.faults()) or operator.resync.verdict():
                raise Fault(verdict)
            self._log_clock_change()
            await self._stop.wait(within=CHECK_EVERY)
        return None

    def _log_clock_change(self) -> None:
        """Log it once when the machine's clock was set: times in status are wrong until this one has caught up."""
        was_set = abs(self._clock.behind) > CLOCK_TOLERANCE
        if was_set and not self._clock_was_set:
            logger.warning("The machine's clock was set", extra={"ahead_seconds": round(self._clock.behind)})
        self._clock_was_set = was_set

    async def _end(
        self, watches: asyncio.Task[None], operator: Operator, kopf_stop: asyncio.Event, *, begins_anew: bool
    ) -> None:
        """End an operator and its watches in order, and give the Lease up unless another operator begins."""
        if not begins_anew:
            self._set_role(Role.STOPPING)
        allowed = self._settings.shutdown_timeout.total_seconds()
        self._watchdog.set_deadline(allowed, status=1, reason="the orderly end took too long")
        await operator.stop(within=allowed / 2)
        if not begins_anew:
            # Only now, when this process writes nothing any more, may another one act.
            await self._lease.release()
            self._leader.set(0)
        kopf_stop.set()
        _, late = await asyncio.wait([watches], timeout=allowed / 4)
        if late:
            watches.cancel()
            await asyncio.wait([watches], timeout=allowed / 8)
        if watches.done() and not watches.cancelled():
            watches.exception()  # it was reported by _supervise already
        if begins_anew:
            self._watchdog.clear_deadline()
        else:
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
        self._metrics.clock_offset.set(self._clock.behind)
        if self._operator is not None and self._role is Role.ACTING:
            self._operator.measure()
        else:  # before the first full list sessions are missing, and after the Lease another process tells of them
            self._metrics.fleet.show(None)

    def _set_role(self, role: Role) -> None:
        self._role, self._since = role, self._clock.monotonic()
        if self._probes is not None:
            self._probes.measure_anew()
        logger.info("Role", extra={"role": role})

    def _on_beat(self, lag: float) -> None:
        self._memory.heartbeats += 1
        self._metrics.loop_lag.observe(lag)

    def _check_lease(self) -> None:
        """End before a write that the Lease does not allow any more, as after a time in which this process was stopped."""
        if not self._lease.may_act:
            end_now(1, "the Lease was not renewed in time")
