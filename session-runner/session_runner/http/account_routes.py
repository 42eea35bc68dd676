"""The Cloud API's routes about a session's number, account and token, which clients call while they are set up.

`cloud_api` adds them beside those of messages, checks the token before each and gives errors their form. One id is the
phone-number-id and the business account's; `messages.account` says why, and has the answers.
"""

from typing import Any, Final

from aiohttp import web
from session_protocol.vocabulary import TokenScope

from session_runner.account.own_profile import OwnProfile
from session_runner.http.auth import TokenFolder, require
from session_runner.http.cloud_bodies import Answer, read_body
from session_runner.http.errors import ApiError
from session_runner.linked_page import LinkedPage
from session_runner.messages import account, answers
from session_runner.messages.business_profile import business_profile, read_business_profile
from session_runner.messages.errors import BadRequestError, UnknownObjectError

_OWN_WEBHOOK: Final = "override_callback_uri"
""" By which a client would have webhooks sent to an address of its own. """


class AccountRoutes:
    """The routes of one session."""

    def __init__(self, *, page: LinkedPage, profile: OwnProfile, tokens: TokenFolder, identifier: str) -> None:
        self._page = page
        self._profile = profile
        self._tokens = tokens
        self._identifier = identifier

    def answers(self) -> dict[str, Answer]:
        """Return the handlers by the names of their routes."""
        return {
            "getPhoneNumber": self.phone_number,
            "listPhoneNumbers": self.phone_numbers,
            "listTemplates": self.templates,
            "listSubscribedApps": self.subscribed_apps,
            "subscribeApp": self.subscribe,
            "debugToken": self.debug_token,
            "getBusinessProfile": self.business_profile,
            "changeBusinessProfile": self.change_business_profile,
        }

    async def phone_number(self, request: web.Request) -> dict[str, Any]:
        """GET /{version}/{phone-number-id}: the session's own number, and its account."""
        self._check(request, "phone")
        return self._session_object(request)

    async def phone_numbers(self, request: web.Request) -> dict[str, Any]:
        """GET /{version}/{waba-id}/phone_numbers: the one there is."""
        self._check(request, "waba")
        return account.page([self._session_object(request)])

    async def templates(self, request: web.Request) -> dict[str, Any]:
        """GET /{version}/{waba-id}/message_templates: none."""
        self._check(request, "waba")
        return account.no_templates()

    async def subscribed_apps(self, request: web.Request) -> dict[str, Any]:
        """GET /{version}/{waba-id}/subscribed_apps."""
        self._check(request, "waba")
        return account.subscribed(self._identifier)

    async def subscribe(self, request: web.Request) -> dict[str, Any]:
        """POST /{version}/{waba-id}/subscribed_apps: so it is already, unless an address is to be set by it."""
        self._check(request, "waba")
        if _OWN_WEBHOOK in request.query or _OWN_WEBHOOK.encode() in await read_body(request):
            raise BadRequestError(f"{_OWN_WEBHOOK}: webhooks are set in the session's spec.")
        return {"success": True}

    async def debug_token(self, request: web.Request) -> dict[str, Any]:
        """GET /{version}/debug_token: whether another token, or the same, opens these routes."""
        given = request.query.getall("input_token", [])
        if len(given) != 1:
            raise BadRequestError("input_token is missing: the token that is asked about.")
        try:
            require(self._tokens, f"Bearer {given[0]}", TokenScope.SEND)
        except ApiError:
            return account.unknown_token()
        return account.known_token(self._identifier)

    async def business_profile(self, request: web.Request) -> dict[str, Any]:
        """GET /{version}/{phone-number-id}/whatsapp_business_profile: the about text, which an ordinary account has, too."""
        self._check(request, "phone")
        found = await self._profile.read()
        return business_profile(found.about, fields=account.wanted_fields(request.query.get("fields")))

    async def change_business_profile(self, request: web.Request) -> dict[str, Any]:
        """POST /{version}/{phone-number-id}/whatsapp_business_profile: the about text alone."""
        self._check(request, "phone")
        await self._profile.change(read_business_profile(await read_body(request)))
        return answers.success()

    def _session_object(self, request: web.Request) -> dict[str, Any]:
        fields = account.wanted_fields(request.query.get("fields"))
        return account.session_object(
            identifier=self._identifier,
            digits=self._page.own_number() if account.wants_number(fields) else None,
            connected=self._page.is_connected,
            fields=fields,
        )

    def _check(self, request: web.Request, name: str) -> None:
        if request.match_info[name] != self._identifier:
            raise UnknownObjectError(
                f"This session's id, as phone-number-id and as WhatsApp Business Account ID, is {self._identifier}."
            )
