"""The routes that the operator calls: other tokens, and other settings, for a session that runs."""

import logging

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from session_protocol.answers import KnownScopes
from session_protocol.live_settings import SettingsInUse, read_live_settings
from session_protocol.token_hashes import TokenHashes

from session_runner.http.access import SIGNED_BODY
from session_runner.http.auth import TokenFolder
from session_runner.http.bodies import json_response
from session_runner.http.errors import BadRequestError
from session_runner.live import Live

logger = logging.getLogger(__name__)


class OperatorRoutes:
    """The routes of one session."""

    def __init__(self, *, tokens: TokenFolder, live: Live) -> None:
        self._tokens = tokens
        self._live = live

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by the names of their routes."""
        return {"renewTokens": self.renew_tokens, "changeSettings": self.change_settings}

    async def renew_tokens(self, request: web.Request) -> web.Response:
        """PUT /v1/tokens: take other tokens; the old ones end a little later."""
        try:
            given = msgspec.json.decode(request[SIGNED_BODY], type=TokenHashes)
        except (ValueError, RecursionError) as error:
            raise BadRequestError(f"The body is wrong: {error}. /v1/openapi.yaml tells what it takes.") from error
        if self._tokens.renew(given.digests()):
            logger.info("The tokens were renewed")
        return json_response(KnownScopes(scopes=sorted(self._tokens.scopes())))

    async def change_settings(self, request: web.Request) -> web.Response:
        """PUT /v1/settings: go by other settings from now on."""
        try:
            given = read_live_settings(request[SIGNED_BODY])
        except (ValueError, RecursionError) as error:
            raise BadRequestError(f"The body is wrong: {error}. /v1/openapi.yaml tells what it takes.") from error
        if self._live.replace(given):
            logger.info("The settings were changed", extra={"count": len(given.webhooks)})
        return json_response(SettingsInUse(settings_digest=self._live.digest))
