"""Shared hypothesis strategies of redaction: secrets as people and programs write them, and what stands around them."""

import base64
from urllib.parse import quote

import strategies  # noqa: F401 -- the profile without deadlines
from hypothesis import strategies as st


def phone_numbers() -> st.SearchStrategy[str]:
    """Numbers of people in the usual spellings: groups, signs, blanks and digits of other scripts."""
    groups = st.lists(st.from_regex("[0-9]{2,4}", fullmatch=True), min_size=5, max_size=6)
    between = st.sampled_from([" ", "-", "/", "", "\u00a0", "\u202f", "\u2011", " - ", "\u200b", "\n"])
    plain = st.builds(
        lambda parts, sign, prefix: prefix + sign.join(parts), groups, between, st.sampled_from(["", "+", "00"])
    )
    return st.one_of(
        plain,
        plain.map(lambda number: number.translate({ord("0") + digit: 0x660 + digit for digit in range(10)})),
        plain.map(
            lambda number: number.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)} | {43: 0xFF0B})
        ),
        plain.map(lambda number: quote(number, safe="")),
    )


def keys() -> st.SearchStrategy[str]:
    """Random keys of 16 to 48 bytes: hex with and without 0x, base64 with padding or safe for URLs.

    One key in a thousand has no digit in base64 and may look like a long name; those are left out.
    """
    content = st.randoms(use_true_random=False).flatmap(lambda rng: st.sampled_from([16, 32, 48]).map(rng.randbytes))
    return st.one_of(
        content.map(bytes.hex),
        content.map(lambda key: "0x" + key.hex().upper()),
        content.filter(lambda key: len(key) > 16).map(lambda key: base64.b64encode(key).decode()),
        content.filter(lambda key: len(key) > 16).map(lambda key: base64.urlsafe_b64encode(key).decode().rstrip("=")),
    ).filter(lambda key: any(letter.isdigit() for letter in key))


def pairing_codes() -> st.SearchStrategy[str]:
    """Codes as WhatsApp makes them, with a digit at least."""
    return st.from_regex("[1-9A-HJ-NP-TV-Z]{4}-[1-9A-HJ-NP-TV-Z]{4}", fullmatch=True).filter(
        lambda code: any(letter.isdigit() for letter in code)
    )


def secrets() -> st.SearchStrategy[str]:
    """Whatever must never be read in a log."""
    return st.one_of(phone_numbers(), keys(), pairing_codes(), phone_numbers().map(lambda number: f"{number}@c.us"))


def surroundings() -> st.SearchStrategy[str]:
    """What stands around a secret in a log."""
    return st.sampled_from(
        ["", " ", ": ", " (", ") ", '"', "'", "=", ", ", "\n", " is gone ", " from ", "[", "] ", "?x="]
    )


def redaction_pieces() -> st.SearchStrategy[str]:
    """Pieces of what redaction knows: put together they are what nobody has thought of."""
    return st.sampled_from([
        *("+49 170 1234567", "4917012345678", "2026-11-22T17:42:00Z", "2026-11-22", "17:42:00", "10.1.2.3", "ip-10-0-0-1"),
        *("2@AbCdEf0123456789+/AbCd,Kj8s0Zk1LmNoPqRsTuVwXyZ0123456789=,AbCd=,1", "9f86d081884c7d65" * 4, "eyJ", "0x", "f0f0"),
        *("@c.us", "Bearer ", "Basic ", "token=", "password: ", "Authorization: ", "cookie: ", "user:pw@", "http://"),
        *("code ", "ABCD", "1EFG", "abcd", "1efg", "A", "x", "1", "12", "345", "6789", "abc", "é", "３", "Mi", "ms"),
        *(" ", "\n", "-", "(", ")", "#", ":", "@", "/", "?", "&", "=", "==", ",", ";", '"', "'", "\\", ".", "_", "…"),
        *("\\n", "%20", "%2B", "&#49;", "-----BEGIN ", "-----END ", "wa.me/", "linked_devices", "sha256:"),
        *("[number]", "[secret]", "\x1b[0m", "\u200b"),
    ])  # fmt: skip
