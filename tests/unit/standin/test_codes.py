"""Codes to type: whose they are, how long, and what typing forgives."""

import pytest
from standin.codes import LIFETIME_SECONDS, CodeBook
from standin.errors import ExpiredQrError, UnknownQrError
from standin.frames import PageId
from unit.standin.exchange_harness import Clock

PAGE = PageId("page")
NUMBER = "15550100007"


def book(clock: Clock, first: int = 0) -> CodeBook:
    """Make a book whose first code comes from the bytes 0 to 7."""
    return CodeBook(now=clock, random_bytes=lambda count: bytes(range(first, first + count)))


@pytest.mark.parametrize("typed", ["12345678", "1234-5678", " 1234 5678 "])
def test_typing_is_forgiving(typed: str) -> None:
    """Dashes and blanks do not count."""
    codes = book(Clock())

    assert "12345678" == codes.issue(PAGE, number=NUMBER)
    assert (PAGE, NUMBER) == codes.page_waiting(typed)


def test_small_letters_are_taken() -> None:
    """Phones differ in what their keyboards make of letters."""
    codes = book(Clock(), first=9)
    code = codes.issue(PAGE, number=NUMBER)

    assert "ABCDEFGH" == code
    assert (PAGE, NUMBER) == codes.page_waiting("abcdefgh")


def test_a_code_ends_by_its_time_and_by_its_page() -> None:
    """After three minutes, or when the page left, it has expired."""
    clock = Clock()
    codes = book(clock)
    code = codes.issue(PAGE, number=NUMBER)
    clock.seconds += LIFETIME_SECONDS - 1
    assert (PAGE, NUMBER) == codes.page_waiting(code)
    codes.withdraw(PAGE)

    with pytest.raises(ExpiredQrError, match="Ask the page for a new one"):
        codes.page_waiting(code)


def test_an_unknown_code_is_distinguished_from_an_expired_one() -> None:
    """Nobody waits for what was never given out."""
    with pytest.raises(UnknownQrError, match="No page waits"):
        book(Clock()).page_waiting("AAAA-AAAA")
