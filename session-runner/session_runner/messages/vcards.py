"""Reads a contact of the Cloud API, and writes it as the vCard that WhatsApp carries (RFC 2426, version 3.0).

Only what a card of WhatsApp shows is taken over. Whatever stands in a field, it adds no line to the card.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from session_protocol.messages import MOST_ENTRIES

from session_runner.messages.contents import Card
from session_runner.messages.errors import MissingParameterError
from session_runner.messages.fields import read_list, read_object, read_part

_ESCAPED: Final = {ord("\\"): "\\\\", ord(","): "\\,", ord(";"): "\\;", ord("\n"): "\\n"}
_LINE_ENDS: Final = re.compile(r"\r\n?|[\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_NO_LABEL: Final = re.compile(r"[^A-Za-z0-9-]+")
_DIGITS: Final = re.compile(r"[1-9][0-9]{6,14}")
_ADDRESS: Final = ("street", "city", "state", "zip", "country")
_NAME: Final = ("last_name", "first_name", "middle_name", "prefix", "suffix")


def read_card(given: dict[str, Any], *, field: str) -> Card:
    """Return the card of a person.

    :raises MessageError: it has no name, or something is no text or too long.
    """
    name = read_object(given.get("name"), field=f"{field}.name")
    shown = read_part(name, "formatted_name", field=f"{field}.name")
    if shown is None:
        raise MissingParameterError(f"{field}.name.formatted_name is missing.")
    parts = [read_part(name, part, field=f"{field}.name") for part in _NAME]
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"N:{_joined(parts if any(parts) else [None, shown, None, None, None])}",
        f"FN:{_escaped(shown)}",
        *_work(given, field),
        *_numbers(given, field),
        *_entries(given, "emails", "email", "EMAIL", field),
        *_entries(given, "urls", "url", "URL", field),
        *_addresses(given, field),
        *_birthday(given, field),
        "END:VCARD",
    ]
    return Card(name=shown, vcard="\n".join(lines))


def _work(given: dict[str, Any], field: str) -> Iterator[str]:
    if given.get("org") is None:
        return
    org = read_object(given["org"], field=f"{field}.org")
    parts = [read_part(org, name, field=f"{field}.org") for name in ("company", "department")]
    if any(parts):
        yield f"ORG:{_joined(parts)}"
    title = read_part(org, "title", field=f"{field}.org")
    if title is not None:
        yield f"TITLE:{_escaped(title)}"


def _numbers(given: dict[str, Any], field: str) -> Iterator[str]:
    for phone in read_list(given.get("phones"), field=f"{field}.phones", most=MOST_ENTRIES):
        wa_id = read_part(phone, "wa_id", field=f"{field}.phones") or ""
        known = _DIGITS.fullmatch(wa_id) is not None
        number = read_part(phone, "phone", field=f"{field}.phones") or (f"+{wa_id}" if known else None)
        if number is not None:
            yield f"TEL{_label(phone, field)}{f';waid={wa_id}' if known else ''}:{_escaped(number)}"


def _entries(given: dict[str, Any], name: str, part: str, line: str, field: str) -> Iterator[str]:
    for entry in read_list(given.get(name), field=f"{field}.{name}", most=MOST_ENTRIES):
        value = read_part(entry, part, field=f"{field}.{name}")
        if value is not None:
            yield f"{line}{_label(entry, field)}:{_escaped(value)}"


def _addresses(given: dict[str, Any], field: str) -> Iterator[str]:
    for address in read_list(given.get("addresses"), field=f"{field}.addresses", most=MOST_ENTRIES):
        parts = [read_part(address, name, field=f"{field}.addresses") for name in _ADDRESS]
        if any(parts):
            yield f"ADR{_label(address, field)}:;;{_joined(parts)}"


def _birthday(given: dict[str, Any], field: str) -> Iterator[str]:
    birthday = read_part(given, "birthday", field=field)
    if birthday is not None:
        yield f"BDAY:{_escaped(birthday)}"


def _label(entry: dict[str, Any], field: str) -> str:
    label = _NO_LABEL.sub("", read_part(entry, "type", field=field) or "")
    return f";type={label.upper()}" if label else ""


def _joined(parts: list[str | None]) -> str:
    return ";".join(_escaped(part or "") for part in parts)


def _escaped(text: str) -> str:
    return _LINE_ENDS.sub("\n", text).translate(_ESCAPED)
