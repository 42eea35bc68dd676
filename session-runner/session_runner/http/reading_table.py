"""The routes that read what the account has: chats, messages, contacts, pictures, and whether a number is there."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, Struct, UnsetType
from session_protocol.reading import (
    LONGEST_CURSOR,
    MOST_LISTED,
    MOST_MESSAGES,
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
from session_protocol.vocabulary import TokenScope

from session_runner.http.errors import (
    BadRequestError,
    NoChatError,
    NoCursorError,
    NoPageError,
    NoPictureError,
    NotLinkedError,
    StartingError,
    TooManyChecksError,
)
from session_runner.http.route import Route

_AWAY: Final = (NotLinkedError, NoPageError, StartingError)
_PICTURES: Final[Mapping[str, Mapping[str, Any]]] = {
    kind: {"type": "string", "contentMediaType": kind}
    for kind in ("image/jpeg", "image/png", "image/webp", "application/octet-stream")
}
_After = (
    Annotated[str, Meta(max_length=LONGEST_CURSOR, description="What the answer before had as `next`.")] | UnsetType
)


class ListQuery(Struct, frozen=True):
    """What GET /v1/chats and GET /v1/contacts take."""

    after: _After = UNSET
    limit: Annotated[int, Meta(ge=1, le=MOST_LISTED, description="How many at most.")] = MOST_LISTED


class MessagesQuery(Struct, frozen=True):
    """What GET /v1/chats/{id}/messages takes."""

    after: _After = UNSET
    limit: Annotated[int, Meta(ge=1, le=MOST_MESSAGES, description="How many at most.")] = MOST_MESSAGES


READING_ROUTES: Final = (
    Route(
        path="/v1/chats",
        name="listChats",
        summary="The account's chats, those first in which something was written last",
        description="It shows what was before there was a program, too.\n",
        scope=TokenScope.READ,
        query=ListQuery,
        answer="Some of them.",
        content={"application/json": Chats},
        cached=False,
        errors=(NoCursorError, *_AWAY),
    ),
    Route(
        path="/v1/chats/{id}/messages",
        name="listMessages",
        summary="A chat's messages, from the newest backwards",
        description="What the session's page has stored, which is what the phone gave it when it was linked, and all since then. "
        "An answer may have fewer than `limit`, because what is no message is left out; "
        "as long as `next` is not null there may be older ones.\n"
        "A file is fetched by the id in its message, as that of an event.\n",
        scope=TokenScope.READ,
        query=MessagesQuery,
        answer="Some of them.",
        content={"application/json": StoredMessages},
        cached=False,
        errors=(NoChatError, NoCursorError, *_AWAY),
    ),
    Route(
        path="/v1/contacts",
        name="listContacts",
        summary="The account's address book",
        scope=TokenScope.READ,
        query=ListQuery,
        answer="Some of it.",
        content={"application/json": Contacts},
        cached=False,
        errors=(NoCursorError, *_AWAY),
    ),
    Route(
        path="/v1/contacts/check",
        method="POST",
        name="checkContact",
        summary="Ask WhatsApp whether a number is there",
        description="503 means that it could not be asked, which says nothing about the number. "
        "20 numbers may be asked about at once, and one more each minute; who sends need not ask, "
        "since `POST /v1/messages` does.\n",
        scope=TokenScope.SEND,
        body=ContactCheckRequest,
        answer="Whether it is, and who it is.",
        content={"application/json": ContactCheck},
        cached=False,
        errors=(BadRequestError, TooManyChecksError, *_AWAY),
    ),
    Route(
        path="/v1/contacts/{id}/picture",
        name="getPicture",
        summary="Somebody's profile picture",
        description="The id is a `userId`.\n",
        scope=TokenScope.READ,
        answer="The picture, up to 1 MiB.",
        content=_PICTURES,
        cached=False,
        errors=(NoChatError, NoPictureError, *_AWAY),
    ),
    Route(
        path="/v1/profile",
        name="getProfile",
        summary="How the session's own account shows itself",
        scope=TokenScope.SEND,
        also=(TokenScope.READ,),
        answer="Its number, name and about text.",
        content={"application/json": Profile},
        cached=False,
        errors=_AWAY,
    ),
    Route(
        path="/v1/profile",
        method="PATCH",
        name="changeProfile",
        summary="Change the about text, or how the account calls itself",
        description="Everybody who may see the profile sees it. What is left out stays as it is. "
        "503 means that nobody knows whether it was changed; it may be sent again.\n",
        scope=TokenScope.SEND,
        body=ProfileChange,
        answer="It is changed; this is how the page shows it.",
        content={"application/json": Profile},
        cached=False,
        errors=(BadRequestError, *_AWAY),
    ),
    Route(
        path="/v1/profile/picture",
        name="getOwnPicture",
        summary="The session's own profile picture",
        scope=TokenScope.SEND,
        also=(TokenScope.READ,),
        answer="The picture, up to 1 MiB.",
        content=_PICTURES,
        cached=False,
        errors=(NoPictureError, *_AWAY),
    ),
    Route(
        path="/v1/presence",
        method="PUT",
        name="setPresence",
        summary="Appear online, or not, for five minutes",
        description="WhatsApp shows to others that an answer is being written only while the session is online. "
        "Who goes on asks again; then it is as `spec.link.presence` says. "
        "While it is online, the phone may show no notifications.\n",
        scope=TokenScope.SEND,
        body=PresenceRequest,
        answer="It appears so.",
        content={"application/json": PresenceSet},
        cached=False,
        errors=(BadRequestError, *_AWAY),
    ),
)
