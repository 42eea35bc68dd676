"""A message's id: made here, before the page knows of the message, and the same everywhere from then on."""

import hashlib
from typing import Final

RANDOM_BYTES: Final = 9


def message_id(random: bytes) -> str:
    """Return an id as the page makes them, of 9 random bytes."""
    return f"3EB0{random.hex().upper()}"


def received_id(phone_number_id: str, page_key: str) -> str:
    """Return the id of the file of a message that came in: digits alone, and the same whenever it is asked for."""
    digits = int.from_bytes(hashlib.sha256(page_key.encode()).digest()) % 10**15
    return f"{phone_number_id}{digits:015}"
