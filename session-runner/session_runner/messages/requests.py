"""Reads what a client of the Cloud API wants sent, and says why where it cannot be.

Clients differ in what they leave out, write as null or spell in another way; all of that is taken. What is not built is
refused with the code that the Cloud API has for it, so that nobody takes for sent what was not.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from session_protocol.phone_numbers import read_phone_number

from session_runner.messages.errors import (
    BadParameterError,
    BadRequestError,
    MissingParameterError,
    NoTemplateError,
    NoUserIdError,
    UnsupportedKindError,
)

LONGEST_TEXT: Final = 4096
""" Characters, as in the Cloud API. """
LONGEST_NUMBER: Final = 40
""" Characters of a number with all its blanks and brackets. """
_FEWEST_DIGITS: Final = 7
_ELSEWHERE: Final = frozenset({"image", "video", "audio", "document", "sticker", "location", "contacts", "reaction"})
""" What WhatsApp Web can send and this version does not. """


@dataclass(frozen=True, kw_only=True)
class TextRequest:
    """A text to somebody. Its parts stay out of everything that is written for people."""

    given: str = field(repr=False)
    """ The number as the client wrote it. """
    digits: str = field(repr=False)
    text: str = field(repr=False)


def read_request(body: bytes) -> TextRequest:
    """Return what the body asks for.

    :raises MessageError: it is no request, or cannot be carried out.
    """
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequestError("The body is not JSON.") from error
    if not isinstance(document, dict) or document.get("messaging_product") != "whatsapp":
        raise BadRequestError('The body is an object with "messaging_product": "whatsapp".')
    if document.get("status") is not None:
        raise UnsupportedKindError("Read marks and typing are not built yet; messages of the type text are.")
    _refuse_other_kinds(document)
    if document.get("recipient_type") not in (None, "individual"):
        raise BadParameterError("recipient_type is individual; groups are not built yet.")
    given = _recipient(document)
    if _message_id(document.get("context")) is not None:
        raise BadParameterError("context.message_id: replies are not built yet.")
    return TextRequest(given=given, digits=read_number(given), text=_text(document.get("text")))


def read_number(given: str) -> str:
    """Return the digits of a phone number in any notation.

    :raises BadParameterError: it is none.
    """
    digits = (read_phone_number(given) or "").removeprefix("+") if len(given) <= LONGEST_NUMBER else ""
    if len(digits) < _FEWEST_DIGITS:
        raise BadParameterError("to is a phone number with its country code: 7 to 15 digits that do not begin with 0.")
    return digits


def _refuse_other_kinds(document: dict[str, Any]) -> None:
    kind = document.get("type")
    if kind in (None, "text"):
        return
    if kind == "template":
        raise NoTemplateError("An ordinary WhatsApp account has no templates; send a text, at any time.")
    if kind == "interactive":
        raise UnsupportedKindError("WhatsApp Web sends no buttons, lists and flows; send a text.")
    if isinstance(kind, str) and kind in _ELSEWHERE:
        raise UnsupportedKindError(f"Messages of the type {kind} are not built yet; those of the type text are.")
    raise BadParameterError("type is none of the Cloud API's; text is the one that is sent.")


def _recipient(document: dict[str, Any]) -> str:
    given = document.get("to")
    if given is None and document.get("recipient") is not None:
        raise NoUserIdError("Send to with a phone number; recipients by user_id are not built yet.")
    if given is None:
        raise MissingParameterError("to is missing: the phone number of whom it goes to.")
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise BadParameterError("to is a phone number, as a text.")
    return str(given)


def _message_id(context: Any) -> Any:
    return context.get("message_id") if isinstance(context, dict) else context


def _text(given: Any) -> str:
    body = given.get("body") if isinstance(given, dict) else None
    if body is None:
        raise MissingParameterError("text.body is missing.")
    if not isinstance(body, str) or not body.strip():
        raise BadParameterError("text.body is a text that is not empty.")
    if len(body) > LONGEST_TEXT:
        raise BadParameterError(f"text.body has {len(body)} characters; {LONGEST_TEXT} are the most.")
    return body
