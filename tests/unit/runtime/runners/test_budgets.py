"""How often a runner's changes are taken, and those of a namespace's runners."""

from dataclasses import replace
from datetime import timedelta

import pytest
from unit.runtime.fakes import FakeClock, exactly
from unit.runtime.runners.listeners import KEY, Restless, ScriptedListener, answer, target
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import PodUID
from whatsapp_operator.runtime.runners.budgets import (
    BURST,
    TENANT_DELAY,
)
from whatsapp_operator.runtime.runners.poller import RunnerPoller


async def test_changes_without_end_are_taken_once_a_second(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock, changed: list[ObjectKey]
) -> None:
    """After a few at once; the last one is the one that is kept."""
    runners.start(target())
    await clock.advance(20)
    changed.clear()
    for number in range(3000):
        runner.say(answer(number + 2, round=number))
        await clock.advance(0.01)
    await clock.advance(2)

    assert BURST + 25 <= len(changed) <= BURST + 35
    report = runners.last_report(KEY, pods=[PodUID("p1")]).report
    assert report is not None
    assert 2999 == report.round


async def test_a_start_is_reported_step_by_step(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock, changed: list[ObjectKey]
) -> None:
    """Five changes in as many tenths of a second, after which a quiet time makes up for them."""
    runners.start(target())
    await clock.advance(20)
    for again in (0, 1):
        changed.clear()
        for number in range(BURST):
            runner.say(answer(10 * again + number + 2, round=number))
            await clock.advance(0.25)
        assert BURST == len(changed)
        await clock.advance(20)


@pytest.mark.slow
async def test_all_runners_of_a_namespace_have_a_budget_together(clock: FakeClock, runner: ScriptedListener) -> None:
    """Two hundred of them that change without end are asked less often, but none so seldom that it looks silent."""
    runner.holds_back = False
    changed: list[ObjectKey] = []
    runners = RunnerPoller(client=Restless(clock), clock=clock, on_changed=changed.append, jitter=exactly)
    keys = [ObjectKey("shop", f"s{number}") for number in range(200)]
    for key in keys:
        runners.start(replace(target(), key=key))
    await clock.advance(60)
    changed.clear()
    for _ in range(30):
        await clock.advance(1)
    reports = [runners.last_report(key, pods=[PodUID("p1")]).report for key in keys]
    runners.start(replace(target(), key=ObjectKey("other", "s")))
    await clock.advance(2)
    await runners.close()

    assert len(changed) <= 200 * 30 / TENANT_DELAY + 210
    assert all(report is not None and clock.now() - report.received < timedelta(seconds=10) for report in reports)
    assert changed.count(ObjectKey("other", "s")) >= 3
