"""The parts that several requests have, read and bounded."""

import re
from typing import Any, Final

from session_protocol.messages import LONGEST_PART

from session_runner.messages.errors import BadParameterError, MissingParameterError

_MESSAGE_ID: Final = re.compile(r"[0-9A-Za-z.-]{1,64}")


def read_message_id(given: Any, *, field: str) -> str:
    """Return the id of a message, as it stands in answers and webhooks.

    :raises MessageError: there is none, or it cannot be one.
    """
    if given is None:
        raise MissingParameterError(f"{field} is missing: a message's id, as an answer or a webhook gave it.")
    if not isinstance(given, str) or _MESSAGE_ID.fullmatch(given) is None:
        raise BadParameterError(f"{field} is a message's id, as an answer or a webhook gave it.")
    return given


def read_object(given: Any, *, field: str) -> dict[str, Any]:
    """Return an object.

    :raises MessageError: there is none, or it is none.
    """
    if given is None:
        raise MissingParameterError(f"{field} is missing.")
    if not isinstance(given, dict):
        raise BadParameterError(f"{field} is an object.")
    return given


def read_list(given: Any, *, field: str, most: int) -> list[dict[str, Any]]:
    """Return a list of objects, an empty one where there is none.

    :raises BadParameterError: it is no list of objects, or too long.
    """
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise BadParameterError(f"{field} is a list of objects.")
    if len(given) > most:
        raise BadParameterError(f"{field} has {len(given)} entries; {most} are the most.")
    return given


def read_part(given: dict[str, Any], name: str, *, field: str) -> str | None:
    """Return a short text, None where there is none.

    :raises BadParameterError: it is no text, or too long.
    """
    part = given.get(name)
    if part is None or part == "":
        return None
    if not isinstance(part, str) or len(part) > LONGEST_PART:
        raise BadParameterError(f"{field}.{name} is a text of up to {LONGEST_PART} characters.")
    return part
