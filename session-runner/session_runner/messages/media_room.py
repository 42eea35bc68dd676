"""Which files are removed so that another one has room: a pure function over what is known of them.

Files that came in can be fetched again and go first, the longest unused of them before the others; then uploads that
nothing waits for. A young upload stays, since whoever uploads a file is about to send it.
"""

from collections.abc import Iterable
from typing import Final, Protocol

FEWEST_BYTES: Final = 256 * 1024 * 1024
MOST_BYTES: Final = 1024 * 1024 * 1024
""" What all files may have is a quarter of the volume, between these two. """
MOST_FILES: Final = 2000
""" A file needs an inode, of which small volumes have few. """
YOUNG: Final = 900.0
""" Seconds since its last use for which an upload is not removed to make room. """


class StoredFile(Protocol):
    """What is known of a file in the folder."""

    @property
    def identifier(self) -> str:
        """Its id."""

    @property
    def page_key(self) -> str | None:
        """Of the message that it came with; None: it was uploaded."""

    @property
    def size(self) -> int | None:
        """In bytes."""

    @property
    def used(self) -> float:
        """When it was used last, in seconds since 1970."""


def bound(capacity: int) -> int:
    """Return how many bytes all files may have on a volume of so many; 0: nobody knows how large it is."""
    return min(max(FEWEST_BYTES, capacity // 4), MOST_BYTES)


def removable(
    files: Iterable[StoredFile],
    *,
    more: int,
    arriving: int,
    most: int,
    spare: int | None,
    needed: frozenset[str],
    now: float,
) -> list[str] | None:
    """Return the files to remove so that `more` bytes can be written; None: there is no room for them.

    :param arriving: bytes of files that are being written.
    :param most: bytes that all files may have.
    :param spare: bytes that are free on the volume beyond what its browser needs; None: nobody knows.
    :param needed: files that a waiting message needs.
    """
    known = list(files)
    excess = max(sum(file.size or 0 for file in known) + arriving + more - most, 0 if spare is None else more - spare)
    too_many = len(known) + 1 - MOST_FILES
    removed: list[str] = []
    for file in sorted(known, key=lambda file: (file.page_key is None, file.used)):
        if excess <= 0 and too_many <= 0:
            break
        is_young_upload = file.page_key is None and file.used > now - YOUNG
        if file.identifier in needed or is_young_upload:
            continue
        removed.append(file.identifier)
        excess -= file.size or 0
        too_many -= 1
    return removed if excess <= 0 and too_many <= 0 else None
