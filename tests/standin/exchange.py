"""WhatsApp's server and the phone as a state machine: pages come and go, a phone scans, and this decides who hears what.

Pure: every method takes what happened and returns effects for the shell (`socket.py`) to carry out, so that a test of
the protocol is a list of calls and a list of frames. The clock and the randomness are passed in. What a person does to
a device once it is linked (ban it, send to it, cut it off) is in `controls.py` and `conversations.py`, on top of this;
what its page says about messages is in `traffic.py`.
"""

import dataclasses
from collections.abc import Callable

from standin import frames
from standin.account import Account
from standin.codes import CodeBook
from standin.devices import UNLINKED, Ban, Device, DeviceBook
from standin.effects import Close, Confirmed, Effect, Send, SendLater
from standin.errors import ExpiredQrError, MalformedRequestError, PageAbsentError
from standin.frames import DeviceId, Frame, Hello, PageId
from standin.refs import QrText, RefBook
from standin.settings import Timing
from standin.traffic import TRAFFIC, Context

__all__ = ["Close", "Confirmed", "Effect", "Exchange", "Send", "SendLater"]

REMOVED = 401
UNAVAILABLE = 503


@dataclasses.dataclass(kw_only=True)
class _Page:
    identifier: PageId
    hello: Hello
    device: DeviceId | None = None
    """ Set from the moment the login was accepted. """
    at_passkey: bool = False
    """ Its linking waits for the owner's passkey. """


class Exchange:
    """All connected pages, the references they show and the devices of the phone."""

    def __init__(
        self,
        *,
        timing: Timing,
        now: Callable[[], float],
        new_token: Callable[[], str],
        random_bytes: Callable[[int], bytes],
        devices: DeviceBook | None = None,
    ) -> None:
        self.timing = timing
        self.devices = devices or DeviceBook()
        self.account = Account()
        self.refs = RefBook(timing=timing, now=now, new_token=new_token)
        self._codes = CodeBook(now=now, random_bytes=random_bytes)
        self.refused_codes = 0
        """ How many requests for a pairing code are refused from now on. """
        self._now = now
        self._pages: dict[PageId, _Page] = {}

    # What pages do.

    def opened(self, page: PageId, hello: Hello) -> list[Effect]:
        """A page said hello: log its device in, or give it references to show."""
        if hello.device is None:
            refused = self._refusal(page, self.devices.subject(UNLINKED))
            if refused:
                return refused
            self._pages[page] = _Page(identifier=page, hello=hello)
            return [self._round(page)]
        return self._login(page, hello, hello.device)

    def closed(self, page: PageId) -> None:
        """A page's connection ended."""
        self.refs.withdraw(page)
        self._codes.withdraw(page)
        self._pages.pop(page, None)

    def received(self, page: PageId, frame: Frame) -> list[Effect]:
        """A connected page sent something after its hello."""
        known = self._pages.get(page)
        if known is None or (known.device is not None and known.device not in self.devices):
            return [Close(page)]  # unlinked while it spoke
        match frame.get("type"):
            case "ping":
                return [Send(page, frames.pong())]
            case "paired":
                return self._paired(known, DeviceId(str(frame.get("device"))))
            case "link-code" if known.device is None:
                return [Send(page, frames.link_code(code=self._code(page, number=str(frame.get("phone")))))]
            case "logout" if known.device is not None:
                self.devices.remove(known.device)
                return [Close(page)]
            case str(kind) if known.device is not None and kind in TRAFFIC:
                return TRAFFIC[kind](self.context(page, known.device), frame)
            case unexpected:
                raise MalformedRequestError(f"A page in this state must not send {unexpected!r}.")

    # What the phone does.

    def scan(
        self, text: str, *, sync_seconds: float | None = None, number: str | None = None
    ) -> tuple[DeviceId, list[Effect]]:
        """Link the page that shows this code; the device is listed once that page has stored its login."""
        return self._pair(self._scanned(text), sync_seconds=sync_seconds, number=number)

    def scan_with_passkey(self, text: str) -> list[Effect]:
        """Scan for an account that demands a passkey: the page stops at that question and no device comes of it."""
        page = self._scanned(text)
        self.refs.withdraw(page.identifier)
        page.at_passkey = True
        return [Send(page.identifier, frames.passkey_required())]

    def confirm_passkey(self) -> list[Effect]:
        """The owner gave the passkey: the pages that asked for it want the link confirmed on the phone."""
        waiting = [page for page in self._pages.values() if page.at_passkey]
        return [Send(page.identifier, frames.passkey_confirmation()) for page in waiting]

    def end_passkey(self) -> list[Effect]:
        """The owner gave up: the pages that asked for the passkey show codes again."""
        waiting = [page for page in self._pages.values() if page.at_passkey]
        for page in waiting:
            page.at_passkey = False
        return [self._round(page.identifier) for page in waiting]

    def link_with_passkey(self) -> tuple[DeviceId, list[Effect]]:
        """Link the page that asked for the passkey."""
        page = next((page for page in self._pages.values() if page.at_passkey), None)
        if page is None:
            raise PageAbsentError("No page waits for a passkey. Scan its code with passkey first.")
        page.at_passkey = False
        return self._pair(page, sync_seconds=None)

    def enter_code(self, code: str) -> tuple[DeviceId, list[Effect]]:
        """Link the page that waits for these eight characters."""
        waiting, number = self._codes.page_waiting(code)
        page = self._pages.get(waiting)
        if page is None:
            raise ExpiredQrError("The page that waited for this code is gone. Ask a page for a new one.")
        device, effects = self._pair(page, sync_seconds=None, number=number)
        return device, [Send(page.identifier, frames.code_entered()), *effects]

    def announce_codes(self, kind: str) -> list[Effect]:
        """Have every page that waits for a phone tell something of its pairing code."""
        waiting = [page.identifier for page in self._pages.values() if page.hello.device is None]
        return [Send(page, frames.link_code_event(kind=kind)) for page in waiting]

    def abandon(self, device: DeviceId) -> None:
        """Give up a scan whose page never confirmed."""
        if self.devices.pending(device) is not None:
            self.devices.remove(device)

    def unlink(self, identifier: DeviceId) -> list[Effect]:
        """Remove a device on the phone."""
        self.devices.get(identifier)
        page = self.page_of(identifier)
        self.devices.remove(identifier)
        return [] if page is None else [Send(page, frames.stream_error(kind="device_removed")), Close(page)]

    def expire_round(self) -> list[Effect]:
        """End the round of every page that waits for a scan, as if its time were over."""
        waiting = [page.identifier for page in self._pages.values() if page.hello.device is None]
        for page in waiting:
            self.refs.withdraw(page)
        return [Send(page, frames.refs_used_up()) for page in waiting]

    # What others ask.

    def page_of(self, identifier: DeviceId) -> PageId | None:
        """Find the connected page of a device."""
        return next(iter(self.pages_of(identifier)), None)

    def pages_of(self, identifier: DeviceId) -> list[PageId]:
        """Find the connected pages of a device, which are one at most, or those without a login."""
        device = None if identifier == UNLINKED else identifier
        return [page.identifier for page in self._pages.values() if page.device == device]

    def connected_page(self, identifier: DeviceId) -> PageId:
        """Find the connected page of a listed device, or PageAbsentError."""
        self.devices.subject(identifier)
        page = self.page_of(identifier)
        if page is None:
            raise PageAbsentError(f"No page of {identifier} is connected. Wait until GET /phone/devices shows it.")
        return page

    def reachable(self, identifier: str | None) -> bool:
        """Tell whether a socket of this device (or of an unlinked page: None) may be opened at all."""
        return not any(device.offline or device.unreachable for device in self._subjects(identifier))

    def online(self, identifier: str | None) -> bool:
        """Tell what a page finds when it tests its network."""
        return not any(device.offline for device in self._subjects(identifier))

    def _subjects(self, identifier: str | None) -> list[Device]:
        if identifier is None:
            return [self.devices.subject(UNLINKED)]
        # A removed device's page has lost its login without knowing; its computer's network is what it was.
        known = [device for device in self.devices if device.identifier == identifier]
        return known or [self.devices.subject(UNLINKED)]

    def context(self, page: PageId, device: DeviceId) -> Context:
        """Gather what decides about a frame of this device's page."""
        found = self.devices.get(device)
        return Context(page=page, device=found, account=self.account, seconds=self.seconds())

    def seconds(self) -> int:
        """Tell the time as messages carry it: whole seconds since the epoch."""
        return int(self._now())

    # The steps in between.

    def _scanned(self, text: str) -> _Page:
        qr = QrText.parse(text)
        page = self._pages.get(self.refs.page_showing(qr.ref))
        if page is None:
            raise ExpiredQrError("The page that showed this code is gone. Read the code anew and scan that one.")
        if (qr.noise_key, qr.identity_key) != (page.hello.noise_key, page.hello.identity_key):
            raise MalformedRequestError(
                "The keys in this code are not those of the page that shows it. Send the text of data-ref as it is."
            )
        return page

    def _code(self, page: PageId, *, number: str) -> str | None:
        if self.refused_codes > 0:
            self.refused_codes -= 1
            return None
        return self._codes.issue(page, number=number)

    def _pair(
        self, page: _Page, *, sync_seconds: float | None, number: str | None = None
    ) -> tuple[DeviceId, list[Effect]]:
        self.refs.withdraw(page.identifier)
        self._codes.withdraw(page.identifier)
        hello = page.hello
        device = self.devices.add(
            noise_key=hello.noise_key,
            identity_key=hello.identity_key,
            platform=hello.platform,
            now=self._now(),
            number=number,
        )
        device.sync_seconds = sync_seconds
        success = frames.pair_success(device=device.identifier, number=device.number)
        return device.identifier, [Send(page.identifier, success)]

    def _round(self, page: PageId) -> Send:
        refs = self.refs.issue(page)
        return Send(page, frames.pair_device(refs=refs, first_ref=self.timing.first_ref, next_ref=self.timing.next_ref))

    def _paired(self, page: _Page, identifier: DeviceId) -> list[Effect]:
        device = self.devices.pending(identifier)
        if device is None:
            return [Close(page.identifier)]
        device.confirmed = True
        restart = Send(page.identifier, frames.stream_error(kind="restart"))
        return [Confirmed(identifier), restart, Close(page.identifier)]

    def _login(self, page: PageId, hello: Hello, identifier: DeviceId) -> list[Effect]:
        device = next((one for one in self.devices if one.identifier == identifier), None)
        if device is None or not device.accepts(hello):
            return [Send(page, frames.failure(code=REMOVED)), Close(page)]
        refused = self._refusal(page, device)
        if refused:
            return refused
        effects: list[Effect] = []
        older = self.page_of(identifier)
        if older is not None:
            # The server's rule: the newest connection of a device wins and the older one is told so.
            self._pages[older].device = None
            effects += [Send(older, frames.stream_error(kind="replaced")), Close(older)]
        self._pages[page] = _Page(identifier=page, hello=hello, device=identifier)
        effects.append(Send(page, frames.success(device=identifier, number=device.number)))
        seconds = self.timing.first_sync if device.first_login else self.timing.sync
        effects.append(SendLater(page, frames.synced(), device.sync_seconds or seconds))
        if device.first_login:
            device.history = self.account.history_chunks()
        if device.history:
            # After the critical synchronisation, as on the real page: the rest of the history comes while it works.
            effects.append(SendLater(page, device.history[0], device.sync_seconds or seconds))
        effects += [Send(page, frame) for frame in device.mailbox]
        if device.restriction is not None:
            effects.append(Send(page, device.restriction))
        device.first_login = False
        return effects

    def _refusal(self, page: PageId, device: Device) -> list[Effect]:
        """Tell a page that it may not log in, if that is so."""
        if device.ban is not None and device.ban.until is not None and self._now() >= device.ban.until:
            device.ban = None
        if device.ban is not None:
            return [Send(page, ban_frame(device.ban)), Close(page)]
        if device.unavailable:
            return [Send(page, frames.failure(code=UNAVAILABLE, silent=device.silent)), Close(page)]
        return []


def ban_frame(ban: Ban) -> Frame:
    """Give the frame by which a page learns of a ban."""
    return frames.failure(code=ban.code, message=ban.message, expire=ban.expire, url=ban.url, silent=ban.silent)
