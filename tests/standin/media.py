"""Files that travel beside the messages: up from a page, down to it, by links that can expire.

Contents are made in pieces while they are sent and never held whole: a file of 100 MB is a short pattern and a length.
What a page has sent up is counted and digested; up to `KEPT` bytes of it can be had again, the last `KEPT_IN_ALL` of all.
"""

import collections
import dataclasses
import hashlib
import itertools
from collections.abc import Iterator

from standin.errors import MalformedRequestError

__all__ = ["KEPT", "KEPT_IN_ALL", "LARGEST", "PIECE", "MediaBook", "Medium", "Upload"]

PIECE = 64 * 1024
KEPT = 1024 * 1024
KEPT_IN_ALL = 32 * KEPT
LARGEST = 100 * 1024 * 1024


@dataclasses.dataclass(frozen=True, kw_only=True)
class Medium:
    """One file."""

    identifier: str
    size: int
    sha256: str
    """ In hexadecimal digits. """
    content: bytes | None
    """ A pattern that is repeated up to the size; None: too large to be kept. """

    def pieces(self) -> Iterator[bytes]:
        """Give the content, a piece at a time."""
        yield from _pieces(self.content or b"", self.size)

    def head(self, most: int) -> bytes | None:
        """Give the whole content if it is no longer than this and was kept."""
        return b"".join(self.pieces()) if self.content is not None and self.size <= most else None


class Upload:
    """A file on its way up."""

    def __init__(self) -> None:
        self.size = 0
        self.digest = hashlib.sha256()
        self.kept = bytearray()

    def add(self, piece: bytes) -> None:
        """Take the next piece."""
        self.size += len(piece)
        self.digest.update(piece)
        if self.size <= KEPT:
            self.kept += piece


class MediaBook:
    """All files, and the links under which they can be had."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._media: dict[str, Medium] = {}
        self._links: dict[str, str] = {}
        self._gone: set[str] = set()
        self._kept: collections.deque[Medium] = collections.deque()

    def make(self, pattern: bytes, *, size: int | None = None) -> Medium:
        """Make a file of a content, or of `size` bytes of a repeated one."""
        size = len(pattern) if size is None else size
        if not pattern or not 0 <= size <= LARGEST:
            raise MalformedRequestError(f"A file has a content and 0 to {LARGEST} bytes.")
        digest = hashlib.sha256()
        for piece in _pieces(pattern, size):
            digest.update(piece)
        return self._keep(size=size, sha256=digest.hexdigest(), content=pattern)

    def uploaded(self, upload: Upload) -> Medium:
        """Take a file that a page has sent up."""
        content = bytes(upload.kept) if upload.size <= KEPT else None
        return self._keep(size=upload.size, sha256=upload.digest.hexdigest(), content=content)

    def get(self, identifier: str) -> Medium:
        """Find a file."""
        if identifier not in self._media:
            raise MalformedRequestError(f"There is no file {identifier!r}.")
        return self._media[identifier]

    def link(self, identifier: str) -> str | None:
        """Give a path under which the file can be had until it expires; None when the phone has it no more."""
        medium = self.get(identifier)
        if identifier in self._gone or medium.content is None:
            return None
        name = f"{identifier}-{next(self._numbers)}"
        self._links[name] = identifier
        return f"/media/{name}"

    def at(self, name: str) -> Medium | None:
        """Find the file of a link that has not expired."""
        medium = self._media.get(self._links.get(name, ""))
        return medium if medium is not None and medium.content is not None else None

    def expire(self, *, gone: bool) -> int:
        """End all links given so far; with `gone` the phone cannot give new ones for their files either."""
        ended = len(self._links)
        if gone:
            self._gone.update(self._links.values())
        self._links.clear()
        return ended

    def _keep(self, *, size: int, sha256: str, content: bytes | None) -> Medium:
        medium = Medium(identifier=f"m{next(self._numbers)}", size=size, sha256=sha256, content=content)
        self._media[medium.identifier] = medium
        self._kept.append(medium)
        while sum(len(one.content or b"") for one in self._kept) > KEPT_IN_ALL:
            oldest = self._kept.popleft()
            self._media[oldest.identifier] = dataclasses.replace(oldest, content=None)
        return medium


def _pieces(pattern: bytes, size: int) -> Iterator[bytes]:
    # Blocks of whole patterns: each goes on where the one before it ended.
    block = pattern * max(1, PIECE // len(pattern)) if 0 < len(pattern) < size else pattern
    for start in range(0, size, max(len(block), 1)):
        yield block[: size - start]
