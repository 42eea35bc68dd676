"""What the unit tests of the stand-in share: a clock to turn, counted tokens, and hellos as a page would say them."""

import itertools

from standin.exchange import Close, Confirmed, Effect, Exchange, Send, SendLater
from standin.frames import DeviceId, Frame, Hello, LoadId, PageId
from standin.settings import Timing

__all__ = ["Clock", "ExchangeHarness", "counted", "frames_to", "hello", "types_to"]


class Clock:
    """Tells the time it was set to, in seconds since the epoch."""

    def __init__(self, seconds: float = 1_000_000.0) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        """Give the set time."""
        return self.seconds


class counted:  # noqa: N801 -- used like a function
    """Gives t1, t2, … so that a test can name what will be made."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def __call__(self) -> str:
        """Give the next."""
        return f"t{next(self._numbers)}"


def hello(*, device: str | None = None, keys: str = "a", load: str = "load") -> Hello:
    """Say hello with the two public keys of one login."""
    return Hello(
        load=LoadId(load),
        profile=f"profile-{keys}",
        noise_key=f"noise-{keys}",
        identity_key=f"identity-{keys}",
        platform="1",
        device=None if device is None else DeviceId(device),
    )


def frames_to(page: str, effects: list[Effect]) -> list[Frame]:
    """Give the frames that a page gets, in order."""
    return [effect.frame for effect in effects if isinstance(effect, Send | SendLater) and effect.page == page]


def types_to(page: str, effects: list[Effect]) -> list[str]:
    """Give the kinds of frames that a page gets, and `close` where its connection ends."""
    seen: list[str] = []
    for effect in effects:
        match effect:
            case Send(to, frame) | SendLater(to, frame, _) if to == page:
                kind = frame.get("kind") if frame["type"] == "stream-error" else frame.get("code")
                seen.append(frame["type"] if kind is None else f"{frame['type']} {kind}")
            case Close(to) if to == page:
                seen.append("close")
            case Confirmed():
                seen.append("confirmed")
    return seen


class ExchangeHarness:
    """An exchange with a clock at hand and short ways to the states that tests start from."""

    def __init__(self, timing: Timing | None = None) -> None:
        self.clock = Clock()
        self.exchange = Exchange(
            timing=timing or Timing(),
            now=self.clock,
            new_token=counted(),
            random_bytes=lambda count: bytes(range(count)),
        )

    def unlinked(self, page: str = "page", *, keys: str = "a") -> list[str]:
        """Open an unlinked page; gives the texts of its six codes."""
        (frame,) = frames_to(page, self.exchange.opened(PageId(page), hello(keys=keys)))
        return [f"{ref},noise-{keys},identity-{keys},secret,1" for ref in frame["refs"]]

    def linked(self, page: str = "page", *, keys: str = "a") -> DeviceId:
        """Link a device that stored its login; its first connection is over."""
        device, _ = self.exchange.scan(self.unlinked(page, keys=keys)[0])
        self.exchange.received(PageId(page), {"type": "paired", "device": device})
        self.exchange.closed(PageId(page))
        return device

    def connected(self, page: str = "again", *, keys: str = "a") -> DeviceId:
        """Link a device and log it in on a second connection."""
        device = self.linked(f"first-{page}", keys=keys)
        self.exchange.opened(PageId(page), hello(device=device, keys=keys))
        return device
