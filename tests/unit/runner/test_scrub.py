"""What is taken out of a text before it leaves the process, and what is left in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_runner.scrub import scrub
from unit.runner.pages import quick

KEY = "aB3" * 14 + "="
QR = f"2@{KEY},{KEY},{KEY},{KEY},1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("call +49 151 2345678 now", "call <number> now"),
        ("number 15552223333", "number <number>"),
        ("at (555) 222-3333.", "at <number>."),
        ("from 15552223333@c.us", "from <id>"),
        ("device 15552223333:12@s.whatsapp.net", "device <id>"),
        ("lid 123456789012345@lid left", "lid <id> left"),
        ("false_15552223333@c.us_3EB0AB is unknown", "false_<id> is unknown"),
        ("chat_15552223333_left", "chat_<number>_left"),
        (f"code {QR}", "code <code>"),
        (f"https://wa.me/settings/linked_devices#{QR}", "<code>"),
        (f"{QR},https://faq.whatsapp.com/r/ld", "<code>"),
        ("Authorization: Bearer abc.def", "Authorization: <token>"),
        (f"key {KEY} here", "key <key> here"),
    ],
)
def test_secrets_and_people_are_taken_out(text: str, expected: str) -> None:
    """Numbers, ids, codes, tokens and keys leave a word in their place."""
    assert expected == scrub(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T17:35:00.123Z and 2026-11-22",
        "2026-11-22 17:35:00,123 +0000",
        "pod 0a1b2c3d-1111-2222-3333-444455556666",
        "Chromium 156.0.8078.79",
        "listening on 10.244.0.17:8080",
        "exit code 137 after 45.5 s, 805306 bytes",
        "net::ERR_CERT_AUTHORITY_INVALID at https://web.standin.localhost:41234/",
        "/work/session_runner/page/browser.py, line 120, in probe",
        "PROFILE_DIR=/profile is held by another runner; end that one first, or give each session its own claim.",
        "WAWebUserPrefsMultiDeviceIsRegisteredLongModuleNameWithoutDigits",
    ],
)
def test_what_one_searches_for_survives(text: str) -> None:
    """Times, UUIDs, versions, addresses, codes and paths stay as they are."""
    assert text == scrub(text)


@quick
@given(text=st.text(max_size=60), digits=st.integers(10**9, 10**14))
def test_scrubbing_twice_changes_nothing(text: str, digits: int) -> None:
    """A scrubbed text is clean: scrubbing again leaves it as it is."""
    once = scrub(f"{text} {digits} {text}")

    assert once == scrub(once)


@quick
@given(
    digits=st.integers(10**9, 10**14),
    before=st.sampled_from(["", "+", "number "]),
    after=st.sampled_from(["", ".", ")"]),
)
def test_no_bare_phone_number_survives(digits: int, before: str, after: str) -> None:
    """Ten to fifteen digits in a row never come through."""
    assert str(digits) not in scrub(f"{before}{digits}{after}")
