"""The number by which the Cloud API's clients name a session.

A hash of namespace and name, which the operator shows in status and the runner answers to: known before a phone is linked,
the same after a session is applied anew, and no tenant can claim another's by choosing it. It is no phone number, and
nothing of one is in it.
"""

import hashlib
from typing import Final

DIGITS: Final = 15
PHONE_NUMBER_ID: Final = rf"^[1-9][0-9]{{{DIGITS - 1}}}$"
_FIRST: Final = 10 ** (DIGITS - 1)
""" The smallest number of so many digits: none begins with 0, which a client that reads numbers would lose. """


def phone_number_id(namespace: str, name: str) -> str:
    """Return the 15 digits of a session."""
    digest = hashlib.sha256(f"{namespace}/{name}".encode()).digest()
    return str(_FIRST + int.from_bytes(digest) % (9 * _FIRST))
