"""What belongs to no single device: people, files and the history that a phone gives to those that it links."""

import dataclasses

from standin import frames
from standin.frames import Frame
from standin.media import MediaBook
from standin.people import PeopleBook

__all__ = ["Account"]

_CHUNK = 50
""" Messages in one piece of the history. """


@dataclasses.dataclass(kw_only=True)
class Account:
    """The part of the server that all devices share."""

    people: PeopleBook = dataclasses.field(default_factory=PeopleBook)
    media: MediaBook = dataclasses.field(default_factory=MediaBook)
    history: list[Frame] = dataclasses.field(default_factory=list)
    """ Messages from before the linking, oldest first, for each device that logs in for the first time. """

    def history_chunks(self) -> list[Frame]:
        """Cut the history into the frames by which a device gets it."""
        starts = range(0, len(self.history), _CHUNK)
        return [
            frames.history(
                chunk=number, progress=100 * number // len(starts), messages=self.history[start : start + _CHUNK]
            )
            for number, start in enumerate(starts, start=1)
        ]
