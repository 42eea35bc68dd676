"""Files of any size, made and counted in pieces."""

import hashlib

import pytest
from standin.errors import MalformedRequestError
from standin.media import KEPT, KEPT_IN_ALL, LARGEST, PIECE, MediaBook, Upload


@pytest.mark.parametrize("size", [0, 1, 6, 7, 8, PIECE - 1, PIECE, 3 * PIECE + 5])
def test_a_file_of_any_size_repeats_its_pattern(size: int) -> None:
    """Its pieces have the size and the digest that it says, and none is large."""
    medium = MediaBook().make(b"pattern", size=size)
    pieces = list(medium.pieces())
    content = b"".join(pieces)

    assert (b"pattern" * (size // 7 + 1))[:size] == content
    assert (size, hashlib.sha256(content).hexdigest()) == (medium.size, medium.sha256)
    assert all(len(piece) <= PIECE for piece in pieces)


def test_a_file_beyond_the_limit_is_refused() -> None:
    """And one without any content."""
    for pattern, size in ((b"x", LARGEST + 1), (b"", 5)):
        with pytest.raises(MalformedRequestError):
            MediaBook().make(pattern, size=size)


@pytest.mark.parametrize(("size", "kept"), [(5, True), (KEPT, True), (KEPT + 1, False)])
def test_what_goes_up_is_digested_and_kept_if_it_is_small(size: int, *, kept: bool) -> None:
    """A large file cannot be had again, and says so by giving no link."""
    upload = Upload()
    content = b"y" * size
    for start in range(0, size, 100_000):
        upload.add(content[start : start + 100_000])
    book = MediaBook()
    medium = book.uploaded(upload)

    assert (size, hashlib.sha256(content).hexdigest()) == (medium.size, medium.sha256)
    assert kept == (book.link(medium.identifier) is not None)
    assert (content if kept else None) == medium.head(2 * KEPT)


def test_links_expire() -> None:
    """The phone gives a new one, unless the file is gone."""
    book = MediaBook()
    medium = book.make(b"x")
    first = book.link(medium.identifier)
    assert first is not None
    assert 1 == book.expire(gone=False)
    second = book.link(medium.identifier)
    assert second is not None

    assert [None, medium] == [book.at(link.rpartition("/")[2]) for link in (first, second)]
    book.expire(gone=True)
    assert book.link(medium.identifier) is None
    with pytest.raises(MalformedRequestError, match="no file"):
        book.get("m9")


def test_old_contents_are_forgotten() -> None:
    """A long test with many files costs the server no more than a bound; size and digest stay."""
    book = MediaBook()
    first = book.make(b"z" * KEPT)
    link = book.link(first.identifier)
    assert link is not None
    for _ in range(KEPT_IN_ALL // KEPT):
        last = book.make(b"z" * KEPT)

    assert first.sha256 == book.get(first.identifier).sha256
    assert book.link(first.identifier) is None
    assert book.at(link.rpartition("/")[2]) is None
    assert book.link(last.identifier) is not None
