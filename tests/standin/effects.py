"""What the exchange decides and the shell carries out. A module of its own, because whoever decides a part needs it."""

from typing import NamedTuple

from standin.frames import DeviceId, Frame, PageId

__all__ = ["Close", "Confirmed", "Effect", "Send", "SendLater"]


class Send(NamedTuple):
    """Give a page a frame now."""

    page: PageId
    frame: Frame


class SendLater(NamedTuple):
    """Give a page a frame after some seconds, if it is still connected."""

    page: PageId
    frame: Frame
    seconds: float


class Close(NamedTuple):
    """End a page's connection after what was sent has gone out."""

    page: PageId


class Confirmed(NamedTuple):
    """A page has stored its login: whoever waits for the scan to end may go on, and the list is saved."""

    device: DeviceId


Effect = Send | SendLater | Close | Confirmed
