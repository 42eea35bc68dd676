"""A message's id: made here, before the page knows of the message, and the same everywhere from then on."""

from typing import Final

RANDOM_BYTES: Final = 9


def message_id(random: bytes) -> str:
    """Return an id as the page makes them, of 9 random bytes."""
    return f"3EB0{random.hex().upper()}"
