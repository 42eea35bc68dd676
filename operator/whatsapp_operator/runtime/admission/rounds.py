"""The admission round: the one coroutine that admits sessions, by a consistent LIST from the API server.

    request ──> assumed copied ──> LIST sessions, pods, quotas ──> admit (pure) ──> assumed, refusals, quota statuses

No cache is used: with outdated data a reservation could be given twice. The round itself writes no session. It keeps
the assumed reservation in memory, and the session's own worker writes it to status. The assumed reservations are copied
before the LIST, so each is counted until its write is confirmed: maybe in both places, which the UID makes one, but
never in none.

What is computed from the LIST runs in a thread, and its result is applied in slices: with ten thousand sessions either
takes longer than the event loop may be held. A session that is gone when its result is applied is left out; any other
change is as if it had come right after the LIST, and leads to another round.

Pods and claims whose creation is under way count, too (`under_way`).

However many requests come during a round, they lead to one more round; none, if all who asked have their answer from
this one. A session that is alone is admitted at once: rounds rest after their work, not before it (`round_pace`). An assumed
reservation that is lost with the process was in no status, so no pod was created for it.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.quota import WhatsAppSessionQuota
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import AssumedReservation, Defaults, Refusal, SessionUID
from whatsapp_operator.core.objects.ownership import ReadSeal, no_seal
from whatsapp_operator.core.quota.admit import AdmissionResult, admit
from whatsapp_operator.runtime.admission.quota_writer import Counted, QuotaWriter
from whatsapp_operator.runtime.admission.round_pace import RoundPace
from whatsapp_operator.runtime.admission.under_way import UnderWay
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import KubeError
from whatsapp_operator.runtime.kube.instances import Instance
from whatsapp_operator.runtime.kube.resources import PODS, PVCS, QUOTAS, SESSIONS, Json, Resource, uid_of
from whatsapp_operator.runtime.process.clock import Clock, Jitter, spread
from whatsapp_operator.runtime.process.garbage import Garbage
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.process.slices import Offload, drained, in_slices, inline

logger = logging.getLogger(__name__)

FIRST_RETRY: Final = 1.0
LAST_RETRY: Final = 15.0
""" Seconds until a failed round is retried, at first and at most. """


class Verdict(NamedTuple):
    """The result of the rounds for one session. Both None: it was in no round yet."""

    assumed: AssumedReservation | None
    refusal: Refusal | None


_NO_VERDICT: Final = Verdict(None, None)


class ClusterState(NamedTuple):
    """The objects of one LIST from the API server."""

    sessions: list[Json]
    pods: list[Json]
    quotas: list[Json]


class Admission:
    """Runs the rounds and keeps their results."""

    def __init__(
        self,
        *,
        kube: Kube,
        clock: Clock,
        instance: Instance,
        pods_selector: str,
        read_seal: ReadSeal = no_seal,
        pod_start_timeout: timedelta = Defaults.pod_start_timeout,
        claims: Callable[[], Sequence[Json]] = tuple,
        on_changed: Callable[[ObjectKey], None],
        metrics: Metrics,
        jitter: Jitter = spread,
        offload: Offload = inline,
        garbage: Garbage | None = None,
    ) -> None:
        self._kube = kube
        self._clock = clock
        self._instance = instance
        self._pods_selector = pods_selector
        self._read_seal = read_seal
        self._pod_start_timeout = pod_start_timeout
        self._claims = claims
        """ Returns the claims in the store: an own one is there as soon as it was made, and a late deletion only makes
        a session wait. """
        self._on_changed = on_changed
        """ Called with each session that has a new verdict. """
        self._metrics = metrics
        self._offload = offload
        self._garbage = garbage
        self._assumed: dict[SessionUID, AssumedReservation] = {}
        self._refusals: dict[SessionUID, Refusal] = {}
        self._declined: set[SessionUID] = set()
        """ Sessions that can use no place now, by their workers' last decisions. """
        self._gone: set[SessionUID] = set()
        """ The sessions that were forgotten since the round began. """
        self._alive: frozenset[SessionUID] | None = None
        """ The sessions of the last LIST that were not being deleted. """
        self._wake = asyncio.Event()
        self._requested = False
        """ A round was requested that no result of another can replace. """
        self._gathering = False
        """ It begins in a moment. """
        self._asking: set[SessionUID] = set()
        """ The sessions that have asked since the last round began, and have no verdict yet. """
        self._pace = RoundPace()
        self.under_way = UnderWay(clock=clock, freed=self.request)
        self._quotas = QuotaWriter(kube=kube, clock=clock, jitter=jitter, metrics=metrics, request=self.request)

    def request(self) -> None:
        """Request a round: a reservation may be free, or a quota has changed."""
        self._requested = True
        if not self._gathering:
            self._gathering = True
            self._clock.call_later(self._pace.gathers(self._clock.monotonic()), self._end_gathering)

    def ask(self, uid: SessionUID) -> None:
        """Request a round for a pending session, unless one that is under way has a verdict for it."""
        self._asking.add(uid)
        self._wake.set()

    def _end_gathering(self) -> None:
        self._gathering = False
        self._wake.set()

    def verdict(self, uid: SessionUID) -> Verdict:
        """Return the result of the rounds for a session."""
        return Verdict(self._assumed.get(uid), self._refusals.get(uid))

    def confirm(self, uid: SessionUID) -> None:
        """Drop the assumed reservation of a session whose status has it now."""
        self._assumed.pop(uid, None)

    def clear_refusal(self, uid: SessionUID) -> None:
        """Drop the refusal of a session that is not pending (any more)."""
        self._refusals.pop(uid, None)

    def decline(self, uid: SessionUID, *, holds: bool) -> None:
        """Take back what a session cannot use, and give it none until it asks again.

        :param holds: whether its status has a reservation, which the session cannot give back itself.
        """
        frees = self._assumed.pop(uid, None) is not None or (holds and uid not in self._declined)
        self._declined.add(uid)
        if frees:
            self.request()

    def wants(self, uid: SessionUID) -> None:
        """Take note that a session can use a place."""
        self._declined.discard(uid)

    def forget(self, uid: SessionUID) -> None:
        """Drop everything about a session that is gone, and request a round if that frees a reservation."""
        self._gone.add(uid)
        self._declined.discard(uid)
        self._asking.discard(uid)
        self.clear_refusal(uid)
        if self._assumed.pop(uid, None) is not None:
            self.request()

    async def run(self) -> None:
        """Run the requested rounds and write what they count, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._run_rounds())
            tasks.create_task(self._quotas.run())

    async def _run_rounds(self) -> None:
        retry = FIRST_RETRY
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not self._requested and not self._asking:  # another round was sooner
                continue
            self._pace.begin(self._clock.monotonic())
            self._requested = False
            self._asking.clear()
            try:
                counted = await self.round()
            except KubeError as error:
                logger.warning("Admission round failed", extra={"error": str(error)})
                self._metrics.admission_rounds.labels("error").inc()
                self.request()
                await self._clock.sleep(retry)
                retry = min(LAST_RETRY, retry * 2)
                continue
            retry = FIRST_RETRY
            self._metrics.admission_rounds.labels("success").inc()
            self._asking = {uid for uid in self._asking if self.verdict(uid) == _NO_VERDICT}
            if self._asking:
                self._wake.set()
            self._quotas.show(counted)
            await self._clock.sleep(self._pace.rest(self._clock.monotonic()))

    async def round(self) -> Counted:
        """Run one round, without a search for garbage meanwhile, which the objects of its LIST would set off.

        :raises KubeError: a LIST failed; nothing has changed.
        """
        with self._garbage.paused() if self._garbage is not None else contextlib.nullcontext():
            return await self._admit()

    async def _admit(self) -> Counted:
        self._gone.clear()
        assumed_reservations = dict(self._assumed)  # BEFORE the LIST: see the module's docstring
        self.under_way.begin_round()
        listed, now = await self._list_all(), self._clock.now()
        await asyncio.sleep(0)
        claims = [*self.under_way.counted(PVCS), *self._claims()]  # of one that is in both the store knows more
        declined = frozenset(self._declined)
        keys, result = await self._offload(
            lambda: _admitted(
                listed,
                assumed_reservations,
                claims=claims,
                read_seal=self._read_seal,
                declined=declined,
                pod_start_timeout=self._pod_start_timeout,
                now=now,
            )
        )
        await self._apply(keys, result)
        return Counted(listed.quotas, result.usage)

    async def _list_all(self) -> ClusterState:
        """List all kinds at once. If one LIST fails, the others end by themselves and change nothing.

        A reservation goes from assumed, which is copied before, to status and then to a pod as well, and it leaves status
        only when there is no pod. So it is in one of the LISTs, whichever came first, but for a session that leaves: its pod
        may have been made after that of pods, and the session be gone before that of sessions. Then pods are listed again.
        """
        sessions, pods, quotas = await asyncio.gather(
            self._list_served(SESSIONS, ""), self._list_served(PODS, self._pods_selector), self._list_quotas()
        )
        before, self._alive = self._alive, frozenset([uid async for uid in _alive(sessions)])
        if before is None or not before <= self._alive:
            pods = await self._list_served(PODS, self._pods_selector)
        return ClusterState(sessions, pods + self.under_way.counted(PODS), quotas)

    async def _list_quotas(self) -> list[Json]:
        return [obj for obj in (await self._kube.list(QUOTAS)).objects if self._instance.owns(obj)]

    async def _list_served(self, resource: Resource, labels: str) -> list[Json]:
        return [
            obj
            for scope in self._instance.scopes
            async for obj in in_slices((await self._kube.list(resource, namespace=scope, labels=labels)).objects)
            if await self._instance.serves(obj["metadata"]["namespace"])
        ]

    async def _apply(self, keys: Mapping[SessionUID, ObjectKey], result: AdmissionResult) -> None:
        before = self._refusals
        for uid in result.withdrawn:
            self._assumed.pop(uid, None)
        self._refusals = {uid: refusal for uid, refusal in result.refusals.items() if uid not in self._gone}
        # All at once, before anybody else has a turn: no session may be without its reservation when it is looked at.
        new = [assumed for assumed in result.assumed_reservations if assumed.session_uid not in self._gone]
        self._assumed |= {assumed.session_uid: assumed for assumed in new}
        async for assumed in in_slices(new):
            logger.info("Session admitted", extra={**keys[assumed.session_uid].log_fields, "quota": assumed.quota_name})
            self._on_changed(keys[assumed.session_uid])
        async for uid, refusal in in_slices(result.refusals.items()):
            if before.get(uid) != refusal:
                self._on_changed(keys[uid])


async def _alive(sessions: Sequence[Json]) -> AsyncIterator[SessionUID]:
    async for session in in_slices(sessions):
        if "deletionTimestamp" not in session["metadata"]:
            yield SessionUID(uid_of(session))


def _admitted(
    listed: ClusterState,
    assumed: Mapping[SessionUID, AssumedReservation],
    *,
    claims: Sequence[Json],
    read_seal: ReadSeal,
    declined: Collection[SessionUID],
    pod_start_timeout: timedelta,
    now: datetime,
) -> tuple[dict[SessionUID, ObjectKey], AdmissionResult]:
    """Return the sessions' names and the result; uses up its arguments and nothing else, so that a thread can run it."""
    sessions = [WhatsAppSession.parse(obj) for obj in drained(listed.sessions)]
    result = admit(
        sessions=sessions,
        pods=listed.pods,
        quotas=[WhatsAppSessionQuota.parse(quota) for quota in listed.quotas],
        assumed_reservations=assumed.values(),
        pvcs=claims,
        read_seal=read_seal,
        declined=declined,
        pod_start_timeout=pod_start_timeout,
        now=now,
    )
    for _ in drained(listed.pods):
        pass
    return {SessionUID(session.metadata.uid): session.key for session in drained(sessions)}, result
