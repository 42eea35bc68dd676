"""Reads on request what the page has: chats and their messages, contacts, and whether a number is there.

The HTTP API calls it. Nothing is kept of what is read but who people are, and which file belongs to which message. A
caller gets a piece at a time, so that neither the page nor the runner ever hands over all there is; how large a piece
may be, the page's scripts see to. While the page is away nothing is told: an answer without it would look like an
account without chats.
"""

import base64
import binascii
import logging
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from sqlite3 import Connection, OperationalError
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import msgspec
from session_protocol.reading import LONGEST_CURSOR, Chats, ContactCheck, Contacts, StoredMessages

from session_runner.account.rates import Bucket, take_one
from session_runner.commands import CommandError
from session_runner.linked_page import LinkedPage
from session_runner.messages.errors import (
    NoChatError,
    NoCursorError,
    NoPictureError,
    NotReadyError,
    PageAwayError,
    TooManyChecksError,
)
from session_runner.messages.ids import digits_of
from session_runner.messages.incoming import PageMessage
from session_runner.messages.media import UNKNOWN, sniff
from session_runner.messages.stored import PageChat, PageContact, read_cursor, write_cursor
from session_runner.outbox import people, reading
from session_runner.outbox.outbox import Outbox
from session_runner.outbox.reading import Naming
from session_runner.page.errors import CallFailedError

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

READ_SECONDS: Final = 20.0
""" For the page to tell a piece. """
CHECK_SECONDS: Final = 5.0
""" For WhatsApp to answer whether a number is there. """
MOST_CHECKS: Final = 20
""" Numbers that may be asked about at once. """
CHECK_EVERY: Final = 60.0
""" Seconds until one more may be: who wants to know which of many numbers exist is no sender. """
LARGEST_PICTURE: Final = 1024 * 1024
""" Bytes. """
_GROUP: Final = re.compile(r"[0-9-]{1,60}@g\.us")
_USER: Final = re.compile(r"ZZ\.[0-9]{1,20}")


class Reader:
    """Reads for one session; used from one event loop only."""

    def __init__(
        self,
        *,
        page: LinkedPage,
        outbox: Callable[[], Awaitable[Outbox]],
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
        phone_number_id: str,
        unreadable: Callable[[], None],
    ) -> None:
        self._page = page
        self._outbox = outbox
        self._clock = clock
        self._random = random
        self._phone_number_id = phone_number_id
        self._unreadable = unreadable
        self._checks = Bucket(left=MOST_CHECKS, at=clock().timestamp())

    async def chats(self, *, after: str | None, count: int) -> Chats:
        """Return some chats, those first in which something was written last.

        :raises MessageError: they cannot be told.
        """
        place = None if after is None else _place(after, tuple[float, str])
        found = await self._ask("chats.js", {"after": place, "count": count})
        given = self._readable(found, "chats", PageChat, most=count)
        named = await self._run(reading.name_chats, given, self._naming())
        return Chats(chats=named, next=_next(found))

    async def messages(self, chat: str, *, after: str | None, count: int) -> StoredMessages:
        """Return some messages of a chat, from the newest backwards.

        :raises MessageError: they cannot be told.
        """
        key = None if after is None else _place(after, str)
        argument = {"ids": await self._ids_of(chat), "before": key, "count": count}
        found = await self._ask("chat_messages.js", argument)
        if found.get("missing") == "chat":
            raise NoChatError("The account has no such chat.")
        if found.get("missing") == "message":
            raise NoCursorError("What was read up to is not there any more; begin without it.")
        given = self._readable(found, "messages", PageMessage, most=count)
        named = await self._run(reading.name_messages, given[::-1], self._naming())
        return StoredMessages(messages=named, next=_next(found))

    async def contacts(self, *, after: str | None, count: int) -> Contacts:
        """Return some of the address book.

        :raises MessageError: they cannot be told.
        """
        place = None if after is None else _place(after, str)
        found = await self._ask("contacts.js", {"after": place, "count": count})
        given = self._readable(found, "contacts", PageContact, most=count)
        named = await self._run(reading.name_contacts, given, self._naming())
        return Contacts(contacts=named, next=_next(found))

    async def check(self, phone_number: str) -> ContactCheck:
        """Return whether somebody has this number, given with a plus.

        :raises TooManyChecksError: it was asked about too many.
        :raises MessageError: WhatsApp could not be asked.
        """
        self._page.check_reachable()
        now = self._clock().timestamp()
        left = take_one(self._checks, now=now, most=MOST_CHECKS, every=CHECK_EVERY)
        if left is None:
            raise TooManyChecksError(
                f"{MOST_CHECKS} numbers may be asked about at once, and one more every {CHECK_EVERY:g} s."
            )
        self._checks = left
        digits = phone_number.removeprefix("+")
        argument = {"digits": digits, "about": None, "within": CHECK_SECONDS * 0.9}
        found = await self._call("lookup.js", argument, deadline=CHECK_SECONDS)
        if not isinstance(found, dict):
            raise PageAwayError("WhatsApp could not be asked about the number, or did not answer; ask again.")
        if found.get("nobody"):
            return ContactCheck(exists=False)
        number, lid = digits_of(found.get("digits")) or digits, digits_of(found.get("lid"))
        person = await self._run(reading.meet, number=number, lid=lid, new_user=self._new_user, now=now)
        return ContactCheck(exists=True, person=person)

    async def picture(self, user: str | None) -> tuple[bytes, str]:
        """Return somebody's profile picture with its type; None: the own one.

        :raises NoPictureError: there is none, or none that this account may see.
        :raises MessageError: it cannot be told.
        """
        ids = None if user is None else await self._ids_of(user, groups=False)
        found = await self._ask("picture.js", {"ids": ids, "most": LARGEST_PICTURE})
        if found.get("none") or found.get("large"):
            raise NoPictureError("There is no profile picture, or none that this account may see.")
        try:
            content = base64.b64decode(found.get("piece") or "", validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise PageAwayError("The page did not give the picture.") from error
        kind = sniff(content)
        return content, kind if kind.startswith("image/") else UNKNOWN

    async def _run(self, work: Callable[Concatenate[Connection, P], T], *given: P.args, **named: P.kwargs) -> T:
        try:
            return await (await self._outbox()).run(work, *given, **named)
        except OperationalError as error:  # the volume's own watch says what is wrong with it
            raise NotReadyError("The session's volume did not take who these people are; ask again later.") from error

    async def _ids_of(self, chat: str, *, groups: bool = True) -> list[str]:
        if groups and _GROUP.fullmatch(chat):
            return [chat]
        ids = await self._run(reading.ids_of_chat, chat) if _USER.fullmatch(chat) else []
        if not ids:
            raise NoChatError("This session knows nobody by this userId, and no such group.")
        return ids

    async def _ask(self, script: str, argument: dict[str, Any]) -> dict[str, Any]:
        self._page.check_reachable()
        found = await self._call(script, {"own": self._page.own} | argument, deadline=READ_SECONDS)
        if not isinstance(found, dict):
            raise PageAwayError("The page did not answer as it should; ask again.")
        return found

    async def _call(self, script: str, argument: dict[str, Any], *, deadline: float) -> Any:
        try:
            return await self._page.read(script, argument, deadline=deadline)
        except (CommandError, CallFailedError) as error:
            # The error's text could repeat what was read.
            logger.info("The page did not tell what it was asked", extra={"error": type(error).__name__})
            raise PageAwayError("The session's page is away, or busy; ask again.") from error

    def _readable(self, found: dict[str, Any], name: str, kind: type[T], *, most: int) -> list[T]:
        given = found.get(name)
        if not isinstance(given, list) or len(given) > most:
            raise PageAwayError("The page did not answer as it should; ask again.")
        readable = []
        for one in given:
            try:
                readable.append(msgspec.convert(one, type=kind))
            except msgspec.ValidationError:  # nothing of it is told or logged
                self._unreadable()
        return readable

    def _naming(self) -> Naming:
        return Naming(now=self._clock().timestamp(), new_user=self._new_user, phone_number_id=self._phone_number_id)

    def _new_user(self) -> str:
        return people.user_id(self._random(people.RANDOM_BYTES))


def _place(cursor: str, kind: Any) -> Any:
    try:
        return read_cursor(cursor, kind)
    except ValueError:
        raise NoCursorError("after is what an answer had as next; begin without it.") from None


def _next(found: dict[str, Any]) -> str | None:
    cursor = None if found.get("next") is None else write_cursor(found["next"])
    return cursor if cursor is None or len(cursor) <= LONGEST_CURSOR else None
