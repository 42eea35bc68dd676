"""Whose turn it is among the messages that wait, in the very transaction that reads by what that is decided.

What is decided is in `messages.pacing`. A request is stored if its turn is not too far off; in a round of `messaging` what
cannot go out any more is settled, and of what can go the page is about to be told.
"""

import math
from collections.abc import Collection
from sqlite3 import Connection

from msgspec import Struct
from session_protocol.vocabulary import WaitReason

from session_runner.messages.contents import kind_of, takes_long
from session_runner.messages.errors import FirstContactsForbiddenError, PacedError, PacedToOneError
from session_runner.messages.pacing import (
    FREE_KINDS,
    Pace,
    Queued,
    Turn,
    has_waited_too_long,
    is_too_far,
    plan,
)
from session_runner.messages.progress import LONGEST_WAIT, Progress
from session_runner.outbox import pacing, requests
from session_runner.outbox.ages import Ages, ages
from session_runner.outbox.requests import NewMessage, Waiting


class FullError(Exception):
    """Too many messages wait."""


class Terms(Struct, frozen=True, kw_only=True):
    """By what turns are planned now."""

    account: str | None
    pace: Pace | None
    now: float
    forbids_first_contacts: bool = False
    """ Whether WhatsApp lets the account write to nobody new. """


class Round(Struct, frozen=True, kw_only=True):
    """What is to be done now."""

    unknown: tuple[str, ...] = ()
    """ Numbers of whom the page has to say first whether they have ever written; then nothing else is told here. """
    failed: tuple[int, ...] = ()
    """ The codes of those that will not go out. """
    waiting: tuple[Waiting, ...] = ()
    """ Whose turn it is, in their order. """
    together: frozenset[str] = frozenset()
    """ The ids of those that the page is about to be told of in one call, which is noted; the others go alone. """
    next_turn: float = math.inf
    """ Seconds until the turn of the next one. """


def take_in(database: Connection, message: NewMessage, *, terms: Terms, most: int) -> Turn | None:
    """Store a message, unless its turn is too far off; then return that.

    :raises FullError: so many wait already.
    """
    check_room(database, most=most)
    if terms.pace is not None and kind_of(message.content) not in FREE_KINDS:
        turn = _turn_of(database, message, terms, terms.pace)
        if is_too_far(turn, now=terms.now):
            return turn
    requests.add(database, message)
    return None


def check_room(database: Connection, *, most: int) -> None:
    """Look whether another message may wait. :raises FullError: so many do already."""
    if requests.count_waiting(database) >= most:
        raise FullError


def begin_round(database: Connection, *, terms: Terms, most: int, but: Collection[str] = ()) -> Round:
    """Settle what cannot go out, return whose turn it is, and note of which of these the page is about to be told.

    :param but: chats that are left out.
    """
    view = _view(database, terms)
    unknown = dict.fromkeys(one.chat for one in view.queue if one.to_stranger is None and not one.is_free)
    if unknown:
        return Round(unknown=tuple(unknown))
    turns = plan(view.queue, view.spent, pace=terms.pace, now=terms.now)
    failed = []
    for message in view.queue:
        code = _over(message, turns[message.identifier], terms)
        if code is not None:
            turns.pop(message.identifier)
            failed.append(code)
            requests.record(database, message.identifier, Progress.FAILED, time=terms.now, error=code)
    # One whose file is not there yet holds up what comes behind it in its chat, and nothing else.
    held = {message.identifier for message in view.queue if message.held}
    ready = [name for name, turn in turns.items() if turn.at <= terms.now and name not in held]
    waiting = requests.due(database, account=terms.account, most=most, only=ready, but=but) if ready else []
    return Round(
        failed=tuple(failed),
        waiting=tuple(waiting),
        together=_begin(database, waiting, now=terms.now),
        next_turn=min((turn.at - terms.now for turn in turns.values() if turn.at > terms.now), default=math.inf),
    )


def paced(database: Connection, *, terms: Terms) -> dict[str, Turn]:
    """Return what waits for its turn, and when that is."""
    view = _view(database, terms)
    turns = plan(view.queue, view.spent, pace=terms.pace, now=terms.now)
    return {identifier: turn for identifier, turn in turns.items() if turn.at > terms.now}


def measure(database: Connection, *, terms: Terms) -> Ages:
    """Return how old the oldest messages are, those that wait for their turn apart."""
    return ages(database, account=terms.account, paced=list(paced(database, terms=terms)))


def _view(database: Connection, terms: Terms, *, adding: bool = False) -> pacing.View:
    memory = None if terms.pace is None else terms.pace.memory
    return pacing.view(database, account=terms.account, memory=memory, now=terms.now, adding=adding)


def _turn_of(database: Connection, message: NewMessage, terms: Terms, pace: Pace) -> Turn:
    """Return the turn of a message that is to be stored."""
    view = _view(database, terms, adding=True)
    new = Queued(
        identifier=message.identifier,
        chat=message.digits,
        accepted=message.accepted,
        to_stranger=message.to_stranger or False,  # of whom nothing is known, the page is asked before their turn
        held=message.to_prepare or any(one.held and one.chat == message.digits for one in view.queue),
    )
    if message.to_stranger is False and any(one.chat == new.chat and one.to_stranger for one in view.queue):
        pacing.is_known(database, new.chat)
        view = _view(database, terms, adding=True)
    return plan((*view.queue, new), view.spent, pace=pace, now=terms.now)[new.identifier]


def _over(message: Queued, turn: Turn, terms: Terms) -> int | None:
    """Return the code of a message that will not go out; None: it will."""
    if message.begun or message.is_free:
        return None
    if message.to_stranger and terms.forbids_first_contacts:
        return FirstContactsForbiddenError.code
    if not has_waited_too_long(message, turn, now=terms.now):
        return None
    return (PacedToOneError if turn.reason is WaitReason.ONE_PERSON else PacedError).code


def _begin(database: Connection, waiting: Collection[Waiting], *, now: float) -> frozenset[str]:
    """Note of those that can go together that the page is told of them; what is behind one that cannot is none of them."""
    alone: set[str] = set()
    together = []
    for message in waiting:
        if message.digits in alone or takes_long(message.content):
            alone.add(message.digits)
            continue
        together.append(message.identifier)
        if now - message.accepted < LONGEST_WAIT:  # an older one is only looked for
            requests.begin_handing_over(database, message.identifier)
    return frozenset(together)
