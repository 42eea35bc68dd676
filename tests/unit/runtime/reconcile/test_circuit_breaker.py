"""The monitor of pauses: which sessions it counts, and when it looks again."""

from typing import Any

from unit.runtime.fakes import FakeClock
from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.core.recovery.circuit_breaker import Phase
from whatsapp_operator.core.recovery.pauses import PauseChange
from whatsapp_operator.runtime.kube.store import Change
from whatsapp_operator.runtime.process.clock import micro_time
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.reconcile.circuit_breaker import CircuitBreakerMonitor, pause_event

Json = dict[str, Any]


class Watched:
    """A monitor, and the sessions that it is told of."""

    def __init__(self) -> None:
        self.clock, self.ours = FakeClock(), {"shop"}
        self.sessions: dict[str, Json] = {}
        self.changes: list[tuple[PauseChange, int]] = []
        self.monitor = CircuitBreakerMonitor(
            sessions=self.sessions.values,
            clock=self.clock,
            metrics=Metrics(),
            runner_image="runner:1",
            is_ours=lambda namespace: namespace in self.ours,
            on_changed=lambda change, affected: self.changes.append((change, len([*affected]))),
        )

    def put(self, name: str, *, namespace: str = "shop", failed: bool = False) -> None:
        """Let a session be seen."""
        failure = {"reason": "BrowserExited", "exitCode": 32, "podUID": "p", "time": micro_time(self.clock.now())}
        session = {
            "metadata": {"name": name, "namespace": namespace, "uid": name},
            "status": {"replicas": 1, "recovery": {"lastFailure": failure} if failed else {}},
        }
        before = self.sessions.get(name)
        self.sessions[name] = session
        self.monitor.on_session_changed(Change(before, session))

    @property
    def paused(self) -> list[str]:
        """The sessions whose recovery is paused."""
        return [name for name in self.sessions if self.monitor.message(SessionUID(name)) is not None]


async def test_nothing_is_judged_before_all_sessions_are_known() -> None:
    """Three failures of twelve stay three of twelve, in whatever order they come."""
    watched = Watched()
    for number in range(12):
        watched.put(f"s{number}", failed=number < 3)
    assert [] == watched.paused

    await watched.monitor.resync()
    assert [] == watched.paused


async def test_a_namespace_that_becomes_ours_counts_from_then_on() -> None:
    """What was told before it was known whose it is, is taken with the next resync; and no longer when it is given away."""
    watched = Watched()
    await watched.monitor.resync()
    for name in ("a", "b", "c"):
        watched.put(name, namespace="new", failed=True)
    assert [] == watched.paused

    watched.ours.add("new")
    await watched.monitor.resync()
    assert ["a", "b", "c"] == watched.paused

    watched.ours.remove("new")
    await watched.monitor.resync()
    assert [] == watched.paused


async def test_it_looks_again_when_a_pause_may_end() -> None:
    """By a timer: five minutes after the last failure, which prolonged the pause. Each time all its sessions are told."""
    watched = Watched()
    for name in ("a", "b", "c", "d"):
        watched.put(name)
    await watched.monitor.resync()
    for name in ("a", "b", "c"):
        watched.put(name, failed=True)
    await watched.clock.advance(200)
    watched.put("d", failed=True)
    await watched.clock.advance(299)
    assert 4 == len(watched.paused)

    await watched.clock.advance(2)
    assert [] == watched.paused
    assert [(Phase.OPEN, 4), (Phase.CLOSED, 4)] == [(change.phase, count) for change, count in watched.changes]


def test_a_step_of_a_trial_is_no_event() -> None:
    """It was told when it began."""
    assert pause_event(PauseChange(namespace="shop", phase=Phase.TRIAL, message=None)) is None

    event = pause_event(PauseChange(namespace="shop", phase=Phase.OPEN, message="why"))
    assert event is not None
    assert ("Warning", "RecoveryPaused", "why") == (event.type, event.reason, event.message)
