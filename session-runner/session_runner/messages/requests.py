"""Reads what a client of the Cloud API wants sent, and says why where it cannot be.

Clients differ in what they leave out, write as null or spell in another way; all of that is taken. What is not built is
refused with the code that the Cloud API has for it, so that nobody takes for sent what was not.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct
from session_protocol.messages import LONGEST_CALLBACK_DATA, EditRequest, MessageRequest, ReadRequest
from session_protocol.phone_numbers import read_phone_number
from session_protocol.vocabulary import Interactive

from session_runner.messages.contents import Content, Edit, concerned
from session_runner.messages.errors import (
    BadParameterError,
    BadRequestError,
    MissingParameterError,
    NoMessageError,
    NoTemplateError,
    NoUserIdError,
    UnsupportedKindError,
)
from session_runner.messages.fields import read_message_id
from session_runner.messages.numbered import read_numbered
from session_runner.messages.readers import READERS, Reader, read_forward, read_text
from session_runner.values import Private

LONGEST_NUMBER: Final = 40
""" Characters of a number with all its blanks and brackets. """
LONGEST_REASON: Final = 200
""" Characters of what is said about a body, because that may repeat a part of it. """
_FEWEST_DIGITS: Final = 7
_INTERACTIVE: Final = "interactive"
_OWN_READERS: Final[Mapping[str, Reader]] = {**READERS, "forward": read_forward}
""" With what the Cloud API has not. """
_USER_ID: Final = re.compile(r"ZZ\.[0-9]{1,20}")


class SendRequest(Private, frozen=True, kw_only=True):
    """Something to somebody. Its parts stay out of everything that is written for people."""

    hidden = ("given", "digits", "content", "callback_data")

    given: str
    """ The number, or `user_id`, as the client wrote it. """
    digits: str
    """ Of the number; empty: it is the number of that `user_id`. """
    content: Content
    reply_to: str | None = None
    """ The id of the message that it answers. """
    callback_data: str | None = None
    """ What the client wants to have back in each status. """


class ReadMark(Struct, frozen=True, kw_only=True):
    """A message of somebody else was read."""

    message: str
    typing: bool
    """ Whether they are to see that an answer is being written. """


def read_request(body: bytes, *, interactive: Interactive = Interactive.REFUSE) -> SendRequest | ReadMark:
    """Return what the body asks for.

    :param interactive: what becomes of buttons and lists.
    :raises MessageError: it is no request, or cannot be carried out.
    """
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequestError("The body is not JSON.") from error
    if not isinstance(document, dict) or document.get("messaging_product") != "whatsapp":
        raise BadRequestError('The body is an object with "messaging_product": "whatsapp".')
    if document.get("status") is not None:
        return _mark(document)
    return _send(document, interactive)


def read_message(body: bytes) -> SendRequest:
    """Return what the body of `POST /v1/messages` asks for.

    :raises MessageError: it is not what the route's document says, or cannot be carried out.
    """
    return _send(dict(msgspec.to_builtins(_strictly(body, MessageRequest))), readers=_OWN_READERS)


def read_edit(body: bytes, *, message: str) -> Edit:
    """Return the other text for a message that the body of `PATCH /v1/messages/{id}` has.

    :raises MessageError: it is not what the route's document says.
    """
    return Edit(message=message, body=read_text(msgspec.to_builtins(_strictly(body, EditRequest).text)).body)


def read_mark(body: bytes, *, message: str) -> ReadMark:
    """Return the mark that the body of `POST /v1/messages/{id}/read` asks for.

    :raises MessageError: it is not what the route's document says.
    """
    given = _strictly(body, ReadRequest)
    try:
        return ReadMark(message=read_message_id(message, field="The id"), typing=given.typing)
    except BadParameterError as error:
        raise NoMessageError(str(error)) from error


def read_number(given: str) -> str:
    """Return the digits of a phone number in any notation.

    :raises BadParameterError: it is none.
    """
    digits = (read_phone_number(given) or "").removeprefix("+") if len(given) <= LONGEST_NUMBER else ""
    if len(digits) < _FEWEST_DIGITS:
        raise BadParameterError("to is a phone number with its country code: 7 to 15 digits that do not begin with 0.")
    return digits


def _strictly(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error)[:LONGEST_REASON] if isinstance(error, msgspec.ValidationError) else "it is not JSON"
        raise BadParameterError(f"The body is wrong: {reason}. /v1/openapi.yaml tells what it takes.") from error


def _send(
    document: dict[str, Any],
    interactive: Interactive = Interactive.REFUSE,
    *,
    readers: Mapping[str, Reader] = READERS,
) -> SendRequest:
    if document.get("recipient_type") not in (None, "individual"):
        raise BadParameterError("recipient_type is individual; groups are not built yet.")
    kind = _kind(document, interactive, readers)
    given, digits = _recipient(document)
    content = (read_numbered if kind == _INTERACTIVE else readers[kind])(document.get(kind))
    reply_to = _reply_to(document.get("context")) if concerned(content) is None else None
    callback_data = _callback_data(document.get("biz_opaque_callback_data"))
    return SendRequest(given=given, digits=digits, content=content, reply_to=reply_to, callback_data=callback_data)


def _mark(document: dict[str, Any]) -> ReadMark:
    if document["status"] != "read":
        raise BadParameterError("status is read: that of a message that somebody else wrote.")
    typing = document.get("typing_indicator")
    if typing is not None and not (isinstance(typing, dict) and typing.get("type") == "text"):
        raise BadParameterError('typing_indicator is {"type": "text"}.')
    message = read_message_id(document.get("message_id"), field="message_id")
    return ReadMark(message=message, typing=typing is not None)


def _kind(document: dict[str, Any], interactive: Interactive, readers: Mapping[str, Reader]) -> str:
    kind = document.get("type", "text")
    if kind is None:
        return "text"
    if kind == "template":
        raise NoTemplateError("An ordinary WhatsApp account has no templates; send a text, at any time.")
    if kind == _INTERACTIVE and interactive is Interactive.REFUSE:
        raise UnsupportedKindError("WhatsApp Web sends no buttons, lists and flows; send a text.")
    if kind == _INTERACTIVE:
        return _INTERACTIVE
    if isinstance(kind, str) and kind in readers:
        return kind
    raise BadParameterError(f"type is none of the Cloud API's; these are sent: {', '.join(readers)}.")


def _recipient(document: dict[str, Any]) -> tuple[str, str]:
    """Return whom it goes to as it was written, with the digits of a number."""
    given, user = document.get("to"), document.get("recipient")
    if given is None and user is not None:
        if not isinstance(user, str) or _USER_ID.fullmatch(user) is None:
            raise NoUserIdError("recipient is a user_id that this session has told, as ZZ. and digits.")
        return user, ""
    if given is None:
        raise MissingParameterError("to is missing: the phone number of whom it goes to.")
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise BadParameterError("to is a phone number, as a text.")
    return str(given), read_number(str(given))


def _callback_data(given: Any) -> str | None:
    if given is None or given == "":
        return None
    if not isinstance(given, str) or len(given) > LONGEST_CALLBACK_DATA:
        raise BadParameterError(f"biz_opaque_callback_data is a text of up to {LONGEST_CALLBACK_DATA} characters.")
    return given


def _reply_to(context: Any) -> str | None:
    given = context.get("message_id") if isinstance(context, dict) else context
    return None if given is None else read_message_id(given, field="context.message_id")
