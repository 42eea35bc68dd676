"""Reads each kind of content out of a request; one function for each, by the Cloud API's name of the type."""

from collections.abc import Callable
from typing import Any, Final

from session_runner.messages.contents import Content, Text
from session_runner.messages.errors import BadParameterError, MissingParameterError

LONGEST_TEXT: Final = 4096
""" Characters, as in the Cloud API. """


def read_text(given: Any) -> Text:
    """Return a text."""
    body = given.get("body") if isinstance(given, dict) else None
    if body is None:
        raise MissingParameterError("text.body is missing.")
    if not isinstance(body, str) or not body.strip():
        raise BadParameterError("text.body is a text that is not empty.")
    if len(body) > LONGEST_TEXT:
        raise BadParameterError(f"text.body has {len(body)} characters; {LONGEST_TEXT} are the most.")
    return Text(body=body)


READERS: Final[dict[str, Callable[[Any], Content]]] = {"text": read_text}
""" Each takes what stands under its name in the request, and raises one of our errors for what it cannot use. """
