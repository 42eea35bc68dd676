"""Reads each kind of content out of a request; one function for each, by the Cloud API's name of the type."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from session_protocol.messages import LONGEST_EMOJI, LONGEST_TEXT, MOST_CARDS

from session_runner.messages.contents import (
    Audio,
    Contacts,
    Content,
    Document,
    File,
    Image,
    Location,
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


def read_text(given: Any) -> Text:
    """Return a text."""
    body = read_object(given, field="text").get("body")
    if body is None:
        raise MissingParameterError("text.body is missing.")
    if not isinstance(body, str) or not body.strip():
        raise BadParameterError("text.body is a text that is not empty.")
    if len(body) > LONGEST_TEXT:
        raise BadParameterError(f"text.body has {len(body)} characters; {LONGEST_TEXT} are the most.")
    return Text(body=body)


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


READERS: Final[dict[str, Callable[[Any], Content]]] = {
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
