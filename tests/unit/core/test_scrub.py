"""What a foreign text may not bring into status."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whatsapp_operator.core.scrub import LONGEST, scrub

QR = "2@AbCdEf0123456789+/AbCdEf0123456789+/AbCd,Kj8s0Zk1LmNoPqRsTuVwXyZ0123456789=,AbCd=,1"
TOKEN = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("call +49 170 1234567 now", "call [number] now"),
        ("call 491701234567", "call [number]"),
        ("call (0170) 123-45678.", "call [number]."),
        ("from 491701234567@c.us", "from [account]"),
        ("from 491701234567:12@s.whatsapp.net gone", "from [account] gone"),
        ("group 120363025246125486@g.us", "group [account]"),
        ("false_491701234567@c.us_3EB0AB is unknown", "[account]_3EB0AB is unknown"),
        ("chat_491701234567_left", "chat_[number]_left"),
        (f"shown {QR} to nobody", "shown [code] to nobody"),
        (f"https://wa.me/settings/linked_devices#{QR}", "[code]"),
        (f"Authorization: Bearer {TOKEN}", "[bearer] [secret]"),
        (f"sent {TOKEN}", "sent [secret]"),
        ("token=abcdef123", "[bearer]"),
        ("data MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKC", "data [secret]"),
    ],
)
def test_secrets_go(said: str, kept: str) -> None:
    """Numbers, accounts, QR codes and tokens are replaced by the word for what they were."""
    assert kept == scrub(said)


@pytest.mark.parametrize(
    "text",
    [
        "OutOfMemory: the kernel killed a browser process at 805306 kB",
        "2026-11-22T17:42:00.123Z ERROR page died",
        "2026-11-22 17:42:00,123 ERROR page died",
        "pod 3f2b8c1e-9d4a-4e6b-8f7a-0c1d2e3f4a5b was evicted",
        "no route to 10.244.12.101:8080",
        "File /opt/app/session_runner/page/launch.py, line 104, in start",
        "net::ERR_NAME_NOT_RESOLVED at https://web.whatsapp.com/",
        "exit code 33 after 45 s",
    ],
)
def test_what_helps_stays(text: str) -> None:
    """Times, UUIDs, addresses, paths and small numbers are no secrets."""
    assert text == scrub(text)


def test_lines_become_one() -> None:
    """A status is shown in a table: line breaks and control characters become spaces."""
    assert "a b c d" == scrub("a\nb\r\n\tc\x1b d ")


def test_the_end_of_a_long_text_is_kept() -> None:
    """The last line of a traceback says what happened."""
    text = "frame " * 1000 + "RuntimeError: no page"

    scrubbed = scrub(text)

    assert scrubbed.endswith("RuntimeError: no page")
    assert scrubbed.startswith("…frame")
    assert len(scrubbed) <= LONGEST


def test_a_number_cut_in_two_is_not_half_kept() -> None:
    """Where a long text is cut, no half of a number is left over."""
    text = "+49 170 12345678 " + "x" * 9 + " " + "y" * 20

    assert "…xxxxxxxxx yyyyyyyyyyyyyyyyyyyy" == scrub(text, longest=33)


pieces = st.sampled_from([
    "+49 170 1234567", "4917012345678", "2026-11-22T17:42:00Z", "2026-11-22", "17:42:00", QR, TOKEN, "@c.us", "10.1.2.3",
    "Bearer ", "token=", "1", "@", "abc", " ", "\n", "-", "(", ")", "#", ":", "[number]", "…", "é",
])  # fmt: skip


@given(st.one_of(st.text(max_size=200), st.lists(pieces, max_size=20).map("".join)), st.integers(8, 80))
def test_scrubbing_twice_changes_nothing(text: str, longest: int) -> None:
    """What is scrubbed stays as it is, else a status would be written again and again; and it is never too long."""
    once = scrub(text, longest=longest)

    assert once == scrub(once, longest=longest)
    assert len(once) <= longest


@given(st.integers(10**9, 10**15), st.text("abc .,;!?\n", max_size=20), st.text("abc .,;!?\n", max_size=20))
def test_no_long_number_survives(number: int, before: str, after: str) -> None:
    """Whatever stands around it, a number as long as a phone's is gone."""
    assert str(number) not in scrub(f"{before}{number}{after}") or before[-1:].isalpha()
