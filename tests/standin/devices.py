"""The phone's list of linked devices: what a companion is, who may log in as one, how the list is kept on disk.

Pure apart from nothing: `to_json` and `from_json` give and take plain values; the server writes the file.
"""

import dataclasses
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from standin.errors import UnknownDeviceError
from standin.frames import DeviceId, Frame, Hello
from standin.mailbox import Mailbox

__all__ = ["UNLINKED", "AckMode", "Acks", "Ban", "Device", "DeviceBook", "SentMessage"]

UNLINKED = DeviceId("unlinked")
""" Stands for all pages that have no login: what is done to it is done to them. """
_FIRST_NUMBER = 15550100000
_NUMBERS = 1000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ban:
    """Why the account cannot log in. `expire` in seconds from the ban, 0 when it is not temporary."""

    code: int
    message: str = ""
    expire: int = 0
    url: str = ""
    silent: bool = False
    """ The page's screen alone tells it, no event. """
    until: float | None = None
    """ When it lapses, by the server's clock; None: when somebody ends it. """


class AckMode(StrEnum):
    """What the server does with a message that arrives."""

    GIVEN = "given"
    WITHHELD = "withheld"
    """ Takes it and says nothing. """
    LATE = "late"
    REFUSED = "refused"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Acks:
    """How the server answers the messages of a device."""

    mode: AckMode = AckMode.GIVEN
    seconds: float = 0.0
    """ How late. """
    code: int = 463
    """ Why refused: 463 is the time lock on new chats. """


@dataclasses.dataclass(frozen=True, kw_only=True)
class SentMessage:
    """One arrival of a message that a page sent, as the phone sees it. Large files are kept by size and digest alone."""

    identifier: str
    to: str
    seconds: int
    body: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Give the form of `GET /phone/{device}/messages`."""
        return {"id": self.identifier, "to": self.to, "t": self.seconds, **self.body}


@dataclasses.dataclass(kw_only=True)
class Device:
    """One companion. The first seven fields are kept on disk, the rest belongs to this run of the server."""

    identifier: DeviceId
    number: str
    noise_key: str
    identity_key: str
    platform: str
    linked_time: float
    confirmed: bool = False
    """ The page has stored its login; until then the device is not listed. """

    first_login: bool = True
    offline: bool = False
    """ The page's computer has no network. """
    unreachable: bool = False
    """ The network works, but WhatsApp's server does not take the connection. """
    unavailable: bool = False
    """ The server answers 503. """
    silent: bool = False
    """ The page's screen alone tells that, no event. """
    restriction: Frame | None = None
    """ What the account may not do; the page is told at each login. """
    ban: Ban | None = None
    sync_seconds: float | None = None
    """ Overrides Timing for this device's next logins. """
    available: bool = False
    """ The page says that a person looks at it: the phone gets no notifications. """
    times_available: int = 0
    """ How often it began to say so. """
    mailbox: Mailbox = dataclasses.field(default_factory=Mailbox)
    """ What comes in and is kept until the page has stored it. """
    history: list[Frame] = dataclasses.field(default_factory=list)
    """ The pieces of the phone's history that the page has not stored yet. """
    sent: list[SentMessage] = dataclasses.field(default_factory=list)
    """ Every arrival, the second one of the same id too. """
    acks: Acks = dataclasses.field(default_factory=Acks)
    withheld: list[str] = dataclasses.field(default_factory=list)
    """ Messages that came while acks were withheld. """
    correspondents: set[str] = dataclasses.field(default_factory=set)
    """ Who has written, and who was written to: under a time lock others are new. """
    lookups: list[str] = dataclasses.field(default_factory=list)
    """ Whom the page asked about. """
    signals: list[Frame] = dataclasses.field(default_factory=list)
    """ What the page said that is no message: read marks, typing, rejected calls. """

    def note_presence(self, *, available: bool) -> None:
        """Take what the page says; each connection says it again."""
        self.times_available += available and not self.available
        self.available = available

    def may_write(self, to: str) -> bool:
        """Tell whether the account's restriction lets a message to this chat through."""
        locked = self.restriction is not None and self.restriction["kind"] == "timelock"
        return not locked or to in self.correspondents

    def sent_messages(self) -> list[dict[str, Any]]:
        """Give every arrival in the phone's form, numbered among those of its id."""
        counts: dict[str, int] = {}
        shown = []
        for message in self.sent:
            counts[message.identifier] = counts.get(message.identifier, 0) + 1
            shown.append(message.to_json() | {"arrival": counts[message.identifier]})
        return shown

    def accepts(self, hello: Hello) -> bool:
        """Tell whether both halves of the login are this device's."""
        return self.confirmed and (hello.noise_key, hello.identity_key) == (self.noise_key, self.identity_key)


class DeviceBook:
    """All devices of the phone, the confirmed and those whose page has not stored its login yet."""

    def __init__(self) -> None:
        self._devices: dict[DeviceId, Device] = {}
        self._count = 0
        self._unlinked = Device(
            identifier=UNLINKED, number="", noise_key="", identity_key="", platform="", linked_time=0.0
        )

    def __iter__(self) -> Iterator[Device]:
        return iter(device for device in self._devices.values() if device.confirmed)

    def add(self, *, noise_key: str, identity_key: str, platform: str, now: float, number: str | None = None) -> Device:
        """Make a device with the next id, and a number from the range kept for fiction where none is given."""
        self._count += 1
        device = Device(
            identifier=DeviceId(f"device-{self._count}"),
            number=number or str(_FIRST_NUMBER + self._count % _NUMBERS),
            noise_key=noise_key,
            identity_key=identity_key,
            platform=platform,
            linked_time=now,
        )
        self._devices[device.identifier] = device
        return device

    def get(self, identifier: DeviceId) -> Device:
        """Find a listed device or say which ones there are."""
        device = self._devices.get(identifier)
        if device is None or not device.confirmed:
            known = ", ".join(one.identifier for one in self) or "none"
            raise UnknownDeviceError(f"No linked device is called {identifier!r}. Linked: {known}.")
        return device

    def __contains__(self, identifier: DeviceId) -> bool:
        device = self._devices.get(identifier)
        return device is not None and device.confirmed

    def subject(self, identifier: DeviceId) -> Device:
        """Find what a page meets: that of a listed device, or of all pages without a login."""
        return self._unlinked if identifier == UNLINKED else self.get(identifier)

    def pending(self, identifier: DeviceId) -> Device | None:
        """Find a device whose page has yet to confirm."""
        device = self._devices.get(identifier)
        return device if device is not None and not device.confirmed else None

    def remove(self, identifier: DeviceId) -> None:
        """Forget a device; its page's next login is refused."""
        self._devices.pop(identifier, None)

    def to_json(self) -> dict[str, Any]:
        """Give what a restart must know to take the same logins again."""
        return {
            "count": self._count,
            "devices": [
                {
                    "identifier": device.identifier,
                    "number": device.number,
                    "noise_key": device.noise_key,
                    "identity_key": device.identity_key,
                    "platform": device.platform,
                    "linked_time": device.linked_time,
                }
                for device in self
            ],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "DeviceBook":
        """Take back what `to_json` gave."""
        book = cls()
        book._count = int(data["count"])
        for entry in data["devices"]:
            device = Device(**entry, confirmed=True, first_login=False)
            book._devices[device.identifier] = device
        return book
