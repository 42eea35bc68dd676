"""The parts that several requests have, read and bounded."""

import re
from typing import Any, Final

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
