"""A thin client of a runner's messages: what it asks and how it reads the answers, without any I/O of its own.

Whoever calls it brings the connection, with the token of the scope `send`: the plugin, the demo and tests one through a
forwarded port. The shapes are the Cloud API's where that has one. Answers are not trusted: whatever does not fit is a
MessageRefusedError. It needs nothing but Python's own library, because the plugin has no more.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from session_protocol.phone_number_id import PHONE_NUMBER_ID

VERSION: Final = "v24.0"
""" Runners take any. """
DONE: Final = frozenset({"sent", "delivered", "read", "played"})
""" WhatsApp has the message. """
FAILED: Final = "failed"
_PRODUCT: Final = {"messaging_product": "whatsapp"}
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STATUS: Final = re.compile(r"[a-z_]{1,20}")
_MOMENT: Final = re.compile(r"[0-9:TZ-]{20}")
_LONGEST: Final = 300
""" Characters that are repeated of an error's text. """


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes


FileKind = Literal["audio", "document", "image", "sticker", "video"]
""" How a file is shown. """
Call = Callable[[str, str, bytes | None, dict[str, str]], Answer]
""" Sends one request: method, path, body, headers beside the token's. """


class MessageRefusedError(Exception):
    """The runner took no message, or does not know it; the text says why, without number and text of the message."""

    def __init__(self, text: str, *, status: int = 200, code: int | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        """ The Cloud API's. """


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a message has come."""

    status: str
    error_code: int | None = None
    turn: str | None = None
    """ When its turn is, if it waits for that: the session sends no faster. """

    @property
    def is_final(self) -> bool:
        """Whether WhatsApp has it, or it has failed for good."""
        return self.status in DONE or self.status == FAILED


class MessagesClient:
    """The messages of one session."""

    def __init__(self, call: Call, *, phone_number_id: str) -> None:
        """:raises ValueError: that is no phone-number-id."""
        if not re.fullmatch(PHONE_NUMBER_ID, phone_number_id, re.ASCII):
            raise ValueError("phone_number_id has 15 digits")
        self._call = call
        self._phone_number_id = phone_number_id

    # All that send return the message's id. Asked again with the same key, the runner gives the same answer and sends
    # nothing; without one it sends again. All raise MessageRefusedError where it was not taken.

    def send_text(self, *, to: str, text: str, key: str, reply_to: str | None = None) -> str:
        """Send a text, as an answer to a message if that is named."""
        return self._send(to, "text", {"body": text}, key=key, reply_to=reply_to)

    def send_file(
        self,
        *,
        to: str,
        kind: FileKind,
        file: str,
        key: str,
        caption: str | None = None,
        filename: str | None = None,
        reply_to: str | None = None,
    ) -> str:
        """Send a file by its id, as its upload or an event gave it; a caption is for pictures, videos and documents."""
        given = {"id": file, "caption": caption, "filename": filename}
        content = {name: value for name, value in given.items() if value is not None}
        return self._send(to, kind, content, key=key, reply_to=reply_to)

    def send_location(
        self, *, to: str, latitude: float, longitude: float, key: str, name: str = "", reply_to: str | None = None
    ) -> str:
        """Send a place."""
        content = {"latitude": latitude, "longitude": longitude, "name": name}
        return self._send(to, "location", content, key=key, reply_to=reply_to)

    def react(self, *, to: str, message: str, emoji: str, key: str) -> str:
        """React to a message in somebody's chat; no emoji takes the reaction away."""
        return self._send(to, "reaction", {"message_id": message, "emoji": emoji}, key=key)

    def edit(self, identifier: str, *, text: str, key: str) -> str:
        """Give one of our texts another wording."""
        return _identifier(self._ask("PATCH", _path(identifier), {"text": {"body": text}}, key=key))

    def delete(self, identifier: str, *, key: str) -> str:
        """Take one of our messages back for everyone."""
        return _identifier(self._ask("DELETE", _path(identifier), key=key))

    def mark_read(self, message: str, *, typing: bool = False) -> None:
        """Mark somebody's message as read, and with `typing` show that an answer is being written.

        :raises MessageRefusedError: there is no such message, or no phone is linked.
        """
        indicator = {"typing_indicator": {"type": "text"}} if typing else {}
        self._ask("POST", self._messages, _PRODUCT | {"status": "read", "message_id": message} | indicator)

    def progress(self, identifier: str) -> Progress:
        """Return how far a message has come.

        :raises MessageRefusedError: the runner does not know it.
        """
        answer = self._ask("GET", _path(identifier))
        status, code = answer.get("status"), answer.get("errorCode")
        if not isinstance(status, str) or not _STATUS.fullmatch(status):
            raise MessageRefusedError("the runner answered without a message's status: it may be of another version")
        waiting = answer.get("waiting")
        turn = waiting.get("until") if isinstance(waiting, dict) else None
        return Progress(
            status=status,
            error_code=code if type(code) is int else None,
            turn=turn if isinstance(turn, str) and _MOMENT.fullmatch(turn) else None,
        )

    @property
    def _messages(self) -> str:
        return f"/{VERSION}/{self._phone_number_id}/messages"

    def _send(self, to: str, kind: str, content: Mapping[str, Any], *, key: str, reply_to: str | None = None) -> str:
        context = {} if reply_to is None else {"context": {"message_id": reply_to}}
        document = _PRODUCT | {"to": to, "type": kind, kind: dict(content)} | context
        messages = self._ask("POST", self._messages, document, key=key).get("messages")
        first = messages[0] if isinstance(messages, list) and messages else None
        return _identifier(first if isinstance(first, dict) else {})

    def _ask(
        self, method: str, path: str, document: Mapping[str, Any] | None = None, *, key: str | None = None
    ) -> dict[str, Any]:
        body = None if document is None else json.dumps(document).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        headers |= {} if key is None else {"Idempotency-Key": key}
        return _read(self._call(method, path, body, headers))


def _path(identifier: str) -> str:
    """:raises ValueError: that is no message's id, and would lead elsewhere."""
    if not _ID.fullmatch(identifier):
        raise ValueError("a message's id has letters and digits")
    return f"/v1/messages/{identifier}"


def _identifier(document: Mapping[str, Any]) -> str:
    found = document.get("id")
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise MessageRefusedError("the runner answered without a message's id: it may be of another version")
    return found


def _read(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    document: dict[str, Any] = found if isinstance(found, dict) else {}
    if answer.status == 200 and document:
        return document
    error = document.get("error")
    details: dict[str, Any] = error if isinstance(error, dict) else {}
    data, code = details.get("error_data"), details.get("code")
    texts = [details.get("message"), data.get("details") if isinstance(data, dict) else None]
    detail = ": ".join(text for text in texts if isinstance(text, str) and text)
    raise MessageRefusedError(
        f"the runner answered with status {answer.status}{f': {detail[:_LONGEST]}' if detail else ''}",
        status=answer.status,
        code=code if type(code) is int else None,
    )
