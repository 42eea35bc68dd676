"""The routes in the Cloud API's shape, in one table: paths below the version, parameters, bodies, answers.

`cloud_api` serves the routes of this table and `cloud_openapi` writes the contract from it, so that the contract cannot
have a route that the code does not have. Schemas say what clients may rely on: an answer may have more fields.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct, field
from session_protocol.messages import NOT_BLANK
from session_protocol.reading import LONGEST_ABOUT

from session_runner.messages.business_profile import EMPTY

VERSION: Final = r"v[0-9]{1,3}\.[0-9]{1,3}"
""" Any of Meta's versions. """

Schema = Mapping[str, Any]

TEXT: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "integer"}
TRUTH: Final[Schema] = {"type": "boolean"}


def record(**properties: Schema) -> Schema:
    """Return the schema of an object that has all these properties, and perhaps others."""
    return {"type": "object", "required": list(properties), "properties": properties}


def list_of(items: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items}


class CloudRoute(Struct, frozen=True, kw_only=True):
    """One operation."""

    path: str
    """ Below the version; a part in braces is this session's id. """
    method: Literal["GET", "POST", "DELETE"] = "GET"
    name: str
    """ The operation's id, by which `cloud_api` finds the handler. """
    summary: str
    description: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    """ Parameters of the query that are looked at, with what they are. """
    demanded: tuple[str, ...] = ()
    """ Those that must be given. """
    body: Schema | None = None
    takes: str = "application/json"
    """ The body's media type. """
    gives: str = "application/json"
    """ The answer's. """
    answer: str
    """ What status 200 means. """
    content: Schema


FIELDS: Final = {"fields": "Names of the fields that are wanted, with commas between them; all if it is not given."}
_SESSION: Final = {"type": "object", "required": ["id"], "properties": {"id": TEXT, "display_phone_number": TEXT}}
_FILE: Final = record(
    messaging_product={"const": "whatsapp"}, id=TEXT, url=TEXT, mime_type=TEXT, sha256=TEXT, file_size=NUMBER
)
UPLOAD: Final = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "messaging_product": {"const": "whatsapp"},
        "type": {"type": "string", "description": "Counts where the file's content leaves its type open."},
        "file": {"type": "string", "contentMediaType": "application/octet-stream"},
    },
}
_PAGING: Final = record(cursors=record(before=TEXT, after=TEXT))
_SUCCESS: Final = record(success={"const": True})
_TAKEN: Final = record(
    messaging_product={"const": "whatsapp"},
    contacts=list_of(record(input=TEXT, wa_id=TEXT)),
    messages=list_of(record(id=TEXT, message_status={"const": "accepted"})),
)
_OF_FILE: Final = "the `id` of an uploaded file or a `link` to fetch it from"
_MESSAGE: Final = {
    "type": "object",
    "required": ["messaging_product"],
    "properties": {
        "messaging_product": {"const": "whatsapp"},
        "to": {"description": "A phone number with its country's code, in any notation."},
        "recipient": {"description": "A `user_id` from an event, in the place of `to`."},
        "type": {"description": "What is sent; text if it is not given. An object of the same name has the rest."},
        "text": {"description": "With `body`, up to 4,096 characters."},
        "reaction": {"description": "With `message_id`, and `emoji`; an empty one takes the reaction away."},
        "location": {"description": "With `latitude`, `longitude`, and perhaps `name` and `address`."},
        "contacts": {"description": "A list of people with `name.formatted_name`, `phones` and so on."},
        "image": {"description": f"With {_OF_FILE}, and perhaps `caption`."},
        "video": {"description": f"With {_OF_FILE}, and perhaps `caption`."},
        "audio": {"description": f"With {_OF_FILE}, and `voice` for a voice note."},
        "document": {"description": f"With {_OF_FILE}, and perhaps `caption` and `filename`."},
        "sticker": {"description": f"With {_OF_FILE}."},
        "context": {"description": "With `message_id`: what it answers, in the same chat."},
        "biz_opaque_callback_data": {"description": "A text of up to 512 characters that comes back in each status."},
        "status": {
            "description": "`read` for a read mark: then `message_id` and perhaps `typing_indicator` is all else."
        },
    },
    "examples": [{"messaging_product": "whatsapp", "to": "+15550100777", "type": "text", "text": {"body": "Hello"}}],
}

CLOUD_ROUTES: Final = (
    CloudRoute(
        path="/{phone}/messages",
        method="POST",
        name="sendMessage",
        summary="Send a message, or mark one as read",
        description="Answered once the message is on the session's volume; `GET /v1/messages/{id}` tells how far it has "
        "come. Fields may be null, and unknown ones are not looked at. With the header Idempotency-Key the same body "
        "gets the first answer for a day.\n",
        body=_MESSAGE,
        answer="The message is taken, or the mark.",
        content={"anyOf": [_TAKEN, _SUCCESS]},
    ),
    CloudRoute(
        path="/debug_token",
        name="debugToken",
        summary="Whether a token opens these routes",
        query={"input_token": "The token that is asked about."},
        demanded=("input_token",),
        answer="What is known of it.",
        content=record(data=record(is_valid=TRUTH, scopes=list_of(TEXT))),
    ),
    CloudRoute(
        path="/{phone}",
        name="getPhoneNumber",
        summary="The session's number and account, or what is known of a file",
        description="A file's id has 30 digits and begins with the session's. Its `url` is for the same token.\n",
        query=FIELDS,
        answer="The number, or the file.",
        content={"anyOf": [_SESSION, _FILE]},
    ),
    CloudRoute(
        path="/{phone}",
        method="DELETE",
        name="deleteMedia",
        summary="Delete a file",
        description="By its id. What waits to be sent with it is sent.\n",
        answer="It is deleted.",
        content=_SUCCESS,
    ),
    CloudRoute(
        path="/{phone}/content",
        name="getMediaContent",
        summary="The bytes of a file",
        description="By its id. The type is that of the content, whatever the sender called it.\n",
        answer="The bytes.",
        gives="*/*",
        content={"type": "string", "contentMediaType": "application/octet-stream"},
    ),
    CloudRoute(
        path="/{phone}/media",
        method="POST",
        name="uploadMedia",
        summary="Upload a file that is to be sent",
        description="Up to 100 MiB, in parts of any order. It is kept for 30 days, or until another one needs its room.\n",
        body=UPLOAD,
        takes="multipart/form-data",
        answer="The file is on the session's volume.",
        content=record(id=TEXT),
    ),
    CloudRoute(
        path="/{phone}/whatsapp_business_profile",
        name="getBusinessProfile",
        summary="The profile: the about text",
        description="Of the fields of a business profile an ordinary account has no other.\n",
        query=FIELDS,
        answer="The profile.",
        content=record(data=list_of(record(messaging_product={"const": "whatsapp"}))),
    ),
    CloudRoute(
        path="/{phone}/whatsapp_business_profile",
        method="POST",
        name="changeBusinessProfile",
        summary="Change the about text",
        description="Any other field that is not empty is refused. `PATCH /v1/profile` changes the name, too.\n",
        body={
            "type": "object",
            "required": ["messaging_product", "about"],
            "properties": {
                "messaging_product": {"const": "whatsapp"},
                "about": {
                    "type": "string",
                    "pattern": NOT_BLANK,
                    "maxLength": LONGEST_ABOUT,
                    "description": "The about text.",
                },
                "vertical": {"enum": ["NOT_A_BIZ", *EMPTY]},
            },
            "additionalProperties": {"enum": list(EMPTY)},
        },
        answer="It is changed.",
        content=_SUCCESS,
    ),
    CloudRoute(
        path="/{waba}/phone_numbers",
        name="listPhoneNumbers",
        summary="The numbers of the account: the one of this session",
        query=FIELDS,
        answer="The list.",
        content=record(data=list_of(_SESSION), paging=_PAGING),
    ),
    CloudRoute(
        path="/{waba}/message_templates",
        name="listTemplates",
        summary="The templates, of which an ordinary account has none",
        answer="An empty list.",
        content=record(data={"type": "array", "maxItems": 0}, paging=_PAGING, summary=record(total_count=NUMBER)),
    ),
    CloudRoute(
        path="/{waba}/subscribed_apps",
        name="listSubscribedApps",
        summary="The applications that get webhooks",
        description="One, whose webhooks are set in the session's spec.\n",
        answer="The list.",
        content=record(data=list_of(record(whatsapp_business_api_data=record(id=TEXT)))),
    ),
    CloudRoute(
        path="/{waba}/subscribed_apps",
        method="POST",
        name="subscribeApp",
        summary="Subscribe to webhooks, as everybody with a token is",
        description="It changes nothing. With `override_callback_uri` it is refused: webhooks are set in the session's "
        "spec.\n",
        answer="They are subscribed to.",
        content=_SUCCESS,
    ),
)
