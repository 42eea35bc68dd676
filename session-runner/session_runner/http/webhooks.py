"""The routes about webhooks: how they do, what they refused, and sending that again."""

import msgspec
from session_protocol.answers import DeadLetter, DeadLetters, Redriven, RedriveRequest, WebhookState, WebhookStates
from session_protocol.times import moment_of

from session_runner.http.errors import BadRequestError, StartingError
from session_runner.webhooks.deliverer import Deliverer

_STARTING = "The runner is starting or ending, or its volume has no room; ask again in a moment."
_LONGEST = 512


async def webhook_states(deliverer: Deliverer) -> WebhookStates:
    """GET /v1/webhooks. :raises StartingError: there is nobody to ask."""
    reports = await deliverer.reports()
    if reports is None:
        raise StartingError(_STARTING)
    return WebhookStates(
        webhooks=[
            WebhookState(
                name=report.webhook.name,
                waiting=report.backlog.waiting,
                oldest_time=None if report.backlog.oldest is None else moment_of(report.backlog.oldest),
                dead_letters=report.backlog.dead,
                problem=report.problem[:_LONGEST],
            )
            for report in reports
        ]
    )


async def dead_letters(deliverer: Deliverer, webhook: str | None) -> DeadLetters:
    """GET /v1/dead-letters. :raises StartingError: there is nobody to ask."""
    letters = await deliverer.dead_letters(webhook)
    if letters is None:
        raise StartingError(_STARTING)
    return DeadLetters(
        dead_letters=[
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
    )


async def redrive(deliverer: Deliverer, body: bytes) -> Redriven:
    """POST /v1/dead-letters/redrive.

    :raises BadRequestError: the body says something else.
    :raises StartingError: there is nobody to ask.
    """
    try:
        wanted = msgspec.json.decode(body or b"{}", type=RedriveRequest)
    except (ValueError, RecursionError):  # no UTF-8 is another error than no JSON
        raise BadRequestError('The body is wrong: send {}, {"webhook": "NAME"} or {"ids": ["ID"]}.') from None
    count = await deliverer.redrive(webhook=wanted.webhook, identifiers=wanted.ids)
    if count is None:
        raise StartingError(_STARTING)
    return Redriven(redriven=count)
