"""Stories of whole clusters at 10, 300 and 10,000 sessions: who pauses whom, what it is called, and what it costs."""

import gc
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from support.facts import T0
from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.core.recovery.circuit_breaker import Phase
from whatsapp_operator.core.recovery.health import Failure, SessionHealth
from whatsapp_operator.core.recovery.pauses import CLUSTER_MESSAGE, NAMESPACE_MESSAGE, PauseChange, RecoveryPauses

SIZES = {10: 2, 300: 30, 10_000: 200}
""" Sessions, and the namespaces that they are in. """
LARGE = pytest.param(10_000, marks=pytest.mark.slow)
each_size = pytest.mark.parametrize("sessions", [10, 300, LARGE])
LIMIT = 0.2
""" Seconds of one call. It takes 0.03 s at 10,000 sessions; the limit also holds where four others use the processor. """


def namespace(number: int) -> str:
    """Return the name of a namespace."""
    return f"team-{number:03}"


class Fleet:
    """A cluster's sessions, and what the pauses say about them; a paused session gets its pod when it may go on."""

    def __init__(self, sessions: int) -> None:
        self.pauses = RecoveryPauses()
        self.now = T0
        self.health: dict[SessionUID, SessionHealth] = {}
        self.changes: list[PauseChange] = []
        self.longest = 0.0
        """ The longest call, in seconds of this thread. """
        for number in range(sessions):
            self.add(namespace(number % SIZES[sessions]))

    @property
    def events(self) -> list[tuple[str | None, Phase]]:
        """The events that were recorded."""
        return [(change.namespace, change.phase) for change in self.changes if change.message is not None]

    def of(self, *names: str) -> list[SessionUID]:
        """Return the sessions of these namespaces; of all, if none is given."""
        return [uid for uid, health in self.health.items() if not names or health.namespace in names]

    def add(self, name: str, *, proven: bool = True) -> SessionUID:
        """Make a session with a pod."""
        uid = SessionUID(f"{name}/{len(self.health)}-{self.now.timestamp()}")
        self._put(uid, SessionHealth(namespace=name, created=self.now, has_pod=True, proven=proven))
        return uid

    def fail(self, uid: SessionUID) -> None:
        """Let a session's runner fail: its pod is deleted, and a new one follows if recovery is not paused."""
        self._put(uid, replace(self.health[uid], failure=Failure(self.now, f"pod-{self.now}"), has_pod=True))
        waits = self.pauses.message(uid) is not None
        self._put(uid, replace(self.health[uid], has_pod=not waits, waits=waits))

    def delete(self, uid: SessionUID) -> None:
        """Delete a session."""
        del self.health[uid]
        self.changes += self.pauses.update(uid, None, now=self.now)

    def tick(self, seconds: float = 1) -> None:
        """Let time pass; those that may go on get their pods."""
        self.now += timedelta(seconds=seconds)
        began = time.thread_time()
        changes = self.pauses.advance(self.now)
        self.longest = max(self.longest, time.thread_time() - began)
        self.changes += changes
        if changes:
            for uid, health in list(self.health.items()):
                if health.waits and self.pauses.message(uid) is None:
                    self._put(uid, replace(health, has_pod=True, waits=False))

    def paused(self, *names: str) -> int:
        """Return how many sessions would get no pod after a failure."""
        return sum(self.pauses.message(uid) is not None for uid in self.of(*names))

    def _put(self, uid: SessionUID, health: SessionHealth) -> None:
        self.health[uid] = health
        began = time.thread_time()
        changes = self.pauses.update(uid, health, now=self.now)
        self.longest = max(self.longest, time.thread_time() - began)
        self.changes += changes


@pytest.fixture(autouse=True)
def no_search_for_garbage() -> Iterator[None]:
    """A search through the objects of all tests is none of a step's work, and takes longer than any."""
    gc.disable()
    yield
    gc.enable()


@each_size
def test_a_steady_rate_of_failures_pauses_nothing(sessions: int) -> None:
    """Three a minute among 10,000, and as many for their number among fewer, for two hours."""
    fleet, chance = Fleet(sessions), random.Random(1)
    every = {10: 600, 300: 120, 10_000: 20}[sessions]
    for _ in range(7200 // every):
        fleet.fail(chance.choice(fleet.of()))
        fleet.tick(every)

    assert [] == fleet.events


@each_size
def test_what_breaks_everywhere_pauses_the_cluster(sessions: int) -> None:
    """An image that is broken, a page that has changed: all fail within a minute."""
    fleet = Fleet(sessions)
    uids = fleet.of()
    random.Random(2).shuffle(uids)
    for number, uid in enumerate(uids):
        fleet.fail(uid)
        if number % max(1, sessions // 30) == 0:
            fleet.tick()

    assert (None, Phase.OPEN) in fleet.events
    assert {CLUSTER_MESSAGE} == {fleet.pauses.message(uid) for uid in uids}
    assert fleet.pauses.everywhere
    assert SIZES[sessions] == fleet.pauses.paused_namespaces
    assert fleet.longest < LIMIT


@each_size
def test_one_tenants_failures_pause_its_own_namespace(sessions: int) -> None:
    """All sessions of one namespace fail, as often as they can, for an hour."""
    fleet, hostile = Fleet(sessions), namespace(0)
    for _ in range(360):
        for uid in fleet.of(hostile):
            if fleet.health[uid].has_pod:
                fleet.fail(uid)
        fleet.tick(10)

    assert {hostile} == {name for name, _ in fleet.events}
    assert fleet.paused(hostile) == fleet.paused() > 0
    assert {None, NAMESPACE_MESSAGE} == {fleet.pauses.message(uid) for uid in fleet.of()}


@pytest.mark.parametrize("proven", [True, False])
@each_size
def test_deleting_and_making_anew_keeps_nothing_paused(sessions: int, *, proven: bool) -> None:
    """One session deleted and made again every 4 minutes neither prolongs its namespace's pause nor pauses others."""
    fleet, hostile = Fleet(sessions), namespace(0)
    for uid in fleet.of(hostile):
        fleet.fail(uid)
    for _ in range(30):
        uid = fleet.add(hostile, proven=proven)
        fleet.fail(uid)
        fleet.tick(240)
        fleet.delete(uid)

    assert [(hostile, Phase.OPEN), (hostile, Phase.CLOSED)] == fleet.events
    assert 0 == fleet.paused()


def test_deleting_all_sessions_ends_no_pause() -> None:
    """Nor does making them anew: the namespace is remembered until its time is over."""
    fleet, hostile = Fleet(10), namespace(0)
    for uid in fleet.of(hostile):
        fleet.fail(uid)
    for uid in fleet.of(hostile):
        fleet.delete(uid)
    late = fleet.add(hostile)
    fleet.tick(200)
    assert NAMESPACE_MESSAGE == fleet.pauses.message(late)

    fleet.delete(late)
    fleet.tick(101)
    assert (0, 1) == (fleet.pauses.paused_namespaces, len(fleet.pauses.namespaces))


@each_size
def test_sessions_that_never_were_up_speak_for_no_cluster(sessions: int) -> None:
    """As many again, of an image of their own, in as many namespaces as there are: only these pause."""
    fleet = Fleet(sessions)
    uids = [fleet.add(f"own-{number % SIZES[sessions]}", proven=False) for number in range(sessions)]
    for uid in uids:
        fleet.fail(uid)

    assert None not in {name for name, _ in fleet.events}
    assert 0 == fleet.paused(*map(namespace, range(SIZES[sessions])))


@pytest.mark.parametrize("sessions", [300, LARGE])
def test_a_third_of_all_namespaces_cannot_pause_the_others(sessions: int) -> None:
    """One tenant has a third of the namespaces, and of the sessions, and lets all of them fail."""
    fleet = Fleet(sessions)
    theirs = [namespace(number) for number in range(SIZES[sessions] // 3)]
    for uid in fleet.of(*theirs):
        fleet.fail(uid)

    assert set(theirs) == {name for name, _ in fleet.events}
    assert fleet.paused(*theirs) == fleet.paused()


@each_size
def test_the_longest_pause_ends_in_a_trial_of_few(sessions: int) -> None:
    """What is broken everywhere stays broken: one is tried, then two; when these fail, too, it is paused anew."""
    fleet = Fleet(sessions)
    for uid in fleet.of():
        fleet.fail(uid)
    for uid in fleet.of():
        if fleet.health[uid].has_pod:  # its new pod was made before the pause began
            fleet.fail(uid)
    made_new = []
    for minute in range(25):
        if minute % 4 == 3:  # somebody fails all the time, so the pause is not over before
            fleet.fail(fleet.of()[0])
        fleet.tick(60)
        tried = [uid for uid, health in fleet.health.items() if health.has_pod]
        made_new.append(len(tried))
        for uid in tried:
            fleet.fail(uid)

    assert (None, Phase.TRIAL) in fleet.events
    assert [0] * 14 == made_new[:14]
    assert 1 == made_new[14]
    assert max(made_new) <= 64
    assert fleet.longest < LIMIT


def test_after_a_trial_all_go_on() -> None:
    """What was broken is mended meanwhile: 300 sessions are back within nine minutes."""
    fleet = Fleet(300)
    for uid in fleet.of():
        fleet.fail(uid)
    late = fleet.of()[0]
    for _ in range(3):
        fleet.tick(240)
        fleet.fail(late)
    fleet.tick(180)
    for _ in range(9):
        fleet.tick(60)

    assert (None, Phase.CLOSED) in fleet.events
    assert 0 == fleet.paused()
    assert all(health.has_pod for health in fleet.health.values())


def test_a_new_process_finds_the_pauses_again() -> None:
    """From what stands in the sessions, in whatever order they come."""
    fleet = Fleet(300)
    for uid in fleet.of(namespace(3)):
        fleet.fail(uid)
    fleet.tick(120)
    restored = RecoveryPauses()
    *_, changes = restored.restore(fleet.health, now=fleet.now)

    assert [(namespace(3), Phase.OPEN)] == [(change.namespace, change.phase) for change in changes]
    assert fleet.paused() == sum(restored.message(uid) is not None for uid in fleet.of())
    assert T0 + timedelta(minutes=5) == restored.due

    *_, changes = RecoveryPauses().restore(fleet.health, now=fleet.now + timedelta(minutes=4))
    assert () == changes


def test_ten_thousand_failures_are_restored_in_slices() -> None:
    """The start of a process after the worst minute holds nothing up."""
    fleet = Fleet(10_000)
    chance = random.Random(3)
    failed = {
        uid: replace(health, failure=Failure(T0 + timedelta(seconds=chance.uniform(0, 60)), "p"), has_pod=False)
        for uid, health in fleet.health.items()
    }
    restored, longest = RecoveryPauses(), 0.0
    slices = restored.restore(failed, now=T0 + timedelta(seconds=61))
    while True:
        began = time.thread_time()
        done = next(slices, None) is None
        longest = max(longest, time.thread_time() - began)
        if done:
            break

    assert restored.everywhere
    assert longest < LIMIT


def test_the_message_names_the_namespaces_and_not_all() -> None:
    """Ten of thirty, and how many more."""
    fleet = Fleet(300)
    for uid in fleet.of():
        fleet.fail(uid)
    message = next(change.message for change in fleet.changes if change.namespace is None)

    assert message is not None
    assert "team-000, team-001" in message
    assert "and 20 more" in message
    assert len(message) < 1024


def test_a_namespaces_message_names_it() -> None:
    """In plain words, with the number of sessions that failed."""
    fleet = Fleet(10)
    for uid in fleet.of(namespace(1)):
        fleet.fail(uid)

    message = fleet.changes[0].message
    assert message is not None
    assert message.startswith("Recovery is paused in the namespace team-001: 3 of its sessions failed within a minute.")


def test_nothing_is_due_while_nothing_is_paused() -> None:
    """No timer runs in a healthy cluster."""
    fleet = Fleet(10)
    assert fleet.pauses.due is None

    for uid in fleet.of():
        fleet.fail(uid)
    assert T0 + timedelta(minutes=5) == fleet.pauses.due
