"""The routes of the API in one table: parameters, answers, errors and scopes.

`app` serves the routes of this table and checks the token before each; `openapi` generates the contract from it. So the
contract cannot have a route, a parameter or a scope that the code does not have.
"""

import sys
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from multidict import MultiMapping
from session_protocol.answers import (
    LARGEST_REVISION,
    Account,
    Code,
    DeadLetters,
    KnownScopes,
    MarkedMessage,
    PairingCode,
    PairingRequest,
    Redriven,
    RedriveRequest,
    SentMessage,
    State,
    WebhookStates,
)
from session_protocol.live_settings import LiveSettings, SettingsInUse
from session_protocol.messages import EditRequest, MessageRequest, ReadRequest
from session_protocol.token_hashes import TokenHashes
from session_protocol.vocabulary import TokenScope

from session_runner.http.errors import (
    BadRequestError,
    CannotPairError,
    DeadlineError,
    EventsGoneError,
    FirstContactsForbiddenError,
    ForbiddenError,
    InvalidMessageError,
    NoAccountError,
    NoCodeError,
    NoFileError,
    NoMessageError,
    NoPageError,
    NoPairingCodeError,
    NotAcceptableError,
    NotChangeableError,
    NotLinkedError,
    NotOnWhatsAppError,
    StartingError,
    TooManyCommandsError,
    TooManyMessagesError,
    TooManyStreamsError,
    UnauthorizedError,
)
from session_runner.http.file_table import FILE_ROUTES
from session_runner.http.reading_table import READING_ROUTES
from session_runner.http.route import Route

Q = TypeVar("Q", bound=Struct)

TEXT: Mapping[str, Any] = {"type": "string"}


class StateQuery(Struct, frozen=True):
    """What GET /v1/state takes. Numbers are written as in JSON."""

    after: Annotated[int, Meta(ge=0, le=LARGEST_REVISION, description="The revision the caller has.")] | UnsetType = (
        UNSET
    )
    wait: Annotated[
        # A schema's number has no end, a double has one: up to there every wait is taken, and cut.
        float,
        Meta(ge=0, le=sys.float_info.max, description="Seconds to wait for a newer one; cut to 60."),
    ] = 0


class DeadLettersQuery(Struct, frozen=True):
    """What GET /v1/dead-letters takes."""

    webhook: Annotated[str, Meta(max_length=64, description="Only those of this webhook.")] | UnsetType = UNSET


class MetricsQuery(Struct, frozen=True):
    """What GET /metrics takes; the library reads it."""

    names: Annotated[list[str], Meta(description="Only series of these names. May be repeated.")] = msgspec.field(
        default_factory=list, name="name[]"
    )


class EventsQuery(Struct, frozen=True):
    """What GET /v1/events takes."""

    after: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=64,
                description="The id of the last event that the caller has; the header Last-Event-ID says the same.",
            ),
        ]
        | UnsetType
    ) = UNSET


ROUTES = (
    Route(
        path="/v1/state",
        name="getState",
        summary="The state, at once or after its next change",
        description="Without `after`, or when `after` is not the newest revision, the answer comes at once; "
        "else it comes with the next change, or unchanged after `wait` seconds.\n"
        "Revisions count within one pod; a revision of an earlier pod is answered at once.\n",
        scope=TokenScope.STATE,
        operator=True,
        query=StateQuery,
        answer="The state.",
        content={"application/json": State},
        cached=False,
    ),
    Route(
        path="/v1/qr",
        name="getQR",
        summary="The QR code that is on the page's screen",
        description="Whoever has the code can link a phone: it is never cached, logged or put into a status.\n"
        "The Accept header chooses JSON, PNG or SVG.\n",
        scope=TokenScope.LINK,
        answer="The code.",
        content={
            "application/json": Code,
            "image/png": {"type": "string", "contentMediaType": "image/png"},
            "image/svg+xml": {"type": "string", "contentMediaType": "image/svg+xml"},
        },
        cached=False,
        errors=(NoCodeError, NotAcceptableError),
    ),
    Route(
        path="/v1/pairing-code",
        name="getPairingCode",
        summary="The pairing code that waits to be typed into the phone",
        description="It links the phone of the number that it was made for: it is never cached, logged or put into a status.\n",
        scope=TokenScope.LINK,
        answer="The code.",
        content={"application/json": PairingCode},
        cached=False,
        errors=(NoPairingCodeError,),
    ),
    Route(
        path="/v1/pairing-code",
        method="POST",
        name="askForPairingCode",
        summary="Ask for a pairing code for a phone, by its number",
        description="The number is kept until the pod ends, and new codes follow as they do for one in the session's Secret. "
        "Where there is a Secret, only its number is taken. "
        "The QR code stays, for whoever would rather scan it.\n"
        "WhatsApp allows few codes: one that it refuses is asked for again after a while, which `GET /v1/state` tells.\n",
        scope=TokenScope.LINK,
        body=PairingRequest,
        answer="The code.",
        content={"application/json": PairingCode},
        cached=False,
        errors=(BadRequestError, CannotPairError, DeadlineError),
    ),
    Route(
        path="/v1/account",
        name="getAccount",
        summary="Whose account is linked",
        description="Whoever may link a phone has to see which one it was.\n"
        "The number stands here and nowhere else; "
        "the session's status has a hash of it that only the operator can make.\n",
        scope=TokenScope.LINK,
        operator=True,
        answer="The account.",
        content={"application/json": Account},
        cached=False,
        errors=(NoAccountError,),
    ),
    Route(
        path="/v1/logout",
        method="POST",
        name="logOut",
        summary="Unlink the session from its phone, as WhatsApp Web's own menu does",
        description="The answer comes when the page is unlinked, with the state that the session is in then: `LoggedOut`, "
        "and what follows is what follows a logout by the phone. A body is not read.\n"
        "Commands are carried out one after the other. One that is answered with `DeadlineExceeded` may still come true; "
        "one whose caller hangs up is carried out all the same.\n",
        scope=TokenScope.ADMIN,
        answer="It is unlinked; this is the state now.",
        content={"application/json": State},
        cached=False,
        errors=(NotLinkedError, TooManyCommandsError, NoPageError, DeadlineError),
    ),
    Route(
        path="/v1/messages",
        method="POST",
        name="sendMessageV1",
        summary="Send a message",
        description="The body is the Cloud API's, read strictly; answered once it is on the session's volume. "
        "With the header Idempotency-Key (up to 255 characters) the same request gets the same message for a day, "
        "and another one 422.\n",
        scope=TokenScope.SEND,
        body=MessageRequest,
        answer="The message is taken.",
        content={"application/json": SentMessage},
        cached=False,
        errors=(
            NotOnWhatsAppError,
            NoFileError,
            NotLinkedError,
            InvalidMessageError,
            TooManyMessagesError,
            FirstContactsForbiddenError,
            StartingError,
        ),
    ),
    Route(
        path="/v1/messages/{id}",
        method="PATCH",
        name="editMessage",
        summary="Edit a text that was sent",
        description="The answer is the message that edits, with an id of its own: it comes as far as `handed_over`, or fails with "
        "131009 when WhatsApp Web does not edit the text any more, after about 15 minutes. Idempotency-Key as for "
        "`POST /v1/messages`.\n",
        scope=TokenScope.SEND,
        body=EditRequest,
        answer="The edit is taken.",
        content={"application/json": SentMessage},
        cached=False,
        errors=(NoMessageError, NotChangeableError, InvalidMessageError, TooManyMessagesError, StartingError),
    ),
    Route(
        path="/v1/messages/{id}",
        method="DELETE",
        name="deleteMessage",
        summary="Take a message back, for everybody",
        description="The answer is the message that takes it back, with an id of its own: it comes as far as `handed_over`. "
        "WhatsApp carries it out for about two days, and who has read it has. Idempotency-Key as for "
        "`POST /v1/messages`.\n",
        scope=TokenScope.SEND,
        answer="That is taken.",
        content={"application/json": SentMessage},
        cached=False,
        errors=(NoMessageError, NotChangeableError, InvalidMessageError, TooManyMessagesError, StartingError),
    ),
    Route(
        path="/v1/messages/{id}",
        name="getMessage",
        summary="How far a message has come",
        description="The id is in the answer of `POST /v1/messages` or `POST /{version}/{phone-number-id}/messages`. "
        "Messages are known for a week.\n",
        scope=TokenScope.SEND,
        also=(TokenScope.READ,),
        answer="What is known of it.",
        content={"application/json": SentMessage},
        cached=False,
        errors=(NoMessageError, StartingError),
    ),
    Route(
        path="/v1/messages/{id}/read",
        method="POST",
        name="markMessage",
        summary="Mark a message of somebody else as read",
        description="WhatsApp Web marks a chat as a whole, so what came after that message counts as read, too. A mark waits on the "
        "volume for a page that is away, for a day at most; `typing` is shown at once or not at all.\n",
        scope=TokenScope.SEND,
        body=ReadRequest,
        answer="The mark is taken.",
        content={"application/json": MarkedMessage},
        cached=False,
        errors=(NoMessageError, NotLinkedError, InvalidMessageError, TooManyMessagesError, StartingError),
    ),
    *FILE_ROUTES,
    Route(
        path="/v1/events",
        name="streamEvents",
        summary="What happens, as server-sent events",
        description="From now on, or from behind the event that `after` or the header Last-Event-ID names; the stream ends after an hour, "
        "and a client comes again with the last id. Events are kept for a day.\n",
        scope=TokenScope.SEND,
        also=(TokenScope.READ,),
        query=EventsQuery,
        answer="The stream. Each event's data is JSON with id, type, time and data.",
        content={"text/event-stream": TEXT},
        cached=False,
        errors=(EventsGoneError, StartingError, TooManyStreamsError),
    ),
    *READING_ROUTES,
    Route(
        path="/v1/tokens",
        method="PUT",
        name="renewTokens",
        summary="Replace the tokens of a running session",
        description="For the operator alone: no token opens it, neither does one of the scope `admin`.\n"
        "The body has the hash of each scope's new token; a scope that it leaves out is turned off. "
        "The tokens of before are taken for two more minutes, so that clients can read the new ones. "
        "Sent again, it changes nothing.\n",
        operator=True,
        body=TokenHashes,
        answer="The runner takes these tokens.",
        content={"application/json": KnownScopes},
        cached=False,
    ),
    Route(
        path="/v1/webhooks",
        name="getWebhooks",
        summary="How the session's webhooks do",
        scope=TokenScope.ADMIN,
        answer="One entry for each.",
        content={"application/json": WebhookStates},
        cached=False,
        errors=(StartingError,),
    ),
    Route(
        path="/v1/dead-letters",
        name="getDeadLetters",
        summary="Events that a webhook refused, or did not take for three days",
        description="The newest hundred, without their bodies; they stay for a week, at most 1,000 of a webhook.\n",
        scope=TokenScope.ADMIN,
        query=DeadLettersQuery,
        answer="They, the newest first.",
        content={"application/json": DeadLetters},
        cached=False,
        errors=(StartingError,),
    ),
    Route(
        path="/v1/dead-letters/redrive",
        method="POST",
        name="redrive",
        summary="Send dead letters again",
        description="They take their old places, before newer events of their chat.\n",
        scope=TokenScope.ADMIN,
        body=RedriveRequest,
        answer="They are due again.",
        content={"application/json": Redriven},
        cached=False,
        errors=(BadRequestError, StartingError),
    ),
    Route(
        path="/v1/settings",
        method="PUT",
        name="changeSettings",
        summary="Replace the settings of a running session: webhooks, messages, calls",
        description="For the operator alone: no token opens it, neither does one of the scope `admin`.\n"
        "The body has all of them; what it leaves out is not set. Sent again, it changes nothing.\n",
        operator=True,
        body=LiveSettings,
        answer="The runner goes by these settings.",
        content={"application/json": SettingsInUse},
        cached=False,
    ),
    Route(
        path="/v1/openapi.yaml",
        name="getContract",
        summary="This document",
        answer="The document.",
        content={"application/yaml": {"type": "object", "required": ["openapi", "info", "paths"]}},
    ),
    Route(
        path="/healthz",
        name="getHealth",
        summary="The event loop runs; says nothing about the page",
        answer="It does.",
        content={"text/plain": TEXT},
        head=True,
    ),
    Route(
        path="/readyz",
        name="getReadiness",
        summary="The API serves; says nothing about the page, so that a session that waits for its phone keeps its name",
        answer="It does.",
        content={"text/plain": TEXT},
        head=True,
    ),
    Route(
        path="/metrics",
        name="getMetrics",
        summary="Prometheus metrics, all named whatsapp_runner_…",
        description="In the text format, or as OpenMetrics where the Accept header asks for it. "
        "They are measured at most every 5 s.\n"
        "Where the setting METRICS_NEED_TOKEN is true it needs the scope `state`, else no token.\n",
        query=MetricsQuery,
        answer="The metrics.",
        content={"text/plain": TEXT, "application/openmetrics-text": TEXT},
        errors=(UnauthorizedError, ForbiddenError),
    ),
)


def read_query(given: MultiMapping[str], kind: type[Q]) -> Q:
    """Return the parameters that the route has; others are ignored, as is usual on the web.

    :raises BadRequestError: one does not match its schema, or is given twice.
    """
    found: dict[str, str] = {}
    for name in kind.__struct_encode_fields__:
        values = given.getall(name, [])
        if len(values) > 1:
            raise BadRequestError(f"The parameter {name} is given {len(values)} times; give it once.")
        if values:
            found[name] = values[0]
    try:
        return msgspec.convert(found, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequestError(f"A parameter is wrong: {error}. /v1/openapi.yaml describes it.") from error
