"""Asking a runner whose account is linked: when, how often, and what is kept of the answer."""

from typing import Any

import pytest
from unit.runtime.fakes import FakeClock, exactly, settle
from unit.runtime.runners.listeners import KEY, ScriptedListener, answer, target
from whatsapp_operator.core.model import AccountHash, KeyID, PodUID
from whatsapp_operator.runtime.runners.accounts import BURST
from whatsapp_operator.runtime.runners.poller import RunnerPoller

ONE, OTHER = "0123456789abcdef", "fedcba9876543210"


class Operator:
    """A poller, and the key that is current."""

    def __init__(self, runner: ScriptedListener, clock: FakeClock) -> None:
        self.key = KeyID("k1")
        self.poller = RunnerPoller(
            client=runner, clock=clock, on_changed=lambda _: None, jitter=exactly, current_key=lambda: self.key
        )

    def account(self, pod: str = "p1") -> AccountHash | None:
        """Return what is known."""
        report = self.poller.last_report(KEY, pods=[PodUID(pod)]).report
        return None if report is None else report.account


@pytest.fixture
async def operator(runner: ScriptedListener, clock: FakeClock) -> Any:
    """One that polls nobody yet."""
    made = Operator(runner, clock)
    yield made
    await made.poller.close()


def linked(revision: int, account: int | None = 1, *, pod: str = "p1") -> Any:
    """Return a state of a linked session."""
    return answer(revision, state="Connected", account_revision=account, pod=pod)


async def test_an_account_is_asked_for_once(operator: Operator, runner: ScriptedListener, clock: FakeClock) -> None:
    """With the first state that speaks of one; at rest nobody asks again."""
    runner.accounts = {1: ONE}
    operator.poller.start(target())
    await clock.advance(3)
    before = list(runner.asked_accounts)
    runner.say(linked(2))
    await clock.advance(600)

    assert [] == before
    assert [(1, "k1")] == runner.asked_accounts
    assert AccountHash(key_id=KeyID("k1"), digest=ONE) == operator.account()


async def test_the_state_comes_with_its_own_account(
    operator: Operator, runner: ScriptedListener, clock: FakeClock
) -> None:
    """Never with the one of before."""
    runner.accounts = {1: ONE, 2: OTHER}
    runner.say(linked(1))
    operator.poller.start(target())
    await clock.advance(3)
    runner.say(linked(2, 2))
    await settle()
    after = operator.account()
    runner.say(linked(3, None))
    await clock.advance(3)

    assert AccountHash(key_id=KeyID("k1"), digest=OTHER) == after
    assert operator.account() is None


async def test_what_got_no_answer_is_asked_again(
    operator: Operator, runner: ScriptedListener, clock: FakeClock
) -> None:
    """The state is taken meanwhile."""
    runner.say(linked(1))
    operator.poller.start(target())
    await clock.advance(3)
    without = operator.account()
    runner.accounts = {1: ONE}
    await clock.advance(30)

    assert without is None
    assert AccountHash(key_id=KeyID("k1"), digest=ONE) == operator.account()


async def test_another_key_asks_anew(operator: Operator, runner: ScriptedListener, clock: FakeClock) -> None:
    """So that all running sessions can be compared again soon after a rotation."""
    runner.accounts = {1: ONE}
    runner.say(linked(1))
    operator.poller.start(target())
    await clock.advance(30)
    operator.key = KeyID("k2")
    await clock.advance(30)

    assert [(1, "k1"), (1, "k2")] == runner.asked_accounts
    assert AccountHash(key_id=KeyID("k2"), digest=ONE) == operator.account()


async def test_another_pod_is_asked_anew(operator: Operator, runner: ScriptedListener, clock: FakeClock) -> None:
    """Its counts are its own."""
    runner.accounts = {1: ONE}
    runner.say(linked(1))
    operator.poller.start(target())
    await clock.advance(3)
    runner.accounts = {1: OTHER}
    runner.say(linked(1, pod="p2"))
    operator.poller.start(target(pod="p2"))
    await clock.advance(3)

    assert AccountHash(key_id=KeyID("k1"), digest=OTHER) == operator.account("p2")


async def test_one_that_tries_numbers_gets_one_hash_a_minute(
    operator: Operator, runner: ScriptedListener, clock: FakeClock
) -> None:
    """Its status would tell whether another session's account is the number that it claims."""
    runner.accounts = {count: f"{count:016x}" for count in range(1, 2000)}
    runner.say(linked(1))
    operator.poller.start(target())
    for count in range(2, 600):
        runner.say(linked(count, count))
        await clock.advance(1)

    assert len(runner.asked_accounts) <= BURST + 10


async def test_what_is_forgotten_is_asked_anew(operator: Operator, runner: ScriptedListener, clock: FakeClock) -> None:
    """A session of the same name is another one."""
    runner.accounts = {1: ONE}
    runner.say(linked(1))
    operator.poller.start(target())
    await clock.advance(3)
    operator.poller.forget(KEY)
    operator.poller.start(target())
    await clock.advance(3)

    assert 2 == len(runner.asked_accounts)
