"""One look at one session: observe, decide, write the status, act, tell.

Called by the workers with a key that changed somehow. It does not matter what happened: everything that is known of
the session goes into an `Observation`, the core decides, and this module carries the decision out in the order that
survives a crash at any point:

    status that must be stored first (commit) ──> look again ──> actions ──> look again ──> other status, when due

After each commit and after each batch of actions the session is decided anew on what the API server answered, so that
a session goes from admitted to created without waiting for its own events.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.decide import decide
from whatsapp_operator.core.model import (
    Blocked,
    Decision,
    Defaults,
    Observation,
    PodFacts,
    PodUID,
    SessionUID,
)
from whatsapp_operator.core.quota import covers, reserved_place
from whatsapp_operator.runtime.admission import Admission
from whatsapp_operator.runtime.clock import Clock, until
from whatsapp_operator.runtime.events import Events
from whatsapp_operator.runtime.executor import Executor, LookAgain, Work
from whatsapp_operator.runtime.foreign import LOOK_EVERY, Sightings
from whatsapp_operator.runtime.instances import Instance
from whatsapp_operator.runtime.observer import Observer
from whatsapp_operator.runtime.resources import SESSIONS, Json, uid_of
from whatsapp_operator.runtime.runners import Runners, Target
from whatsapp_operator.runtime.status_writer import Pending, StatusWriter
from whatsapp_operator.runtime.store import Store

logger = logging.getLogger(__name__)

STEPS: Final = 8
""" Decisions in one look at most. A session needs four from nothing to its pod; more looks like two sides that undo
each other, and then the back-off is the brake. """


class Unsettled(Exception):
    """The session was still not settled after STEPS decisions."""


@dataclass
class Memory:
    """What is remembered of one session between two looks; all of it can be lost."""

    uid: SessionUID
    sightings: Sightings
    pending: Pending = field(default_factory=Pending)
    blocked: Blocked | None = None


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a look at a session needs."""

    store: Store
    clock: Clock
    observer: Observer
    executor: Executor
    writer: StatusWriter
    events: Events
    runners: Runners
    admission: Admission
    instance: Instance
    defaults: Callable[[], Defaults]
    """ Asked for each look: the current key changes with a rotation. """
    sightings: Callable[[], Sightings]


class Reconciler:
    """Looks at sessions."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._memories: dict[ObjectKey, Memory] = {}

    async def reconcile(self, key: ObjectKey) -> float | None:
        """Deal with a session; return in how many seconds to look again, None: when something happens.

        :raises KubeError: the API server could not be asked or did not do it; back off and look again.
        :raises Unsettled: something undoes what is done; back off and look again.
        """
        if not await self._parts.instance.serves(key.namespace):
            self.forget(key)
            return None
        for _ in range(STEPS):
            seen = self._parts.store.get(SESSIONS, key)
            if seen is None:
                self.forget(key)
                return None
            memory = self._memory(key, seen)
            await memory.sightings.refresh()
            try:
                decision, again = await self._step(key, seen, memory)
            except LookAgain as found:
                logger.debug("Looking again", extra={"session": str(key), "why": str(found)})
                continue
            if not again:
                return self._next(decision, memory)
        raise Unsettled(f"{key} was not settled after {STEPS} decisions")

    def forget(self, key: ObjectKey) -> None:
        """The session is gone, or another operator's: stop everything about it."""
        memory = self._memories.pop(key, None)
        self._parts.runners.forget(key)
        if memory is not None:
            self._parts.admission.forget(memory.uid)

    def _memory(self, key: ObjectKey, seen: Json) -> Memory:
        uid = SessionUID(uid_of(seen))
        memory = self._memories.get(key)
        if memory is not None and memory.uid != uid:  # deleted and applied anew: nothing of the old one holds
            self.forget(key)
            memory = None
        if memory is None:
            memory = self._memories[key] = Memory(uid, self._parts.sightings())
        return memory

    async def _step(self, key: ObjectKey, seen: Json, memory: Memory) -> tuple[Decision, bool]:
        """Decide once and carry it out; return whether to decide again at once."""
        session = WhatsAppSession.parse(seen)
        observation = self._parts.observer.observe(session, blocked=memory.blocked, sightings=memory.sightings)
        decision = decide(observation, self._parts.defaults())
        logger.debug("Decided", extra={"session": str(key), **decision.details})
        self._admission(observation, decision, memory)
        again = self._listen(key, memory.uid, observation, decision)
        if decision.commit or not decision.actions:
            wrote = await self._write(seen, session, decision, memory)
            return decision, wrote or again
        work = Work(key=key, uid=memory.uid, sightings=memory.sightings)
        for action in decision.actions:
            blocked = await self._parts.executor.carry_out(action, work)
            if blocked is not None:
                memory.blocked = blocked
                break  # what follows builds on it
            if memory.blocked is not None and memory.blocked.action == type(action).__name__:
                memory.blocked = None
        return decision, True

    async def _write(self, seen: Json, session: WhatsAppSession, decision: Decision, memory: Memory) -> bool:
        if not await self._parts.writer.write(seen, session.status, decision, memory.pending):
            return False
        for note in decision.events:  # the status that tells the same is written
            self._parts.events.tell(seen, note)
        return True

    def _admission(self, observation: Observation, decision: Decision, memory: Memory) -> None:
        grant, place = observation.grant, reserved_place(observation.session)
        if grant is not None and place is not None and covers(place, grant):
            # What was seen is what the API server stored: from here on the status counts, not the grant. A smaller
            # place is of before: while the larger one is on its way, a round must still count the grant.
            self._parts.admission.confirmed(memory.uid)
        if not decision.wants_admission:
            self._parts.admission.unwanted(memory.uid)
        elif observation.grant is None and observation.refusal is None:
            self._parts.admission.request()

    def _listen(self, key: ObjectKey, uid: SessionUID, observation: Observation, decision: Decision) -> bool:
        pod = _pod(observation, decision.poll)
        if pod is None or pod.ip is None or pod.key_id is None:
            self._parts.runners.ignore(key)
            return False
        return self._parts.runners.listen(
            Target(key=key, session_uid=uid, pod_uid=pod.uid, ip=pod.ip, key_id=pod.key_id)
        )

    def _next(self, decision: Decision, memory: Memory) -> float | None:
        moments = [moment for moment in (decision.wake_at, memory.pending.due) if moment is not None]
        delays = [until(moment, clock=self._parts.clock) for moment in moments]
        if memory.sightings:
            delays.append(LOOK_EVERY)
        return min(delays, default=None)


def _pod(observation: Observation, uid: PodUID | None) -> PodFacts | None:
    return next((pod for pod in observation.pods if pod.uid == uid), None)
