"""Text of others on its way to a terminal: signs alone, one line, a bounded length; and ages as kubectl prints them."""

import unicodedata
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubectl_whatsapp.text import age, one_line, printable
from unit.plugin.plugin_harness import NOW


@given(st.text())
def test_nothing_but_signs_and_ends_of_lines(text: str) -> None:
    """Whatever goes in, no control, no format character and no lone surrogate comes out."""
    shown = printable(text)

    assert set() == {sign for sign in shown if unicodedata.category(sign)[0] == "C"} - {"\n"}


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_signs_pass_unchanged(text: str) -> None:
    """Words in any script are what they were."""
    assert text == printable(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b]52;c;aGVsbG8=\x07", r"\x1b]52;c;aGVsbG8=\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("safe\rrm", r"safe\rrm"),
        ("\u202etxt.exe\u2066", r"\u202etxt.exe\u2066"),
        ("\u200b\ufeff\U000e0041", r"\u200b\ufeff\U000e0041"),
        ("\u2028", r"\u2028"),
        ("\ud800", r"\ud800"),
        ("a\nb", "a\nb"),
    ],
)
def test_what_a_terminal_would_obey_is_shown(text: str, expected: str) -> None:
    """Each by its escape, so that a reader sees that something was there."""
    assert expected == printable(text)


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_one_line_is_one_bounded_line(text: str, limit: int) -> None:
    """The longest escape has ten characters."""
    shown = one_line(text, limit=limit)

    assert "\n" not in shown
    assert shown.isprintable()
    assert len(shown) <= 10 * limit


def test_what_is_left_out_shows() -> None:
    """A cut text ends in an ellipsis, one that just fits does not."""
    assert ("abcd…", "abcde") == (one_line("abcdef", limit=5), one_line("abcde", limit=5))


def test_ends_of_lines_become_spaces() -> None:
    """A message of several lines cannot pretend that its second one is ours."""
    assert "no place error: run this" == one_line("no place\r\n\terror: run this\n")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (599, "9m59s"),
        (600, "10m"),
        (10_799, "179m"),
        (10_800, "3h"),
        (19_200, "5h20m"),
        (28_799, "7h59m"),
        (28_800, "8h"),
        (172_799, "47h"),
        (172_800, "2d"),
        (259_200, "3d"),
        (273_600, "3d4h"),
        (691_199, "7d23h"),
        (691_200, "8d"),
        (730 * 86_400 - 1, "729d"),
        (730 * 86_400, "2y"),
        (770 * 86_400, "2y40d"),
        (8 * 365 * 86_400 - 1, "7y364d"),
        (8 * 365 * 86_400, "8y"),
        (56 * 365 * 86_400, "56y"),
    ],
)
def test_ages(seconds: int, expected: str) -> None:
    """Ages are short and grow coarser as they grow: client-go's HumanDuration, which kubectl prints."""
    assert expected == age(NOW - timedelta(seconds=seconds), now=NOW)


def test_the_age_of_nothing() -> None:
    """No time is a dash, and a clock that is ahead is no reason for a negative age."""
    assert ("-", "0s") == (age(None, now=NOW), age(NOW + timedelta(seconds=5), now=NOW))
