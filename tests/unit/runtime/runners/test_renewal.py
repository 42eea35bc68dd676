"""Telling a runner of its new tokens, beside asking for its state."""

from dataclasses import replace

from unit.runtime.fakes import FakeClock
from unit.runtime.runners.listeners import KEY, ScriptedListener, target
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import KeyID, PodUID, TokenSource
from whatsapp_operator.runtime.runners.client import Target
from whatsapp_operator.runtime.runners.poller import RunnerPoller

NEW = TokenSource(key_id=KeyID("k1"), renewal="now")


def renewing(*, pod: str = "p1") -> Target:
    """Return a runner that is to be told of new tokens."""
    return replace(target(pod=pod), renew=NEW)


async def test_a_runner_is_reported_of_its_tokens_once(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock, changed: list[ObjectKey]
) -> None:
    """Before it is asked for its state, and the session is looked at for it."""
    runners.start(target())
    await clock.advance(1)
    before = runners.last_report(KEY, pods=[PodUID("p1")]).renewed
    changed.clear()
    runners.start(renewing())
    await clock.advance(60)

    assert (None, NEW) == (before, runners.last_report(KEY, pods=[PodUID("p1")]).renewed)
    assert [NEW] == [source for _, source in runner.renewed_tokens]
    assert [KEY] == changed


async def test_a_renewal_is_remembered_for_this_pod_alone(runners: RunnerPoller, clock: FakeClock) -> None:
    """Also when there is nothing more to tell it; another pod is told itself."""
    runners.start(renewing())
    await clock.advance(1)
    runners.start(target())
    await clock.advance(1)

    assert NEW == runners.last_report(KEY, pods=[PodUID("p1")]).renewed
    assert runners.last_report(KEY, pods=[PodUID("p2")]).renewed is None
    runners.forget(KEY)
    assert runners.last_report(KEY, pods=[PodUID("p1")]).renewed is None


async def test_a_runner_that_cannot_be_renewed_is_polled_all_the_same(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock
) -> None:
    """The state matters more; it is told again with the next poll."""
    runner.refuses_tokens = True
    runners.start(renewing())
    await clock.advance(35)
    answered, tries = runners.last_report(KEY, pods=[PodUID("p1")]), len(runner.renewed_tokens)
    runner.refuses_tokens = False
    await clock.advance(15)

    assert (True, None) == (answered.report is not None, answered.renewed)
    assert 2 <= tries <= 6
    assert NEW == runners.last_report(KEY, pods=[PodUID("p1")]).renewed
