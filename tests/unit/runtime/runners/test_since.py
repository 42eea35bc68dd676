"""Since when a runner is in its state: counted from when the operator heard of it, whatever the runner's clock says."""

from datetime import datetime, timedelta

import pytest
from unit.runtime.fakes import START, FakeClock
from unit.runtime.runners.listeners import KEY, ScriptedListener, answer, target
from whatsapp_operator.core.model import PodUID
from whatsapp_operator.runtime.runners.poller import RunnerPoller

HOUR = timedelta(hours=1)


def since(runners: RunnerPoller, pod: str = "p1") -> datetime | None:
    """Return since when, as the core is told."""
    report = runners.last_report(KEY, pods=[PodUID(pod)]).report
    assert report is not None
    return report.since


@pytest.mark.parametrize("wrong", [timedelta(), HOUR, -HOUR, timedelta(days=3653), timedelta(days=-3653)])
async def test_it_is_the_moment_of_the_first_answer(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock, wrong: timedelta
) -> None:
    """And stays so while nothing changes, also when words are added."""
    runner.say(answer(1, since=START + wrong))
    runners.start(target())
    await clock.advance(60)
    runner.say(answer(2, since=START + wrong, message="still"))
    await clock.advance(60)

    assert since(runners) == START


async def test_another_state_begins_anew(runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock) -> None:
    """The same one, too, if the runner says that it came back to it in between."""
    runner.say(answer(1, since=START))
    runners.start(target())
    await clock.advance(30)
    runner.say(answer(2, state="Connected", since=START + HOUR))
    await clock.advance(1)
    connected = since(runners)
    runner.say(answer(4, state="Connected", since=START + 2 * HOUR))
    await clock.advance(30)
    again = since(runners)

    assert connected is not None
    assert again is not None
    assert START < connected < again


async def test_another_pod_begins_anew(runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock) -> None:
    """Though it says the same."""
    runner.say(answer(1, since=START))
    runners.start(target())
    await clock.advance(30)
    runner.say(answer(1, pod="p2", since=START))
    runners.start(target(pod="p2"))
    await clock.advance(1)

    assert since(runners, "p2") == START + timedelta(seconds=30)


async def test_a_runner_that_does_not_say_is_not_asked(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock
) -> None:
    """An older one: its states last for nobody knows how long."""
    runner.say(answer(1))
    runners.start(target())
    await clock.advance(30)

    assert since(runners) is None
