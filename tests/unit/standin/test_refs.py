"""References: six per round, shown one after the other, and never good for longer than that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standin.errors import ExpiredQrError, MalformedRequestError, UnknownQrError
from standin.frames import PageId
from standin.refs import REFS_PER_ROUND, QrText, RefBook
from standin.settings import Timing
from unit.standin.exchange_harness import Clock, counted

PAGE = PageId("page")
TEXT = "2@ref,noise,identity,secret,1"


def book(clock: Clock, timing: Timing | None = None) -> RefBook:
    """Make a book whose references are 2@t1, 2@t2 and so on."""
    return RefBook(timing=timing or Timing(), now=clock, new_token=counted())


def test_a_round_has_six_references() -> None:
    """All six differ and belong to the page."""
    refs = book(Clock()).issue(PAGE)

    assert [f"2@t{number}" for number in range(1, REFS_PER_ROUND + 1)] == refs


@pytest.mark.parametrize(
    ("position", "seconds", "good"),
    [(0, 64.9, True), (0, 65.0, False), (1, 84.9, True), (1, 85.0, False), (5, 164.9, True), (5, 165.0, False)],
)
def test_each_reference_lives_through_its_showing_and_a_grace(position: int, seconds: float, good: bool) -> None:  # noqa: FBT001
    """60 s for the first and 20 s for each other, one after the other, and 5 s more to scan."""
    clock = Clock()
    refs = book(clock)
    ref = refs.issue(PAGE)[position]
    clock.seconds += seconds

    if good:
        assert PAGE == refs.page_showing(ref)
    else:
        with pytest.raises(ExpiredQrError, match="Read the code anew"):
            refs.page_showing(ref)


def test_a_new_round_ends_the_one_before() -> None:
    """Who refreshes its codes cannot be linked by the old picture."""
    refs = book(Clock())
    old = refs.issue(PAGE)[0]
    new = refs.issue(PAGE)[0]

    with pytest.raises(ExpiredQrError):
        refs.page_showing(old)
    assert PAGE == refs.page_showing(new)


def test_withdrawing_concerns_one_page() -> None:
    """A page that leaves takes its own references with it and nobody else's."""
    refs = book(Clock())
    mine, other = refs.issue(PAGE)[0], refs.issue(PageId("other"))[0]
    refs.withdraw(PAGE)

    with pytest.raises(ExpiredQrError):
        refs.page_showing(mine)
    assert PageId("other") == refs.page_showing(other)


def test_an_expired_reference_is_remembered_for_an_hour() -> None:
    """An old picture is told to be old; after an hour, and a round of somebody else, it is unknown."""
    clock = Clock()
    refs = book(clock)
    old = refs.issue(PAGE)[0]
    clock.seconds += 65 + 3000
    refs.issue(PageId("other"))
    with pytest.raises(ExpiredQrError):
        refs.page_showing(old)
    clock.seconds += 1000
    refs.issue(PageId("another"))

    with pytest.raises(UnknownQrError, match="No page shows this code"):
        refs.page_showing(old)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"  {TEXT}\n",
        f"https://wa.me/settings/linked_devices#{TEXT}",
        f"{TEXT},https://faq.whatsapp.com/r/ld",
    ],
)
def test_every_form_of_the_text_is_read(text: str) -> None:
    """A link around it, a help address behind it or white space change nothing."""
    expected = QrText(ref="2@ref", noise_key="noise", identity_key="identity", secret="secret", platform="1")

    assert expected == QrText.parse(text)


@pytest.mark.parametrize(
    "text", ["", "2@ref", "2@ref,noise,identity,secret", "2@ref,,identity,secret,1", f"{TEXT},more"]
)
def test_another_text_is_refused_with_its_fault(text: str) -> None:
    """Four fields, as wa-js gives, are as wrong as none: the message says how many were found and what to send."""
    with pytest.raises(MalformedRequestError, match=r"5 comma-separated fields .* were found.*data-ref"):
        QrText.parse(text)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever is scanned is read or refused, never an accident."""
    try:
        qr = QrText.parse(text)
    except MalformedRequestError:
        return
    assert all((qr.ref, qr.noise_key, qr.identity_key, qr.secret, qr.platform))
