"""Reads each kind of content out of a request; one function for each, by the Cloud API's name of the type."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from session_protocol.messages import LONGEST_EMOJI, LONGEST_TEXT, MOST_CARDS, MOST_MENTIONS

from session_runner.messages.contents import (
    Audio,
    Contacts,
    Content,
    Document,
    File,
    Forward,
    Image,
    Location,
    Preview,
    Reaction,
    Sticker,
    Text,
    Video,
)
from session_runner.messages.errors import BadParameterError, MissingParameterError
from session_runner.messages.fields import read_list, read_message_id, read_object, read_part
from session_runner.messages.links import check_link
from session_runner.messages.media import LONGEST_FILENAME, is_media_id
from session_runner.messages.vcards import read_card

_DIGITS: Final = re.compile(r"[1-9][0-9]{6,14}")


def read_text(given: Any) -> Text:
    """Return a text."""
    text = read_object(given, field="text")
    body = text.get("body")
    if body is None:
        raise MissingParameterError("text.body is missing.")
    if not isinstance(body, str) or not body.strip():
        raise BadParameterError("text.body is a text that is not empty.")
    if len(body) > LONGEST_TEXT:
        raise BadParameterError(f"text.body has {len(body)} characters; {LONGEST_TEXT} are the most.")
    return Text(
        body=body,
        mentions=_mentions(text.get("mentions"), body),
        preview_url=text.get("preview_url") is True,
        preview=_preview(text.get("preview"), body),
    )


def read_forward(given: Any) -> Forward:
    """Return what is sent on."""
    message = read_object(given, field="forward").get("message_id")
    return Forward(message=read_message_id(message, field="forward.message_id"))


def read_reaction(given: Any) -> Reaction:
    """Return a reaction; one without an emoji takes away what there is."""
    reaction = read_object(given, field="reaction")
    message = read_message_id(reaction.get("message_id"), field="reaction.message_id")
    emoji = reaction.get("emoji") or ""
    if not isinstance(emoji, str) or len(emoji) > LONGEST_EMOJI:
        raise BadParameterError(f"reaction.emoji is one emoji, or empty; it has at most {LONGEST_EMOJI} characters.")
    return Reaction(message=message, emoji=emoji)


def read_location(given: Any) -> Location:
    """Return a place."""
    location = read_object(given, field="location")
    return Location(
        latitude=_degrees(location, "latitude", most=90),
        longitude=_degrees(location, "longitude", most=180),
        name=read_part(location, "name", field="location"),
        address=read_part(location, "address", field="location"),
    )


def read_contacts(given: Any) -> Contacts:
    """Return the cards of some people."""
    people = read_list(given, field="contacts", most=MOST_CARDS)
    if not people:
        raise MissingParameterError("contacts is missing: a list of people.")
    return Contacts(cards=tuple(read_card(one, field=f"contacts[{place}]") for place, one in enumerate(people)))


def read_file(kind: type[File], name: str, given: Any) -> Any:
    """Return a file by the id that its upload had, or by the link that it is fetched from."""
    file = read_object(given, field=name)
    identifier, link = file.get("id"), file.get("link")
    if identifier is None and link is None:
        raise MissingParameterError(f"{name}.id is missing, that of an uploaded file, or {name}.link to fetch it from.")
    if identifier is not None and (not isinstance(identifier, str) or not is_media_id(identifier)):
        raise BadParameterError(f"{name}.id is a text of 30 digits, as an upload's answer has it.")
    if identifier is None:
        if not isinstance(link, str):
            raise BadParameterError(f"{name}.link is a text.")
        link = check_link(link, field=f"{name}.link")
    caption = read_part(file, "caption", field=name)
    if caption is not None and kind in (Audio, Sticker):
        raise BadParameterError(f"{name} has no caption; send a text beside it.")
    filename = read_part(file, "filename", field=name) if kind is Document else None
    ptt = kind is Audio and file.get("voice") is True
    return kind(
        media=identifier or "",
        link=link if identifier is None else None,
        caption=caption,
        filename=filename and filename[:LONGEST_FILENAME],
        ptt=ptt,
    )


Reader = Callable[[Any], Content]

READERS: Final[dict[str, Reader]] = {
    "text": read_text,
    "reaction": read_reaction,
    "location": read_location,
    "contacts": read_contacts,
    "image": partial(read_file, Image, "image"),
    "video": partial(read_file, Video, "video"),
    "audio": partial(read_file, Audio, "audio"),
    "document": partial(read_file, Document, "document"),
    "sticker": partial(read_file, Sticker, "sticker"),
}
""" Each takes what stands under its name in the request, and raises one of our errors for what it cannot use. """


def _mentions(given: Any, body: str) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > MOST_MENTIONS:
        raise BadParameterError(f"text.mentions is a list of up to {MOST_MENTIONS} numbers.")
    digits = tuple(one.removeprefix("+") if isinstance(one, str) else "" for one in given)
    if not all(_DIGITS.fullmatch(one) and f"@{one}" in body for one in digits):
        raise BadParameterError("text.mentions has numbers, each of which stands in text.body behind an @, as digits.")
    return digits


def _preview(given: Any, body: str) -> Preview | None:
    if given is None:
        return None
    part = read_object(given, field="text.preview")
    url, title, description = (read_part(part, name, field="text.preview") for name in ("url", "title", "description"))
    if url is None or title is None:
        raise MissingParameterError("text.preview has url and title.")
    if url not in body:
        raise BadParameterError("text.preview.url is a link as it stands in text.body.")
    return Preview(url=url, title=title, description=description or "")


def _degrees(location: dict[str, Any], name: str, *, most: int) -> float:
    given = location.get(name)
    if given is None:
        raise MissingParameterError(f"location.{name} is missing.")
    try:
        degrees = most + 1.0 if isinstance(given, bool) else float(given)  # clients write it as a text, too
    except (TypeError, ValueError, OverflowError):
        degrees = most + 1.0
    if not -most <= degrees <= most:
        raise BadParameterError(f"location.{name} is a number of degrees, {most} at most.")
    return degrees
