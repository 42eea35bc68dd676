"""Who may call which route: the token of a caller, or the operator's signature, is checked before the handler is called."""

import functools
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler
from session_protocol.bad_requests import authorization_of, prove
from session_protocol.token_hashes import OPERATOR_FILE
from session_protocol.vocabulary import TokenScope

from session_runner.http.auth import TokenFolder, require
from session_runner.http.bodies import read_body
from session_runner.http.errors import ForbiddenError
from session_runner.http.operator_calls import OperatorCalls
from session_runner.http.route import Route

SIGNED_BODY = web.RequestKey("signed_body", bytes)
""" Where the body of a request is that the operator signed. """


class Access:
    """Guards the routes of one session."""

    def __init__(self, tokens: TokenFolder, *, pod_uid: str, monotonic: Callable[[], float]) -> None:
        self._tokens = tokens
        self._operator_calls = OperatorCalls(tokens.folder, pod_uid=pod_uid, monotonic=monotonic)

    def guarded(self, route: Route, answer: Handler) -> Handler:
        """Return a handler that is only called for who may call this route."""
        if route.scope is None and not route.operator:
            return answer

        @functools.wraps(answer)
        async def guarded(request: web.Request) -> web.StreamResponse:
            call = self._operator_calls.read(request)
            if call is None:
                self.authorize(request, *route.scopes)
                return await answer(request)
            if not route.operator:
                raise ForbiddenError("This is not the operator's business.")
            prove(request, OPERATOR_FILE)
            request[SIGNED_BODY] = await read_body(request)
            call.check(request[SIGNED_BODY])
            response = await answer(request)
            if isinstance(response, web.Response):
                call.sign(response, nonce=self._operator_calls.nonce())
            return response

        return guarded

    def authorize(self, request: web.Request, *scopes: TokenScope) -> None:
        """Count the connection by its token. :raises ApiError: the token does not open a route of these scopes."""
        authorization = authorization_of(request)
        if not scopes:
            require(self._tokens, authorization, *TokenScope)
            raise ForbiddenError("This is for the operator alone; no token opens it.")
        prove(request, require(self._tokens, authorization, *scopes))
