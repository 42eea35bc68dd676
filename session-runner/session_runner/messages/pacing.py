"""Whether a message may go to the page now, else when and why: a pure function of what went, what waits, and the clock.

WhatsApp restricts accounts that write to many people who never wrote to them, above all new ones; so those are slow, and
everything else is as fast as nobody but a fault or a flood would send. Four budgets count: people who have never written,
just now and in 24 hours; messages to one person; all messages. A budget is a number that goes at once, and an interval
beyond it, half of it more or less by chance. The chance is the message's id, which is random and on the volume: so that a
plan is the same each time that it is made, also by the next runner.

What went is read from the outbox, never remembered. The plan covers all that waits, in its order: who asks for one message
learns when its turn is, and a request that would wait for too long is refused before it is stored. What waits in one chat
holds up no other. Reactions, edits and deletions are free: each is about a message that has been counted, or that somebody
else wrote.
"""

import bisect
import math
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace
from session_protocol.pacing import Pacing
from session_protocol.vocabulary import PacingType, WaitReason

from session_runner.messages.progress import LONGEST_WAIT
from session_runner.values import Private

DAY: Final = 24 * 3600.0
LONGEST_EXPECTED: Final = 3600.0
""" Seconds for which a message may be expected to wait when it is accepted; one that would wait longer is refused. """
FRESH: Final = 7 * DAY
""" Seconds after the link for which first contacts are slower. """
FRESH_SLOWER: Final = 2
""" The interval is so many times as long then, and the burst divided by it. """
FRESH_FEWER: Final = 5
""" Such a part of a day's first contacts is left then; docs/http-api.md has what both go by. """
ONE_PERSON: Final = (45, 6.0)
""" The Cloud API's own budget for one person. """
FREE_KINDS: Final = ("reaction", "edit", "delete")


class Budget(NamedTuple):
    """So many at once, beyond them one in each interval (seconds)."""

    burst: int
    interval: float

    @property
    def memory(self) -> float:
        """Seconds after which it is whole again; twice the time of a burst, so that a steady flow never gets another one."""
        return 2 * self.burst * self.interval


class Pace(Struct, frozen=True, kw_only=True):
    """The budgets in force."""

    first_contacts: Budget
    per_day: int
    messages: Budget
    one_person: Budget

    @property
    def memory(self) -> float:
        """Seconds for which all messages count; first contacts count for a day."""
        return max(self.messages.memory, self.one_person.memory)


class Queued(Private, frozen=True, kw_only=True):
    """A message that waits for the page."""

    hidden = ("chat",)

    identifier: str
    chat: str
    accepted: float
    is_free: bool = False
    """ It counts in no budget, but keeps its place in the chat. """
    to_stranger: bool | None = False
    """ To somebody who has never written; None: not known. """
    begun: bool = False
    """ The page may have it already. """
    held: bool = False
    """ Its file is not there yet, or that of one before it in its chat. """


class HandedOver(NamedTuple):
    """A message that the page was given."""

    chat: str
    time: float


class Spent(Struct, frozen=True, kw_only=True):
    """What budgets were spent on, as far back as it counts, the oldest first."""

    messages: Sequence[HandedOver] = ()
    first_contacts: Sequence[HandedOver] = ()


class Turn(NamedTuple):
    """When a message may go, and why not before."""

    at: float
    reason: WaitReason | None = None


def pace_of(pacing: Pacing, *, linked_for: float | None) -> Pace | None:
    """Return the budgets of these settings, by how long the phone has been linked, if that is known; None: there are none."""
    if pacing.type is PacingType.NONE:
        return None
    given = pacing if pacing.type is PacingType.CUSTOM else Pacing()
    first, messages = given.first_contacts, given.messages
    pace = Pace(
        first_contacts=Budget(first.burst, first.interval),
        per_day=first.per_day,
        messages=Budget(messages.burst, messages.interval),
        one_person=Budget(*ONE_PERSON),
    )
    if linked_for is None or linked_for >= FRESH:
        return pace
    fewer = Budget(math.ceil(first.burst / FRESH_SLOWER), first.interval * FRESH_SLOWER)
    return replace(pace, first_contacts=fewer, per_day=math.ceil(first.per_day / FRESH_FEWER))


def plan(queue: Iterable[Queued], spent: Spent, *, pace: Pace | None, now: float) -> dict[str, Turn]:
    """Return the turn of each message, in the order of the queue; those of one chat keep theirs.

    What cannot go yet is planned behind all others: it would take turns, and others would wait for what does not go.
    """
    lanes = None if pace is None else _Lanes(pace, spent, now=now)
    behind: dict[str, Turn] = {}
    waiting = list(queue)
    turns = {message.identifier: Turn(now) for message in waiting}
    for message in sorted(waiting, key=lambda one: one.held):
        turn = behind.get(message.chat, Turn(now))
        if lanes is not None and not message.is_free:
            turn = turn if message.begun else lanes.next(message, turn)
            lanes.give(message, turn)
        turns[message.identifier] = behind[message.chat] = turn
    return turns


def is_too_far(turn: Turn, *, now: float) -> bool:
    """Whether a message with this turn is not accepted."""
    return turn.at - now > LONGEST_EXPECTED


def has_waited_too_long(message: Queued, turn: Turn, *, now: float) -> bool:
    """Whether a message is given up that still waits for its turn: the page was away, or the pace is slower than it was."""
    return turn.at > now and now - message.accepted >= LONGEST_WAIT


class _Lane:
    """What one budget has given, and is planned to give, the oldest first."""

    def __init__(self, budget: Budget, times: Iterable[float] = ()) -> None:
        self._budget = budget
        self._times = list(times)

    def next(self, at: float, *, chance: float) -> float:
        """Return when the next may go, from then on; nothing overtakes what is planned."""
        if len(self._times) < self._budget.burst:
            return max(at, self._times[-1]) if self._times else at
        at = max(at, self._times[-1])
        whole = self._times[-self._budget.burst] + self._budget.memory
        return max(at, min(self._times[-1] + self._budget.interval * (0.5 + chance), whole))

    def give(self, at: float) -> None:
        """Count one."""
        bisect.insort(self._times, at)

    def newest(self, count: int) -> float | None:
        """Return the time of the first of the newest so many; None: there are fewer."""
        return self._times[-count] if len(self._times) >= count else None


class _Lanes:
    """All budgets. What was given at a time that is still to come is of a clock that was wrong, and does not count."""

    def __init__(self, pace: Pace, spent: Spent, *, now: float) -> None:
        self._pace = pace
        self._now = now
        self._contacts: dict[str, float] = {}
        """ When strangers were first written to in the last day, by chat. """
        for chat, time in spent.first_contacts:
            if now - DAY < time <= now:
                self._contacts.setdefault(chat, time)
        given = [message for message in spent.messages if message.time <= now]
        self._all = _Lane(pace.messages, (message.time for message in given))
        self._first = _Lane(pace.first_contacts, sorted(self._contacts.values()))
        self._people = _by_person(given, pace.one_person)

    def next(self, message: Queued, turn: Turn) -> Turn:
        """Return the message's turn, at the earliest this one."""
        chance = zlib.crc32(message.identifier.encode()) / 2**32
        if self._is_first(message):
            turn = _later(turn, self._first.next(turn.at, chance=chance), WaitReason.FIRST_CONTACTS)
            turn = _later(turn, self._day_after(), WaitReason.FIRST_CONTACTS_PER_DAY)
        turn = _later(turn, self._people[message.chat].next(turn.at, chance=chance), WaitReason.ONE_PERSON)
        if turn.at <= self._now:
            turn = _later(turn, self._all.next(turn.at, chance=chance), WaitReason.MESSAGES)
        return turn

    def give(self, message: Queued, turn: Turn) -> None:
        """Count a message with this turn."""
        if self._is_first(message):
            self._contacts[message.chat] = turn.at
            self._first.give(turn.at)
        self._people[message.chat].give(turn.at)
        # What waits for another reason is not planned among all: there it would hold up what could go before it.
        if turn.at <= self._now or turn.reason is WaitReason.MESSAGES:
            self._all.give(turn.at)

    def _is_first(self, message: Queued) -> bool:
        return message.to_stranger is not False and message.chat not in self._contacts

    def _day_after(self) -> float:
        """Return when there is room among the first contacts of a day."""
        first = self._first.newest(self._pace.per_day)
        return -math.inf if first is None else first + DAY


def _by_person(messages: Iterable[HandedOver], budget: Budget) -> Mapping[str, _Lane]:
    times: defaultdict[str, list[float]] = defaultdict(list)
    for chat, time in messages:
        times[chat].append(time)
    lanes: defaultdict[str, _Lane] = defaultdict(lambda: _Lane(budget))
    lanes.update({chat: _Lane(budget, some) for chat, some in times.items()})
    return lanes


def _later(turn: Turn, at: float, reason: WaitReason) -> Turn:
    return Turn(at, reason) if at > turn.at else turn
