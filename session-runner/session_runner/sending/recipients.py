"""To whom a request goes: the number of a `user_id`, and what WhatsApp and the page say of a number at the time.

`messaging` asks before it stores a request. The page is asked once for all of it, and has less than a second: clients wait
for the answer, and what is not known then is found before the message is handed over.
"""

import logging
from collections.abc import Callable
from typing import Final

from session_runner.commands import CommandError
from session_runner.linked_page import LinkedPage
from session_runner.messages.contents import Deletion, Edit, Forward, concerned
from session_runner.messages.errors import BadParameterError, NobodyThereError, NoUserIdError
from session_runner.messages.ids import digits_of
from session_runner.messages.requests import SendRequest
from session_runner.outbox import people, requests
from session_runner.outbox.outbox import Outbox
from session_runner.page.errors import CallFailedError
from session_runner.values import Private

logger = logging.getLogger(__name__)

KNOWN_SECONDS: Final = 3600.0
""" For which somebody who has written is not looked up again. """
MOST_KNOWN: Final = 1000
""" People who are kept so. """
LOOKUP_SECONDS: Final = 0.8
""" For WhatsApp to answer whether a number is there: clients give up after 5 s, and a lookup that is late is none. """


class Recipient(Private, frozen=True, kw_only=True):
    """Somebody, as far as it is known."""

    hidden = ("digits",)

    digits: str
    is_stranger: bool | None = None
    """ Whether they have never written to this account; None: not known. """


class Recipients:
    """The recipients of one session; used from one event loop only."""

    def __init__(self, page: LinkedPage, *, now: Callable[[], float]) -> None:
        self._page = page
        self._now = now
        self._known: dict[tuple[str | None, str], tuple[Recipient, float]] = {}
        """ By account and number: whoever has written is there, and WhatsApp need not be asked before each answer. """

    async def of(self, outbox: Outbox, request: SendRequest) -> Recipient:
        """Return to whom a request goes.

        :raises MessageError: nobody is there, or what the request is about is not.
        """
        digits = request.digits or await self._number_of(outbox, request.given)
        if isinstance(request.content, Edit | Deletion):
            return Recipient(digits=digits)
        found = await self._look_up(digits, about=await self._to_ask_about(outbox, request))
        return found if concerned(request.content) is None else Recipient(digits=found.digits)

    def is_known(self, request: SendRequest) -> bool:
        """Whether `of` needs neither the page nor the outbox for a request."""
        if not request.digits or request.reply_to is not None or concerned(request.content) is not None:
            return False
        return not self._page.can_send or self._lately(request.digits) is not None

    def _lately(self, digits: str) -> Recipient | None:
        """Return somebody who was looked up lately and has written."""
        known, until = self._known.get((self._page.account, digits), (None, 0.0))
        return known if self._now() < until else None

    async def _number_of(self, outbox: Outbox, user: str) -> str:
        """Return the number of whom events name so.

        :raises NoUserIdError: they do not, or WhatsApp has not told the number.
        """
        person = await outbox.run(people.find, user)
        if person is None:
            raise NoUserIdError("This session knows nobody by this user_id.")
        if person.wa_id is None:
            raise NoUserIdError("WhatsApp has not told this person's number yet, so nothing can be sent to them.")
        return person.wa_id

    async def _to_ask_about(self, outbox: Outbox, request: SendRequest) -> str | None:
        """Return the message that the request is about, if the page has to have it already: ours may be waiting, too."""
        about = request.reply_to or concerned(request.content)
        if isinstance(request.content, Forward):
            return None  # it may be in any chat, and the page looks there when it sends
        if about is None or await outbox.run(requests.find, about) is not None:
            return None
        return about

    async def _look_up(self, digits: str, *, about: str | None) -> Recipient:
        """Return the digits as WhatsApp writes them, or as they are where it could not be asked.

        :raises NobodyThereError: WhatsApp says that nobody is there.
        :raises BadParameterError: the chat has not the message that it is about.
        """
        if not self._page.can_send:
            return Recipient(digits=digits)
        key = self._page.account, digits
        if about is None and (known := self._lately(digits)) is not None:
            return known
        argument = {"digits": digits, "about": about, "within": LOOKUP_SECONDS * 0.9}
        try:
            found = await self._page.call("lookup.js", argument, deadline=LOOKUP_SECONDS)
        except (CommandError, CallFailedError) as error:
            logger.info("A number could not be looked up in time", extra={"error": type(error).__name__})
            return Recipient(digits=digits)
        if not isinstance(found, dict):
            return Recipient(digits=digits)
        if found.get("nobody"):
            raise NobodyThereError("The number is not on WhatsApp.")
        if found.get("missing"):
            raise BadParameterError("The message that this is about is not in the chat of this number, or no more.")
        stranger = found.get("stranger")
        recipient = Recipient(
            digits=digits_of(found.get("digits")) or digits,
            is_stranger=stranger if isinstance(stranger, bool) else None,
        )
        if recipient.is_stranger is False:
            self._known.pop(key, None)  # so that the oldest comes first
            self._known[key] = recipient, self._now() + KNOWN_SECONDS
            if len(self._known) > MOST_KNOWN:
                del self._known[next(iter(self._known))]
        return recipient
