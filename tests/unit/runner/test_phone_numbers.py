"""The numbers a session is about: the one in its Secret, and the one that somebody asked a code for."""

import shutil
import tempfile
from pathlib import Path

import pytest
from session_protocol.vocabulary import LinkMethod
from session_runner.account.phone_numbers import LONGEST, PhoneNumbers
from session_runner.states.pairing import Source

NUMBER, OTHER = "+15550100000", "+15550100001"


def numbers(file: Path | None, method: LinkMethod = LinkMethod.PAIRING_CODE) -> PhoneNumbers:
    """Those of a session, as read now."""
    made = PhoneNumbers(file=file, method=method)
    made.read()
    return made


def mount(volume: Path, number: str | None) -> None:
    """Put another version of the Secret in the place of the last one, as the kubelet does: by one link for all entries."""
    version = Path(tempfile.mkdtemp(prefix="..", dir=volume))
    if number is not None:
        (version / "phoneNumber").write_text(number)
    before = volume / "..data"
    gone = before.resolve() if before.exists() else None
    (volume / "..data_tmp").symlink_to(version.name)
    (volume / "..data_tmp").rename(before)
    entry = volume / "phoneNumber"
    if number is None:
        entry.unlink(missing_ok=True)
    elif not entry.is_symlink():
        entry.symlink_to("..data/phoneNumber")
    if gone is not None:
        shutil.rmtree(gone)


def test_a_changed_secret_is_read_at_the_next_look(tmp_path: Path) -> None:
    """Also one that is deleted and comes again."""
    mount(tmp_path, NUMBER)
    made, seen = numbers(tmp_path / "phoneNumber"), list[tuple[str | None, Source]]()
    for number in (NUMBER, OTHER, None, NUMBER):
        mount(tmp_path, number)
        made.read()
        seen.append((made.wanted, made.source))

    assert [(NUMBER, Source.FOUND), (OTHER, Source.FOUND), (None, Source.MISSING), (NUMBER, Source.FOUND)] == seen


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
    made.asked.connect(lambda: calls.append(1))

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
