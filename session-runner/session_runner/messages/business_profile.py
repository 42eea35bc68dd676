"""The business profile of the Cloud API, of which an ordinary account has the about text alone. Pure documents."""

from typing import Any, Final

import msgspec
from session_protocol.reading import LONGEST_ABOUT, ProfileChange

from session_runner.messages.errors import BadParameterError, BadRequestError, MissingParameterError

_ABOUT: Final = "about"
_PRODUCT: Final = "messaging_product"
_NO_BUSINESS: Final[dict[str, Any]] = {"vertical": "NOT_A_BIZ"}
""" Of what industry it is, which clients expect to be told. """
EMPTY: Final[tuple[Any, ...]] = (None, "", [])
""" How clients write that there is nothing. """
_LONGEST_SHOWN: Final = 40


def business_profile(about: str | None, *, fields: frozenset[str] | None) -> dict[str, Any]:
    """Return the profile as clients read it, with the fields that are wanted; None: all."""
    document = {_ABOUT: about, **_NO_BUSINESS}
    shown = {
        name: value for name, value in document.items() if value is not None and (fields is None or name in fields)
    }
    return {"data": [shown | {_PRODUCT: "whatsapp"}]}


def read_business_profile(body: bytes) -> ProfileChange:
    """Return what a client wants to be changed; a field that the account does not have may be given as null or empty.

    :raises MessageError: the body is no such document, or changes more than the about text.
    """
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequestError("The body is not JSON.") from error
    if not isinstance(document, dict) or document.get(_PRODUCT) != "whatsapp":
        raise BadRequestError('The body is an object with "messaging_product": "whatsapp".')
    as_it_is = {_PRODUCT: "whatsapp", _ABOUT: document.get(_ABOUT), **_NO_BUSINESS}
    others = [name for name, value in document.items() if value not in (*EMPTY, as_it_is.get(name))]
    if others:
        raise BadParameterError(
            f"{others[0][:_LONGEST_SHOWN]}: of a business profile an ordinary account has no more than about; "
            "leave the rest out. Its picture is changed in WhatsApp on the phone."
        )
    if document.get(_ABOUT) is None:
        raise MissingParameterError("about is missing: the text that the profile is to show.")
    try:
        return msgspec.convert({_ABOUT: document[_ABOUT]}, type=ProfileChange)
    except msgspec.ValidationError:
        raise BadParameterError(f"about is a text of 1 to {LONGEST_ABOUT} characters, not of blanks alone.") from None
