"""What the server has for one device and keeps until the page says that it has stored it.

A page that is killed between receiving and storing gets it again at its next login, in the same order. Each piece (a
stanza) has a number of its own: a message and its late content carry the same message id.
"""

import itertools
from collections.abc import Iterator

from standin.frames import Frame

__all__ = ["Mailbox"]


class Mailbox:
    """Stanzas in the order of their arrival."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._kept: dict[str, Frame] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Frame]:
        return iter(list(self._kept.values()))

    def put(self, frame: Frame) -> Frame:
        """Keep a frame; returns it with the number by which the page will name it."""
        stanza = f"s{next(self._numbers)}"
        self._kept[stanza] = {**frame, "stanza": stanza}
        return self._kept[stanza]

    def stored(self, stanza: str) -> None:
        """Forget what the page has stored. A page that says so twice has lost nothing."""
        self._kept.pop(stanza, None)
