"""The handlers of the routes that read what the account has, and of how it appears. `app` adds them and checks the token before each."""

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import UnsetType
from session_protocol.reading import (
    LONGEST_ABOUT,
    LONGEST_NAME,
    Chats,
    ContactCheck,
    ContactCheckRequest,
    Contacts,
    PresenceRequest,
    PresenceSet,
    Profile,
    ProfileChange,
    StoredMessages,
)

from session_runner.account.appearance import LASTS, Appearance
from session_runner.account.own_profile import OwnProfile
from session_runner.account.reader import Reader
from session_runner.http.cloud_bodies import read_body
from session_runner.http.errors import BadRequestError
from session_runner.http.message_routes import with_problems
from session_runner.http.reading_table import ListQuery, MessagesQuery
from session_runner.http.routes import read_query


class ReadingRoutes:
    """The routes of one session."""

    def __init__(self, reader: Reader, appearance: Appearance, profile: OwnProfile) -> None:
        self._reader = reader
        self._appearance = appearance
        self._profile = profile

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by the names of their routes."""
        return {
            "listChats": with_problems(self.chats),
            "listMessages": with_problems(self.messages),
            "listContacts": with_problems(self.contacts),
            "checkContact": with_problems(self.check),
            "getPicture": with_problems(self.picture),
            "getProfile": with_problems(self.profile),
            "changeProfile": with_problems(self.change_profile),
            "getOwnPicture": with_problems(self.own_picture),
            "setPresence": with_problems(self.presence),
        }

    async def chats(self, request: web.Request) -> Chats:
        """GET /v1/chats."""
        query = read_query(request.query, ListQuery)
        return await self._reader.chats(after=_maybe(query.after), count=query.limit)

    async def messages(self, request: web.Request) -> StoredMessages:
        """GET /v1/chats/{id}/messages."""
        query = read_query(request.query, MessagesQuery)
        chat = request.match_info["id"]
        return await self._reader.messages(chat, after=_maybe(query.after), count=query.limit)

    async def contacts(self, request: web.Request) -> Contacts:
        """GET /v1/contacts."""
        query = read_query(request.query, ListQuery)
        return await self._reader.contacts(after=_maybe(query.after), count=query.limit)

    async def check(self, request: web.Request) -> ContactCheck:
        """POST /v1/contacts/check: whether a number is on WhatsApp."""
        try:
            given = msgspec.json.decode(await read_body(request), type=ContactCheckRequest)
        except (ValueError, RecursionError):  # no UTF-8 is another error than no JSON
            raise BadRequestError(
                'The body is wrong: send {"phoneNumber": "+15550100777"}, a number with its country\'s code.'
            ) from None
        return await self._reader.check(given.phone_number)

    async def picture(self, request: web.Request) -> web.Response:
        """GET /v1/contacts/{id}/picture."""
        return _picture(*await self._reader.picture(request.match_info["id"]))

    async def profile(self, _request: web.Request) -> Profile:
        """GET /v1/profile."""
        return await self._profile.read()

    async def change_profile(self, request: web.Request) -> Profile:
        """PATCH /v1/profile: change name or about text."""
        try:
            given = msgspec.json.decode(await read_body(request), type=ProfileChange)
        except (ValueError, RecursionError):
            raise BadRequestError(
                f'The body is wrong: send {{"about": "Open until 6 pm"}}, up to {LONGEST_ABOUT} characters, '
                f'or {{"name": "Shop"}}, up to {LONGEST_NAME}, or both.'
            ) from None
        await self._profile.change(given)
        return await self._profile.read()

    async def own_picture(self, _request: web.Request) -> web.Response:
        """GET /v1/profile/picture."""
        return _picture(*await self._reader.picture(None))

    async def presence(self, request: web.Request) -> PresenceSet:
        """PUT /v1/presence: appear online, or not."""
        try:
            given = msgspec.json.decode(await read_body(request), type=PresenceRequest)
        except (ValueError, RecursionError):
            raise BadRequestError('The body is wrong: send {"presence": "Available"}, or Unavailable.') from None
        await self._appearance.appear(given.presence)
        return PresenceSet(presence=given.presence, seconds=int(LASTS))


def _picture(content: bytes, kind: str) -> web.Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}  # it is somebody else's file
    return web.Response(body=content, content_type=kind, headers=headers)


def _maybe(given: str | UnsetType) -> str | None:
    return given if isinstance(given, str) else None
