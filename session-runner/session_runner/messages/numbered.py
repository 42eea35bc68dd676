"""Buttons and lists as a text with numbered lines, for sessions whose spec asks for that.

WhatsApp Web sends neither. Whoever gets such a text answers with words of their own, and that comes in as a text: nobody is
told of a button that was pressed. What needs more than a text (a form, a product, a picture above) stays refused.
"""

from typing import Any, Final

import msgspec
from session_protocol.messages import LONGEST_TEXT

from session_runner.messages.contents import Text
from session_runner.messages.errors import BadParameterError, UnsupportedKindError
from session_runner.messages.fields import read_list, read_object, read_part

MOST_CHOICES: Final = 10
""" Of all sections, as in the Cloud API. """
_FIELD: Final = "interactive"


def read_numbered(given: Any) -> Text:
    """Return the text that stands for buttons, a list or a link.

    :raises MessageError: it is none of them, or says too little or too much.
    """
    interactive = read_object(given, field=_FIELD)
    read = _CHOICES.get(str(interactive.get("type")))
    if read is None:
        raise UnsupportedKindError(
            "Of interactive messages button, list and cta_url become a text; send another as a text."
        )
    choices = read(_action(interactive.get("action")))
    if not choices:
        raise BadParameterError("interactive.action has no choices.")
    parts = [_header(interactive), _text(interactive, "body"), "\n".join(choices), _text(interactive, "footer")]
    text = "\n\n".join(part for part in parts if part)
    if len(text) > LONGEST_TEXT:
        raise BadParameterError(f"interactive as a text has {len(text)} characters; {LONGEST_TEXT} are the most.")
    return Text(body=text)


def _action(given: Any) -> dict[str, Any]:
    if isinstance(given, str) and len(given) <= LONGEST_TEXT:  # Chatwoot's is a text with JSON in it
        try:
            given = msgspec.json.decode(given)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadParameterError("interactive.action is an object.") from error
    return read_object(given, field="interactive.action")


def _buttons(action: dict[str, Any]) -> list[str]:
    buttons = read_list(action.get("buttons"), field="interactive.action.buttons", most=MOST_CHOICES)
    titles = [_title(read_object(button.get("reply"), field="interactive.action.buttons.reply")) for button in buttons]
    return [f"{number}. {title}" for number, title in enumerate(titles, 1)]


def _rows(action: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    number = 0
    for section in read_list(action.get("sections"), field="interactive.action.sections", most=MOST_CHOICES):
        name = read_part(section, "title", field="interactive.action.sections")
        if name is not None:
            lines.append(f"{name}:")
        for row in read_list(section.get("rows"), field="interactive.action.sections.rows", most=MOST_CHOICES):
            number += 1
            more = read_part(row, "description", field="interactive.action.sections.rows")
            lines.append(f"{number}. {_title(row)}" + (f" – {more}" if more is not None else ""))
    return lines if number else []


def _link(action: dict[str, Any]) -> list[str]:
    parameters = read_object(action.get("parameters"), field="interactive.action.parameters")
    url = read_part(parameters, "url", field="interactive.action.parameters")
    if url is None:
        return []
    title = read_part(parameters, "display_text", field="interactive.action.parameters")
    return [url if title is None else f"{title}: {url}"]


_CHOICES: Final = {"button": _buttons, "list": _rows, "cta_url": _link}


def _title(choice: dict[str, Any]) -> str:
    title = read_part(choice, "title", field="interactive.action")
    if title is None:
        raise BadParameterError("Each choice of interactive.action has a title.")
    return title


def _header(interactive: dict[str, Any]) -> str | None:
    header = interactive.get("header")
    if header is None:
        return None
    header = read_object(header, field="interactive.header")
    if header.get("type") not in (None, "text"):
        raise UnsupportedKindError("interactive.header is a text where it becomes one; send the file by itself.")
    return read_part(header, "text", field="interactive.header")


def _text(interactive: dict[str, Any], name: str) -> str | None:
    part = interactive.get(name)
    if part is None:
        return None
    text = read_object(part, field=f"interactive.{name}").get("text")
    if text is not None and (not isinstance(text, str) or len(text) > LONGEST_TEXT):
        raise BadParameterError(f"interactive.{name}.text is a text of up to {LONGEST_TEXT} characters.")
    return text or None
