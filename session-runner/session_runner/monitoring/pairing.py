"""The codes that link a phone: which of them people get to see, and what the page is told about the pairing code.

The monitor calls `show_codes` with each look and `pair` after it: to ask for a code, to end what nobody wants any more, to
unlink the wrong account. `states` decides. What comes of it shows in the next look.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace
from session_protocol.logouts import LogoutReason
from session_protocol.vocabulary import RunnerState

from session_runner.account.phone_numbers import PhoneNumbers
from session_runner.monitoring.state_file import StateFile
from session_runner.states.facts import Facts
from session_runner.states.history import History, live_code
from session_runner.states.pairing import Pairing, asked, for_number, is_due, is_over, live_pairing_code
from session_runner.store import StateStore

logger = logging.getLogger(__name__)

Order = Callable[[str, Any], Awaitable[str | None]]
""" Gives the page an order, which is a script's name, with its argument; None: it was not carried out. """


def with_numbers(history: History, numbers: PhoneNumbers) -> History:
    """Read the numbers again; return the history with the one that a code is wanted for."""
    numbers.read()
    return replace(history, pairing=for_number(history.pairing, numbers.wanted, source=numbers.source))


async def pair(
    order: Order, history: History, facts: Facts, *, state: RunnerState, state_file: StateFile, now: float
) -> Pairing | None:
    """Do what is due; return the pairing code's history if one was asked for: in QRPending alone, when nothing is in its way."""
    wanted = history.pairing
    if history.unexpected and facts.registered is True:
        logger.warning("Another account than the one of the session's number was linked; it is unlinked")
        state_file.keep_logout_reason(LogoutReason.UNEXPECTED_ACCOUNT)
        await order("logout.js", {"begin": True})
    elif (
        state is RunnerState.QR_PENDING
        and wanted.number is not None
        and is_due(wanted, facts, round_=history.round, now=now)
    ):
        answer = await order("pair.js", {"number": wanted.number.removeprefix("+")})
        if answer != "early":  # which a page may say every second
            logger.info("A pairing code was asked for", extra={"round": history.round, "way": answer})
        return asked(wanted, answer, round_=history.round, now=now)
    elif is_over(wanted, facts, now=now):
        await order("pair.js", {"number": None})
    return None


def show_codes(store: StateStore, state: RunnerState, history: History, facts: Facts, *, now: float) -> None:
    """Keep the codes that link a phone now; whoever waits for a pairing code may scan the QR code all the same."""
    waits = state in (RunnerState.QR_PENDING, RunnerState.PAIRING_CODE_PENDING)
    text, lifetime = (waits and live_code(history, facts, now=now)) or (None, 0.0)
    store.show_code(text, lifetime=lifetime)
    typed, life = (waits and live_pairing_code(history.pairing, now=now)) or (None, 0.0)
    store.show_pairing_code(typed, lifetime=life, phone_number=history.pairing.number)
