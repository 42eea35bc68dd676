"""The routes about webhooks: how they do, what they refused, and sending that again."""

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from session_protocol.answers import DeadLetter, DeadLetters, Redriven, RedriveRequest, WebhookState, WebhookStates
from session_protocol.times import moment_of

from session_runner.http.bodies import json_response, read_body
from session_runner.http.errors import BadRequestError, StartingError
from session_runner.http.routes import DeadLettersQuery, read_query
from session_runner.webhooks.deliverer import Deliverer

_STARTING = "The runner is starting or ending, or its volume has no room; ask again in a moment."
_LONGEST = 512
""" Characters of a problem that are shown. """


class WebhookRoutes:
    """The routes of one session."""

    def __init__(self, deliverer: Deliverer) -> None:
        self._deliverer = deliverer

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by the names of their routes."""
        return {"getWebhooks": self.states, "getDeadLetters": self.dead_letters, "redrive": self.redrive}

    async def states(self, _request: web.Request) -> web.Response:
        """GET /v1/webhooks: how they do. :raises StartingError: there is nobody to ask."""
        reports = await self._deliverer.reports()
        if reports is None:
            raise StartingError(_STARTING)
        found = [
            WebhookState(
                name=report.webhook.name,
                waiting=report.backlog.waiting,
                oldest_time=None if report.backlog.oldest is None else moment_of(report.backlog.oldest),
                dead_letters=report.backlog.dead,
                problem=report.problem[:_LONGEST],
            )
            for report in reports
        ]
        return json_response(WebhookStates(webhooks=found))

    async def dead_letters(self, request: web.Request) -> web.Response:
        """GET /v1/dead-letters: what webhooks refused. :raises StartingError: there is nobody to ask."""
        name = read_query(request.query, DeadLettersQuery).webhook
        letters = await self._deliverer.dead_letters(name if isinstance(name, str) else None)
        if letters is None:
            raise StartingError(_STARTING)
        found = [
            DeadLetter(
                id=letter.identifier,
                webhook=letter.webhook,
                type=letter.kind,
                stored_time=moment_of(letter.created),
                dead_time=moment_of(letter.died),
                tries=letter.tries,
                problem=letter.problem[:_LONGEST],
            )
            for letter in letters
        ]
        return json_response(DeadLetters(dead_letters=found))

    async def redrive(self, request: web.Request) -> web.Response:
        """POST /v1/dead-letters/redrive: send them again.

        :raises BadRequestError: the body says something else.
        :raises StartingError: there is nobody to ask.
        """
        try:
            wanted = msgspec.json.decode(await read_body(request) or b"{}", type=RedriveRequest)
        except (ValueError, RecursionError):  # no UTF-8 is another error than no JSON
            raise BadRequestError('The body is wrong: send {}, {"webhook": "NAME"} or {"ids": ["ID"]}.') from None
        count = await self._deliverer.redrive(webhook=wanted.webhook, identifiers=wanted.ids)
        if count is None:
            raise StartingError(_STARTING)
        return json_response(Redriven(redriven=count))
