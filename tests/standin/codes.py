"""The eight characters that link a page by phone number instead of by QR code.

Pure, like `refs.py`: a page asks for a code, a person types it on the phone, the exchange asks here whose it is. A new
code of the same page ends its older one.
"""

import dataclasses
from collections.abc import Callable

from standin.errors import ExpiredQrError, UnknownQrError
from standin.frames import PageId

__all__ = ["CodeBook"]

LIFETIME_SECONDS = 180.0
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTVWXYZ"  # without the letters that look like others
_LENGTH = 8


@dataclasses.dataclass(kw_only=True)
class _Code:
    page: PageId
    number: str
    """ Whose phone takes it. """
    until: float


class CodeBook:
    """All codes given out, with their page and the time until which they may be typed."""

    def __init__(self, *, now: Callable[[], float], random_bytes: Callable[[int], bytes]) -> None:
        self._now = now
        self._random_bytes = random_bytes
        self._codes: dict[str, _Code] = {}

    def issue(self, page: PageId, *, number: str) -> str:
        """Make a code for a page and the phone of this number."""
        self.withdraw(page)
        code = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in self._random_bytes(_LENGTH))
        self._codes[code] = _Code(page=page, number=number, until=self._now() + LIFETIME_SECONDS)
        return code

    def withdraw(self, page: PageId) -> None:
        """End the code of a page that left or was paired."""
        for code in self._codes.values():
            if code.page == page:
                code.until = min(code.until, self._now())

    def page_waiting(self, text: str) -> tuple[PageId, str]:
        """Tell whose code this is, and for the phone of which number; dashes, blanks and small letters are forgiven, as on a phone."""
        code = self._codes.get(text.replace("-", "").replace(" ", "").upper())
        if code is None:
            raise UnknownQrError("No page waits for this code. Ask the page for one and type that.")
        if self._now() >= code.until:
            raise ExpiredQrError("This code has expired, or its page is gone. Ask the page for a new one.")
        return code.page, code.number
