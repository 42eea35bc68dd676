"""When a message may go: budgets, their order, and that nothing of them depends on who asks, or when."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_protocol.pacing import AllMessages, FirstContacts, Pacing
from session_protocol.vocabulary import PacingType, WaitReason
from session_runner.messages.pacing import (
    DAY,
    FRESH,
    LONGEST_EXPECTED,
    Budget,
    HandedOver,
    Pace,
    Queued,
    Spent,
    Turn,
    has_waited_too_long,
    is_too_far,
    pace_of,
    plan,
)
from session_runner.messages.progress import LONGEST_WAIT

NOW = 1_800_000_000.0
PACE = Pace(first_contacts=Budget(3, 60.0), per_day=8, messages=Budget(20, 1.0), one_person=Budget(5, 6.0))


def queued(number: int, *, chat: str | None = None, stranger: bool | None = False, **more: bool) -> Queued:
    """A message that has just been accepted."""
    return Queued(identifier=f"M{number}", chat=chat or f"chat {number}", accepted=NOW, to_stranger=stranger, **more)


def waits(
    queue: list[Queued], spent: Spent | None = None, *, pace: Pace | None = PACE
) -> list[tuple[float, str | None]]:
    """Give for how long each waits, and why."""
    turns = plan(queue, spent or Spent(), pace=pace, now=NOW)
    assert [one.identifier for one in queue] == list(turns)
    return [(turn.at - NOW, turn.reason) for turn in turns.values()]


def test_a_few_messages_go_at_once() -> None:
    """To people who wrote, and to some who never did."""
    queue = [queued(1), queued(2, chat="a"), queued(3, chat="a"), *(queued(n, stranger=True) for n in (4, 5, 6))]

    assert {(0, None)} == set(waits(queue))


def test_more_first_contacts_go_one_by_one() -> None:
    """Each half an interval to one and a half after the last; others overtake them."""
    queue = [*(queued(n, stranger=True) for n in range(6)), queued(9)]
    found = waits(queue)

    assert [(0, None)] * 3 == found[:3]
    assert {WaitReason.FIRST_CONTACTS} == {reason for _, reason in found[3:6]}
    assert all(30 <= later - earlier <= 90 for (earlier, _), (later, _) in pairwise(found[2:6]))
    assert len({later - earlier for (earlier, _), (later, _) in pairwise(found[2:6])}) > 1
    assert (0, None) == found[6]


def test_a_stranger_is_one_first_contact_a_day() -> None:
    """However much goes to them, in this plan or before it; after a day they are one again."""
    same = [queued(n, chat="a", stranger=True) for n in range(4)]
    others = [queued(n, stranger=True) for n in (11, 12)]
    before = Spent(
        first_contacts=[
            HandedOver("a", NOW - DAY + 1),
            HandedOver("x", NOW - 10),
            HandedOver("y", NOW - 5),
            HandedOver("z", NOW - 1),
        ]
    )
    old = Spent(
        first_contacts=[
            HandedOver("a", NOW - DAY),
            HandedOver("x", NOW - 10),
            HandedOver("y", NOW - 5),
            HandedOver("z", NOW - 1),
        ]
    )

    assert {(0, None)} == set(waits(same + others))
    assert [(0, None)] == waits(same[:1], before)
    assert WaitReason.FIRST_CONTACTS == waits(same[:1], old)[0][1]


def test_a_day_has_an_end() -> None:
    """The next first contact waits until the first of the day is a day old, whatever the interval."""
    spent = Spent(first_contacts=[HandedOver(f"p{n}", NOW - DAY + 3600 + 600 * n) for n in range(8)])
    found = waits([queued(1, stranger=True), queued(2, stranger=True)], spent)

    assert [(3600, WaitReason.FIRST_CONTACTS_PER_DAY), (4200, WaitReason.FIRST_CONTACTS_PER_DAY)] == found


def test_who_is_not_known_counts_as_a_stranger() -> None:
    """To be careful: the page could not tell."""
    assert WaitReason.FIRST_CONTACTS == waits([queued(n, stranger=None) for n in range(4)])[-1][1]


def test_one_person_gets_so_many_at_once() -> None:
    """By what went to them, too; nobody else waits for that."""
    spent = Spent(messages=[HandedOver("a", NOW - 1) for _ in range(4)])
    found = waits([queued(1, chat="a"), queued(2, chat="a"), queued(3, chat="b")], spent)

    assert [(0, None), (0, None)] == [found[0], found[2]]
    assert found[1][1] is WaitReason.ONE_PERSON
    assert 3 <= found[1][0] <= 9


def test_all_together_have_a_budget() -> None:
    """A generous one; beyond it they go one by one."""
    spent = Spent(messages=[HandedOver(f"p{n}", NOW - 2) for n in range(19)])
    found = waits([queued(1), queued(2), queued(3)], spent)

    assert [None, WaitReason.MESSAGES, WaitReason.MESSAGES] == [reason for _, reason in found]
    assert 0.5 <= found[1][0] < found[2][0] <= 3


def test_a_budget_is_whole_again_after_a_rest() -> None:
    """Twice the time in which it is given out; a steady flow gets no second burst."""
    rest = 2 * 3 * 60.0
    rested = Spent(first_contacts=[HandedOver(f"p{n}", NOW - rest) for n in range(3)])
    steady = Spent(first_contacts=[HandedOver(f"p{n}", NOW - 60.0 * n) for n in (6, 5, 4, 3, 2, 1, 0)])

    assert {(0, None)} == set(waits([queued(n, stranger=True) for n in range(3)], rested))
    assert waits([queued(1, stranger=True)], steady)[0][0] >= 30


def test_what_follows_in_a_chat_waits_with_it() -> None:
    """For the same reason; a reaction counts nowhere and keeps its place all the same."""
    spent = Spent(first_contacts=[HandedOver(f"p{n}", NOW - 1) for n in range(3)])
    found = waits(
        [queued(1, chat="a", stranger=True), queued(2, chat="a", is_free=True), queued(3, is_free=True)], spent
    )

    assert found[0] == found[1]
    assert found[0][1] is WaitReason.FIRST_CONTACTS
    assert (0, None) == found[2]


def test_what_the_page_may_have_does_not_wait() -> None:
    """It is looked for at once: a message that is there and not noted would be told late of. It counts as one that went."""
    spent = Spent(first_contacts=[HandedOver(f"p{n}", NOW - 1) for n in range(3)])
    handed = [queued(n, stranger=True, begun=True) for n in range(3)]

    assert [(0, None)] == waits(handed[:1], spent)
    assert WaitReason.FIRST_CONTACTS == waits([*handed, queued(4, stranger=True)])[-1][1]


def test_what_cannot_go_yet_takes_nobodys_turn() -> None:
    """Strangers' files that are still fetched: who has a text to another stranger does not wait for them."""
    found = waits([*(queued(n, stranger=True, held=True) for n in range(3)), queued(4, stranger=True)])

    assert [None, None, WaitReason.FIRST_CONTACTS, None] == [reason for _, reason in found]


def test_a_clock_that_was_ahead_holds_nothing_up() -> None:
    """What went tomorrow by a clock that is set back now is not waited for."""
    tomorrow = [HandedOver(f"p{n}", NOW + DAY) for n in range(30)]
    found = waits([queued(1, chat="p1"), queued(2, stranger=True)], Spent(messages=tomorrow, first_contacts=tomorrow))

    assert [(0, None)] * 2 == found


def test_without_a_pace_all_go() -> None:
    """In their order."""
    assert {(0, None)} == set(waits([queued(n, chat="a", stranger=True) for n in range(500)], pace=None))


def test_the_settings_make_the_pace() -> None:
    """Numbers count with Custom alone; a phone that was linked a few days ago is slower with strangers, and with nobody else."""
    custom = Pacing(
        type=PacingType.CUSTOM,
        first_contacts=FirstContacts(burst=5, interval=20, per_day=12),
        messages=AllMessages(burst=7, interval=3),
    )
    old, fresh = (pace_of(custom, linked_for=age) for age in (FRESH, FRESH - 1))

    assert pace_of(Pacing(type=PacingType.NONE), linked_for=None) is None
    assert old == pace_of(custom, linked_for=None)
    assert old is not None
    assert fresh is not None
    assert (Budget(5, 20), 12, Budget(7, 3)) == (old.first_contacts, old.per_day, old.messages)
    assert (Budget(3, 40), 3, Budget(7, 3)) == (fresh.first_contacts, fresh.per_day, fresh.messages)
    ignored = Pacing(first_contacts=FirstContacts(burst=1))
    assert pace_of(Pacing(), linked_for=None) == pace_of(ignored, linked_for=None)


@pytest.mark.parametrize(
    ("wait", "age", "expected"), [(1, LONGEST_WAIT, True), (1, LONGEST_WAIT - 1, False), (0, 2 * DAY, False)]
)
def test_a_wait_has_an_end(wait: float, age: float, *, expected: bool) -> None:
    """For what waits for its turn alone."""
    message = Queued(identifier="M", chat="a", accepted=NOW - age)

    assert expected is has_waited_too_long(message, Turn(NOW + wait), now=NOW)


def test_what_is_too_far_is_not_accepted() -> None:
    """Beyond an hour."""
    assert [False, True] == [is_too_far(Turn(NOW + LONGEST_EXPECTED + more), now=NOW) for more in (0, 1)]


CHATS = st.sampled_from("abcdef")
QUEUES = st.lists(st.tuples(CHATS, st.booleans(), st.booleans()), max_size=40).map(
    lambda rows: [
        queued(n, chat=chat, stranger=stranger, is_free=free) for n, (chat, stranger, free) in enumerate(rows)
    ]
)
SPENT = st.lists(st.tuples(CHATS, st.floats(0, 2 * DAY)), max_size=40).map(
    lambda rows: sorted((HandedOver(chat, NOW - age) for chat, age in rows), key=lambda one: one.time)
)


@given(QUEUES, SPENT, SPENT)
def test_any_plan_keeps_order_and_budgets(
    queue: list[Queued], messages: list[HandedOver], contacts: list[HandedOver]
) -> None:
    """Nothing goes before now or overtakes in its chat, each wait has a reason, and what goes now keeps within the bursts."""
    spent = Spent(messages=messages, first_contacts=contacts)
    turns = plan(queue, spent, pace=PACE, now=NOW)

    assert turns == plan(queue, spent, pace=PACE, now=NOW)
    by_chat: dict[str, list[Turn]] = {}
    for message in queue:
        by_chat.setdefault(message.chat, []).append(turns[message.identifier])
    for some in by_chat.values():
        assert some == sorted(some, key=lambda turn: turn.at)
    assert all(turn.at >= NOW and (turn.at > NOW) is (turn.reason is not None) for turn in turns.values())
    go = [message for message in queue if turns[message.identifier].at == NOW and not message.is_free]
    known = {chat for chat, time in contacts if time > NOW - DAY}
    assert len(go) <= PACE.messages.burst
    assert len({message.chat for message in go if message.to_stranger} - known) <= PACE.first_contacts.burst


@given(st.integers(1, 40), st.integers(1, 5))
def test_a_plan_is_kept(count: int, every: int) -> None:
    """Whoever makes it anew each few seconds hands the messages over no sooner and no later than the first one said, by an interval."""
    queue = [queued(n, stranger=True) for n in range(count)]
    pace = Pace(first_contacts=PACE.first_contacts, per_day=100, messages=PACE.messages, one_person=PACE.one_person)
    first = plan(queue, Spent(), pace=pace, now=NOW)
    now = NOW
    went: list[HandedOver] = []
    while queue:
        turns = plan(queue, Spent(first_contacts=went), pace=pace, now=now)
        for message in [one for one in queue if turns[one.identifier].at <= now]:
            went.append(HandedOver(message.chat, now))
            assert -every * count <= now - first[message.identifier].at <= every * count
            queue.remove(message)
        now += every
