"""Ids: a message's is made here, before the page knows of it, and is the same everywhere from then on; a person's is read."""

import hashlib
import re
from typing import Final

RANDOM_BYTES: Final = 9


def message_id(random: bytes) -> str:
    """Return an id as the page makes them, of 9 random bytes."""
    return f"3EB0{random.hex().upper()}"


def received_id(phone_number_id: str, page_key: str) -> str:
    """Return the id of the file of a message that came in: digits alone, and the same whenever it is asked for."""
    digits = int.from_bytes(hashlib.sha256(page_key.encode()).digest()) % 10**15
    return f"{phone_number_id}{digits:015}"


def digits_of(reported: object) -> str | None:
    """Return the digits of a number or a LID as the page reports them, at most 20; None: it reported something else."""
    return reported if isinstance(reported, str) and re.fullmatch("[0-9]{1,20}", reported) else None
