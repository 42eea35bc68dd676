"""Leader election: only the process that holds the Lease, in the operator's own namespace, may write.

    acquire ──> held ── renew, renew, … ──> lost: the process ends
                  └── release (SIGTERM): the next one need not wait

What matters here is time:

* All deadlines are monotonic. The `renewTime` in the object is for people: another process's clock is never compared
  with ours. Another holder counts as alive while the object *changes* between our reads.
* A renewal counts from before its request was sent. A request that hangs is cancelled within the renew deadline, and
  that deadline is shorter than the duration after which others take over: the holder stops acting first.
* Losing the Lease ends the process at once, without clean-up (`on_lost`). Stopping a hundred tasks in order takes time,
  in which two operators would act. Everything is level-triggered: the next process reads the cluster and goes on.
* All of this runs in a process of its own (`app.lease_keeper`), where nothing else can delay it.

The model is client-go's leader election, with its names: lease duration, renew deadline, and ReleaseOnCancel for
`release`. The client library for Python has one too (`kubernetes.aio.leaderelection`, as of 37.0.2). It never creates
the Lease, compares another's wall clock with naive local time, sets no deadline for its requests, and neither stops nor
awaits the work when it has lost the Lease: two would act. Worth a new check once a year.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from whatsapp_operator.core.objects.names import operator_labels
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import AlreadyExists, Conflict, KubeError, NotFound
from whatsapp_operator.runtime.kube.resources import LEASES, Json
from whatsapp_operator.runtime.process.clock import Clock, Jitter, micro_time, spread

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LeaseTimes:
    """The durations of leader election. They must satisfy request timeout < renew deadline < duration."""

    duration: timedelta = timedelta(seconds=10)
    """ Another process takes over when the Lease has not changed for so long. """
    renew_deadline: timedelta = timedelta(seconds=7)
    """ The holder ends when it has not been able to renew for so long. """
    renew_every: timedelta = timedelta(seconds=2)
    """ Between renewals, and between reads of a Lease that another process holds. """
    request_timeout: timedelta = timedelta(seconds=3)
    """ For one request. """

    def __post_init__(self) -> None:
        if not timedelta() < self.request_timeout < self.renew_deadline < self.duration:
            raise ValueError(
                "the lease's times should be request timeout < renew deadline < duration, but they are "
                f"{self.request_timeout.total_seconds():g} s, {self.renew_deadline.total_seconds():g} s, "
                f"{self.duration.total_seconds():g} s"
            )
        if self.renew_every + self.request_timeout > self.renew_deadline:
            raise ValueError(
                "the lease should be renewed often enough that one request may fail: "
                "renew interval + request timeout must not be more than the renew deadline"
            )


class Phase(StrEnum):
    """The state of a process in the election."""

    WAITING = "waiting"
    HELD = "held"
    LOST = "lost"
    RELEASED = "released"


class Lease:
    """The Lease as seen by one process."""

    def __init__(
        self,
        *,
        kube: Kube,
        clock: Clock,
        namespace: str,
        name: str,
        identity: str,
        times: LeaseTimes,
        on_lost: Callable[[str], None],
        on_valid: Callable[[float], None] = lambda _: None,
        jitter: Jitter = spread,
    ) -> None:
        self._kube = kube
        self._clock = clock
        self._namespace = namespace
        self._name = name
        self._identity = identity
        """ Unique per process, so that a restarted container is not mistaken for the one before. """
        self._times = times
        self._on_lost = on_lost
        """ Ends the process; the argument says why. """
        self._on_valid = on_valid
        """ Told until when this process may act, monotonic seconds, at each renewal. """
        self._jitter = jitter
        self._last_seen: tuple[str, float] = ("", 0.0)
        """ The resourceVersion of another holder's Lease, and when we first saw it. """
        self._held: Json = {}
        self._renewed = 0.0
        self.phase = Phase.WAITING

    async def acquire(self) -> None:
        """Wait until this process holds the Lease."""
        while not await self._try():
            await self._clock.sleep(self._jitter(self._times.renew_every.total_seconds()))

    async def _try(self) -> bool:
        started = self._clock.monotonic()
        try:
            held = await self._acquired(started)
        except (AlreadyExists, Conflict):
            # Another process was quicker.
            return False
        except KubeError as error:
            logger.warning("Lease could not be read or acquired", extra={"error": str(error), "lease": self._name})
            return False
        if held is None:
            return False
        if self._clock.monotonic() - started > self._times.renew_deadline.total_seconds():
            return False  # it took so long that another process may have taken over already
        self._held, self.phase = held, Phase.HELD
        self._renewed_at(started)
        logger.info("Lease acquired", extra={"lease": self._name, "holder": self._identity})
        return True

    async def _acquired(self, started: float) -> Json | None:
        within = self._times.request_timeout.total_seconds()
        try:
            found = await self._kube.get(LEASES, namespace=self._namespace, name=self._name, within=within)
        except NotFound:
            labels = operator_labels(self._name)
            metadata = {"name": self._name, "namespace": self._namespace, "labels": labels}
            return await self._kube.create(
                LEASES,
                {
                    "apiVersion": "coordination.k8s.io/v1",
                    "kind": "Lease",
                    "metadata": metadata,
                    "spec": self._spec(transitions=0, acquired=self._clock.now()),
                },
                within=within,
            )
        spec = found.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if holder and holder != self._identity and not self._expired(found, started):
            return None
        transitions = int(spec.get("leaseTransitions") or 0) + (holder != self._identity)
        wanted = {**found, "spec": self._spec(transitions=transitions, acquired=self._clock.now())}
        return await self._kube.replace(LEASES, wanted, within=within)

    def _expired(self, found: Json, started: float) -> bool:
        version = found["metadata"]["resourceVersion"]
        if version != self._last_seen[0]:
            self._last_seen = (version, started)
            return False
        # The holder's own duration counts, too: its settings may differ from ours.
        duration = float((found.get("spec") or {}).get("leaseDurationSeconds") or 0)
        return started - self._last_seen[1] > max(duration, self._times.duration.total_seconds())

    async def hold(self) -> None:
        """Renew until cancelled, or until the Lease is lost and `on_lost` was called."""
        deadline = self._times.renew_deadline.total_seconds()
        # The watchdog is a timer, not a check after each request, so that it also fires while a request hangs.
        watchdog = self._clock.call_later(deadline - self._age(), self._overdue)
        try:
            while self.phase is Phase.HELD:
                await self._clock.sleep(self._times.renew_every.total_seconds())
                started = self._clock.monotonic()
                if await self._renew():
                    self._renewed_at(started)
                    watchdog.cancel()
                    watchdog = self._clock.call_later(deadline - self._age(), self._overdue)
        finally:
            watchdog.cancel()

    async def _renew(self) -> bool:
        spec = self._held.get("spec") or {}
        transitions = int(spec.get("leaseTransitions") or 0)
        wanted = {**self._held, "spec": {**self._spec(transitions=transitions), "acquireTime": spec.get("acquireTime")}}
        try:
            self._held = await self._kube.replace(LEASES, wanted, within=self._times.request_timeout.total_seconds())
        except Conflict:
            await self._reread()
            return False
        except NotFound:
            self._lose("the Lease was deleted")
            return False
        except KubeError as error:
            logger.warning("Lease could not be renewed", extra={"error": str(error), "lease": self._name})
            return False
        return True

    async def _reread(self) -> None:
        """Read the Lease after a conflict: it has our own write, whose answer was lost, or another holder's."""
        try:
            found = await self._kube.get(
                LEASES,
                namespace=self._namespace,
                name=self._name,
                within=self._times.request_timeout.total_seconds(),
            )
        except KubeError as error:
            logger.warning("Lease could not be read", extra={"error": str(error), "lease": self._name})
            return
        holder = (found.get("spec") or {}).get("holderIdentity")
        if holder == self._identity:
            self._held = found
        else:
            self._lose(f"the Lease is held by {holder or 'nobody'}")

    async def release(self) -> None:
        """Release the Lease, so that the next process need not wait for its expiry. Call it when all work has ended."""
        if self.phase is not Phase.HELD:
            return
        self.phase = Phase.RELEASED
        spec = {**(self._held.get("spec") or {}), "holderIdentity": "", "leaseDurationSeconds": 1}
        try:
            await self._kube.replace(
                LEASES, {**self._held, "spec": spec}, within=self._times.request_timeout.total_seconds()
            )
        except KubeError as error:
            logger.warning("Lease could not be released", extra={"error": str(error), "lease": self._name})
        else:
            logger.info("Lease released", extra={"lease": self._name, "holder": self._identity})

    @property
    def held(self) -> Json:
        """The Lease as it was last written by this process."""
        return self._held

    def _renewed_at(self, moment: float) -> None:
        self._renewed = moment
        self._on_valid(moment + self._times.renew_deadline.total_seconds())

    def _age(self) -> float:
        return self._clock.monotonic() - self._renewed

    def _overdue(self) -> None:
        self._lose("it could not be renewed in time")

    def _lose(self, reason: str) -> None:
        if self.phase is Phase.HELD:
            self.phase = Phase.LOST
            self._on_lost(reason)

    def _spec(self, *, transitions: int, acquired: datetime | None = None) -> dict[str, Any]:
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": math.ceil(self._times.duration.total_seconds()),
            "leaseTransitions": transitions,
            "renewTime": micro_time(self._clock.now()),
            **({"acquireTime": micro_time(acquired)} if acquired is not None else {}),
        }
