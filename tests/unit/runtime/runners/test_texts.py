"""How much of what runners say is read, and whose turn it is when that is not all."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from session_protocol.answers import State
from unit.runtime.fakes import FakeClock, exactly
from unit.runtime.runners.listeners import Restless, answer, target
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import PodUID, RunnerReport
from whatsapp_operator.runtime.runners.client import Target
from whatsapp_operator.runtime.runners.poller import RunnerPoller
from whatsapp_operator.runtime.runners.texts import (
    CLUSTER_BURST,
    CLUSTER_PER_SECOND,
    MOST_WAITING,
    QUIET,
    SHORTEST,
    TENANT_BURST,
    TENANT_PER_SECOND,
    RunnerText,
    TextBudgets,
)

HONEST = ObjectKey("honest", "sales")


class Crowd(Restless):
    """Restless runners, and one that says something now and then."""

    def __init__(self, clock: FakeClock, *, length: int) -> None:
        super().__init__(clock, length=length)
        self.honest = answer(1, message="Waiting for the scan.")

    async def get_state(self, asked: Target, *, after: int | None) -> State:
        """Say something new; the honest one as soon as there is something."""
        if asked.key != HONEST:
            return await super().get_state(asked, after=after)
        while after == self.honest.revision:
            await self._clock.sleep(0.05)
        return self.honest


def last_report(runners: RunnerPoller, key: ObjectKey) -> RunnerReport:
    """Return what is known of a runner."""
    found = runners.last_report(key, pods=[PodUID("p1")]).report
    assert found is not None
    return found


async def test_new_texts_have_a_budget_and_states_have_none(clock: FakeClock) -> None:
    """A text beyond it is left out, and what was said before in the same state stays; the state is the newest."""
    runners = RunnerPoller(client=Restless(clock, length=4096), clock=clock, on_changed=lambda _: None, jitter=exactly)
    keys = [ObjectKey("shop", f"s{number}") for number in range(20)]
    texts: set[str] = set()
    for key in keys:
        runners.start(replace(target(), key=key))
    for _ in range(300):
        await clock.advance(0.2)
        texts |= {last_report(runners, key).message for key in keys}
    revisions = [last_report(runners, key).revision for key in keys]
    await runners.close()

    assert len(texts) <= (TENANT_BURST + 60 * TENANT_PER_SECOND) / 4096 + 2
    assert min(revisions) > 20 * 55


@pytest.mark.parametrize("tenants", [10, pytest.param(100, marks=pytest.mark.slow)])
async def test_hostile_tenants_together_have_a_budget_and_delay_nobody_else(clock: FakeClock, tenants: int) -> None:
    """An honest session's state is there at once, and its text within two seconds, whatever the others say."""
    crowd, read = Crowd(clock, length=1024), set[str]()
    runners = RunnerPoller(client=crowd, clock=clock, on_changed=lambda _: None, jitter=exactly)
    keys = [ObjectKey(f"hostile-{number}", f"s{one}") for number in range(tenants) for one in range(3)]
    for key in (*keys, HONEST):
        runners.start(replace(target(), key=key))
    late = []
    for second in range(60):
        await clock.advance(1)
        read |= {last_report(runners, key).message for key in keys}
        if second >= 20 and second % 13 == 0:
            crowd.honest = answer(second, state="Connected", message=f"It is {second} now.")
            await clock.advance(0.2)
            assert "Connected" == last_report(runners, HONEST).state
            begun = clock.monotonic()
            while last_report(runners, HONEST).message != crowd.honest.message:
                await clock.advance(0.1)
            late.append(clock.monotonic() - begun)
    await runners.close()

    assert len(read) * 1024 <= CLUSTER_BURST + 62 * CLUSTER_PER_SECOND + 2048
    assert max(late) < 2


async def test_a_text_that_waits_is_read_when_nothing_else_happens(clock: FakeClock) -> None:
    """The runner does not have to say it again; then nothing is left to do."""
    changed: list[ObjectKey] = []
    crowd = Crowd(clock, length=4096)
    runners = RunnerPoller(client=crowd, clock=clock, on_changed=changed.append, jitter=exactly)
    keys = [ObjectKey("honest", f"s{number}") for number in range(20)]
    for key in keys:
        runners.start(replace(target(), key=key))
    await clock.advance(30)
    crowd.honest = answer(2, message="." * 1000)
    runners.start(replace(target(), key=HONEST))
    await clock.advance(0.1)
    before = last_report(runners, HONEST).message
    for key in keys:
        runners.forget(key)
    changed.clear()
    await clock.advance(2)

    assert ("", "." * 1000) == (before, last_report(runners, HONEST).message)
    assert [HONEST] == changed
    await runners.close()


def text_of(namespace: str, number: int, text: str) -> RunnerText:
    """Return something that a runner of a namespace says."""
    return RunnerText(ObjectKey(namespace, f"s{number}"), PodUID("p1"), number, text)


def read(budgets: TextBudgets, now: float = 0.0) -> list[str]:
    """Return whose texts are read now, in order."""
    return [found.key.namespace for found in budgets.turns(now=now)]


def test_known_texts_cost_nothing() -> None:
    """Thousands of honest sessions say the same few sentences."""
    budgets = TextBudgets()
    for number in range(50):
        budgets.put(text_of("shop", number, f"Linked, {number}" + "." * 1000), now=0.0)
    list(budgets.turns(now=0.0))

    assert all(
        budgets.knows(text_of("shop", number, f"Linked, {number % 50}" + "." * 1000)) for number in range(10_000)
    )
    assert budgets.knows(text_of("shop", 1, ""))
    assert not budgets.knows(text_of("other", 1, "Linked, 1" + "." * 1000))


def test_what_was_read_in_another_namespace_costs_the_cluster_nothing() -> None:
    """Its redaction is remembered: a thousand namespaces that come back at once say the same."""
    budgets = TextBudgets()
    for number in range(1000):
        budgets.put(text_of(f"n{number}", 1, "Loading." + "." * 1000), now=0.0)

    assert 1000 == len(read(budgets))


def flooded(*, tenants: int = 10) -> TextBudgets:
    """Return budgets that hostile namespaces have used up, with more of theirs waiting."""
    budgets = TextBudgets()
    for number in range(40 * tenants):
        budgets.put(text_of(f"hostile-{number % tenants}", number, f"{number}".rjust(1024, "#")), now=0.0)
    list(budgets.turns(now=0.0))
    assert budgets.waits
    return budgets


def test_who_was_quiet_is_served_before_those_who_wait() -> None:
    """And after that it is one of them."""
    budgets = flooded()
    for number in range(3):
        budgets.put(text_of("honest", number, f"{number}" + "." * 1000), now=1.0)
    order = read(budgets, now=1.0)

    assert "honest" == order[0]
    assert ["honest"] == [found for found in order if found == "honest"]
    assert len(order) == int(CLUSTER_PER_SECOND / 1024)
    assert "honest" in read(budgets, now=3.0)


def test_the_others_are_served_in_turn() -> None:
    """Each namespace one text after the other, however many it has."""
    budgets = flooded()
    order = read(budgets, now=10 * 1024 / CLUSTER_PER_SECOND)

    assert 10 == len(set(order)) == len(order)


def test_a_namespace_that_used_up_its_own_keeps_nobody_waiting() -> None:
    """What is over its own budget waits, and what others say is read."""
    budgets = TextBudgets()
    for number in range(MOST_WAITING):
        budgets.put(text_of("hostile", number, f"{number}".rjust(4096, "#")), now=0.0)
    list(budgets.turns(now=0.0))
    budgets.put(text_of("honest", 1, "It is late."), now=0.0)

    assert ["honest"] == read(budgets)


def test_a_text_longer_than_a_budget_is_read_when_that_is_full() -> None:
    """It would wait for ever else, and all behind it."""
    budgets = TextBudgets()
    budgets.put(text_of("shop", 1, "#" * (TENANT_BURST + 1)), now=0.0)
    first = read(budgets)
    budgets.put(text_of("shop", 2, "-" * (TENANT_BURST + 1)), now=0.0)

    assert ["shop"] == first
    assert [] == read(budgets, now=1.0)
    assert ["shop"] == read(budgets, now=1000.0)


@pytest.mark.parametrize(
    "end",
    [
        lambda budgets: budgets.forget(ObjectKey("shop", "s999")),
        lambda budgets: budgets.knows(text_of("shop", 999, "")),
        lambda budgets: list(budgets.turns(now=1000 * QUIET)),
    ],
    ids=["the session is gone", "it says something known", "it is read"],
)
def test_nothing_waits_that_need_not(end: Callable[[TextBudgets], object]) -> None:
    """So nobody looks any more."""
    budgets = TextBudgets()
    budgets.put(text_of("shop", 1, "#" * TENANT_BURST), now=0.0)
    list(budgets.turns(now=0.0))
    budgets.put(text_of("shop", 999, "." * SHORTEST), now=0.0)
    assert budgets.waits

    end(budgets)

    assert not budgets.waits


def test_what_waits_is_bounded() -> None:
    """Of a namespace the newest, and of a runner one."""
    budgets = TextBudgets()
    budgets.put(text_of("shop", 1, "#" * TENANT_BURST), now=0.0)
    list(budgets.turns(now=0.0))
    for number in range(1000):
        budgets.put(text_of("shop", 1, f"{number}"), now=0.0)
        budgets.put(text_of("shop", number + 2, f"{number}"), now=0.0)
    found = list(budgets.turns(now=1000.0))

    assert MOST_WAITING == len(found)
    assert 1001 == max(one.revision for one in found)
