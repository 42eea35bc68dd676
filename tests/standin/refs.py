"""The references inside QR codes: given out in rounds of six, shown one after the other, scanned at most once.

Pure: the clock is passed in. The exchange asks here which page shows the code a phone has scanned; the answer is a
page, or the reason why not. Expired references are remembered for an hour, so that scanning an old picture gives
"expired" and not "unknown".
"""

import dataclasses
from collections.abc import Callable

from standin.errors import ExpiredQrError, MalformedRequestError, UnknownQrError
from standin.frames import PageId
from standin.settings import Timing

__all__ = ["REFS_PER_ROUND", "QrText", "RefBook"]

REFS_PER_ROUND = 6
MEMORY_SECONDS = 3600.0

_PREFIX = "https://wa.me/settings/linked_devices#"
_FIELDS = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class QrText:
    """What a phone reads from the picture: five comma-separated fields, maybe inside a link."""

    ref: str
    noise_key: str
    identity_key: str
    secret: str
    platform: str

    @classmethod
    def parse(cls, text: str) -> "QrText":
        """Read the text of a QR code in any of the forms the real page shows."""
        fields = text.strip().removeprefix(_PREFIX).split(",")
        if len(fields) == _FIELDS + 1 and fields[-1].startswith("https://"):
            fields.pop()
        if len(fields) != _FIELDS or not all(fields):
            raise MalformedRequestError(
                f"This is not a linking code: {_FIELDS} comma-separated fields are expected, {len(fields)} were found. "
                "Send the text of the page's data-ref as it is."
            )
        return cls(**dict(zip(("ref", "noise_key", "identity_key", "secret", "platform"), fields, strict=True)))


@dataclasses.dataclass(kw_only=True)
class _Given:
    page: PageId
    until: float


class RefBook:
    """All references given out, with the page that shows each and the time until which it may be scanned."""

    def __init__(self, *, timing: Timing, now: Callable[[], float], new_token: Callable[[], str]) -> None:
        self._timing = timing
        self._now = now
        self._new_token = new_token
        self._given: dict[str, _Given] = {}

    def issue(self, page: PageId) -> list[str]:
        """Give a page its next round; what it had before ends now."""
        self.withdraw(page)
        self._forget()
        refs = [f"2@{self._new_token()}" for _ in range(REFS_PER_ROUND)]
        shown_until = self._now()
        for position, ref in enumerate(refs):
            shown_until += self._timing.next_ref if position else self._timing.first_ref
            self._given[ref] = _Given(page=page, until=shown_until + self._timing.ref_grace)
        return refs

    def withdraw(self, page: PageId) -> None:
        """End all references of a page that left, was paired or became idle."""
        for given in self._given.values():
            if given.page == page:
                given.until = min(given.until, self._now())

    def page_showing(self, ref: str) -> PageId:
        """Tell whose code this is; UnknownQrError or ExpiredQrError say why it is nobody's."""
        given = self._given.get(ref)
        if given is None:
            raise UnknownQrError("No page shows this code. Read the code anew and scan that one.")
        if self._now() >= given.until:
            raise ExpiredQrError("This code has expired, or its page is gone. Read the code anew and scan that one.")
        return given.page

    def _forget(self) -> None:
        horizon = self._now() - MEMORY_SECONDS
        self._given = {ref: given for ref, given in self._given.items() if given.until > horizon}
