"""The numbers a session is about: the one in its Secret, and the one that somebody asked a code for."""

from pathlib import Path

import pytest
from session_protocol.vocabulary import LinkMethod
from session_runner.phone_numbers import LONGEST, PhoneNumbers
from session_runner.states.pairing import Source

NUMBER, OTHER = "+15550100000", "+15550100001"


def numbers(file: Path | None, method: LinkMethod = LinkMethod.PAIRING_CODE) -> PhoneNumbers:
    """Those of a session, as read now."""
    made = PhoneNumbers(file=file, method=method)
    made.read()
    return made


def test_the_file_is_read_each_time(tmp_path: Path) -> None:
    """The kubelet puts another file in its place, by links, as it does here."""
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "phoneNumber").write_text(NUMBER)
    file = tmp_path / "phoneNumber"
    file.symlink_to("..data/phoneNumber")
    made = numbers(file)
    first = made.wanted
    (tmp_path / "..data" / "phoneNumber").write_text(OTHER)
    made.read()

    assert (NUMBER, OTHER, OTHER) == (first, made.wanted, made.expected)


@pytest.mark.parametrize("content", ["", "0171 1234567", "no number", "1" * (LONGEST + 1), "+١٥٥٥٠١٠٠٠٠٠", "\x00" * 20])
def test_what_is_no_number_is_invalid(tmp_path: Path, content: str) -> None:
    """One without its country's code could be anybody's."""
    file = tmp_path / "phoneNumber"
    file.write_text(content)
    made = numbers(file)

    assert (Source.INVALID, None, None) == (made.source, made.expected, made.wanted)


def test_a_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    """The Secret may come later; without one named there is nothing to miss."""
    assert Source.MISSING is numbers(tmp_path / "phoneNumber").source
    assert Source.NONE is numbers(None).source


def known(made: PhoneNumbers) -> tuple[str | None, str | None]:
    """The number to link by a code, and the one of the account that is expected."""
    return made.wanted, made.expected


def test_a_number_that_is_asked_for_is_wanted_whatever_the_method() -> None:
    """And whoever waits for it is told."""
    made, calls = numbers(None, LinkMethod.QR), list[int]()
    made.changed = lambda: calls.append(1)

    assert (None, None) == known(made)
    assert made.ask_for(NUMBER)
    assert (NUMBER, None) == known(made)
    assert [1] == calls


def test_the_secret_s_number_is_the_only_one(tmp_path: Path) -> None:
    """Somebody who may only link cannot link an account of his own in its place."""
    file = tmp_path / "phoneNumber"
    file.write_text(NUMBER)
    made = numbers(file, LinkMethod.QR)

    assert not made.ask_for(OTHER)
    assert (None, NUMBER) == known(made)
    assert made.ask_for(NUMBER)
    assert (NUMBER, NUMBER) == known(made)
    file.write_text(OTHER)
    made.read()
    assert (None, OTHER) == known(made)
