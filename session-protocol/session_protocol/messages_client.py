"""A thin client of a runner's messages: what it asks and how it reads the answers, without any I/O of its own.

Whoever calls it brings the connection, with the token of the scope `send`: the plugin, the demo and tests one through a
forwarded port. The shapes are the Cloud API's where that has one. Answers are not trusted: whatever does not fit is a
MessageRefusedError. It needs nothing but Python's own library, because the plugin has no more.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

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

    def send_text(self, *, to: str, text: str, key: str) -> str:
        """Send a text; return the message's id.

        Asked again with the same key, the runner gives the same answer and sends nothing.

        :raises MessageRefusedError: it was not taken.
        """
        document = _PRODUCT | {"to": to, "type": "text", "text": {"body": text}}
        path = f"/{VERSION}/{self._phone_number_id}/messages"
        messages = self._ask("POST", path, document, key=key).get("messages")
        first = messages[0] if isinstance(messages, list) and messages else None
        return _identifier(first if isinstance(first, dict) else {})

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
