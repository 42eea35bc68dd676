"""The phone's calls about messages that are no command to a device: what a page sent, who is there, files, history."""

import dataclasses
from typing import Any

from aiohttp import web

from standin.bodies import decoded, json_body
from standin.conversations import message_frame
from standin.devices import Device
from standin.errors import MalformedRequestError
from standin.exchange import Exchange
from standin.frames import DeviceId
from standin.people import Lookup, Person

__all__ = ["AccountCalls"]


class AccountCalls:
    """A part of the phone's API."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def add_to(self, app: web.Application) -> None:
        """Add the calls."""
        app.router.add_get("/phone/{device}/messages", self._messages)
        app.router.add_get("/phone/{device}/signals", self._signals)
        app.router.add_get("/phone/{device}/lookups", self._lookups)
        app.router.add_post("/phone/people", self._add_people)
        app.router.add_post("/phone/history", self._add_history)
        app.router.add_post("/phone/media-expire", self._expire_media)

    async def _messages(self, request: web.Request) -> web.Response:
        return web.json_response({"messages": self._device(request).sent_messages()})

    async def _signals(self, request: web.Request) -> web.Response:
        return web.json_response({"signals": self._device(request).signals})

    async def _lookups(self, request: web.Request) -> web.Response:
        return web.json_response({"lookups": self._device(request).lookups})

    async def _add_people(self, request: web.Request) -> web.Response:
        people = [_person(entry) for entry in _list(await json_body(request), "people")]
        for person in people:
            if person.picture is not None:
                file = self._exchange.account.media.make(decoded(person.picture, "picture"))
                person = dataclasses.replace(person, picture=file.identifier)  # noqa: PLW2901 -- the same, with its file
            self._exchange.account.people.add(person)
        return web.json_response({"people": len(people)})

    async def _add_history(self, request: web.Request) -> web.Response:
        """Take what the phone has had before it links its next devices."""
        entries = _list(await json_body(request), "messages")
        self._exchange.account.history += [message_frame(self._exchange, entry) for entry in entries]
        return web.json_response({"messages": len(self._exchange.account.history)})

    async def _expire_media(self, request: web.Request) -> web.Response:
        body = await json_body(request)
        return web.json_response({"links": self._exchange.account.media.expire(gone=bool(body.get("gone", False)))})

    def _device(self, request: web.Request) -> Device:
        return self._exchange.devices.get(DeviceId(request.match_info["device"]))


def _list(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    entries = body.get(name)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise MalformedRequestError(f"Send {{{name!r}: [...]}} with objects in it.")
    return entries


_FIELDS = {
    "number": "number",
    "lid": "lid",
    "spellings": "spellings",
    "whatsapp": "whatsapp",
    "lookup": "lookup",
    "byLid": "by_lid",
    "hidden": "hidden",
    "about": "about",
    "picture": "picture",
}
""" The names of the API and those of the record. """


def _person(entry: dict[str, Any]) -> Person:
    unknown = entry.keys() - _FIELDS.keys()
    if unknown or not isinstance(entry.get("number"), str):
        raise MalformedRequestError(f"A person has number and, if wanted, {', '.join(_FIELDS)}.")
    person = Person(**{_FIELDS[name]: value for name, value in entry.items()})
    try:
        return dataclasses.replace(person, spellings=tuple(person.spellings), lookup=Lookup(person.lookup))
    except ValueError as error:
        raise MalformedRequestError(f"lookup is one of {', '.join(Lookup)}.") from error
