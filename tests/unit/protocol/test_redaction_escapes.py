"""What escapes stand for: entities, bytes of UTF-8, backslashes, blocks of YAML; and the codes that prove a number."""

import pytest
from session_protocol.redaction import redact

ARABIC = "\u0664\u0669\u0661\u0667\u0661\u0661\u0662\u0663"


def _escaped(text: str, form: str) -> str:
    return "".join(form.format(byte) for byte in text.encode())


@pytest.mark.parametrize("form", ["%{:02X}", "%{:02x}", "%25{:02X}", r"\x{:02x}", r"\\x{:02X}", r"\{:03o}"])
def test_bytes_of_utf_8_are_read_as_their_characters(form: str) -> None:
    """Digits of another script, and a dash in the middle of a code."""
    assert "[number]" == redact(_escaped(ARABIC, form))
    assert "[code]" == redact(f"ABCD{_escaped(chr(0x2013), form)}1EFG")


@pytest.mark.parametrize(
    "text",
    [
        *("token&equals;hunter2", "password&colon; hunter2", "user&colon;hunter2&commat;host", r"token\=hunter2"),
        *("ABCD&hyphen;1EFG", "ABCD&ndash;1EFG", "ABCD&shy;1EFG", r"ABCD\-1EFG", "49&ensp;171&thinsp;1234567"),
        *("\u56db\u4e5d\u4e00\u4e03\u4e00\u4e00\u4e8c\u4e09", "\u3007\u4e00\u4e03\u4e00 \u4e00\u4e8c\u4e09\u56db"),
    ],
)
def test_entities_backslashes_and_chinese_digits(text: str) -> None:
    """Each stands for a plain character, by any name that HTML has for it."""
    left = redact(text)

    assert "[" in left
    assert not [part for part in ("hunter2", "1EFG", "1234567", "\u4e00") if part in left]


@pytest.mark.parametrize("text", ["a &foo; b", "R&D; x", r"C:\tmp\.git", "50%E2", "100% done", "\u4e00\u4e2a"])
def test_what_is_no_escape_stays(text: str) -> None:
    """An entity that nobody knows, half of a character, one Chinese word."""
    assert text == redact(text)


@pytest.mark.parametrize("begin", ["|", ">", "|-", ">+2", "!!str", "&anchor", "!!str |", "&a >-"])
@pytest.mark.parametrize("name", ["password", "token", "client_secret"])
def test_a_value_of_yaml_goes(name: str, begin: str) -> None:
    """A tag or an anchor is no value, and a block has its on the next line."""
    left = redact(f"kind: Secret\n{name}: {begin}\n  hunter2\nnext: line")

    assert left.startswith(f"kind: Secret {name}: ")
    assert "hunter2" not in left
    assert left.endswith("next: line")
    assert left == redact(left)


@pytest.mark.parametrize(
    "text",
    [
        *("Your WhatsApp code: 123-456", "verification code 123456", "one-time code: 12 34 56", "SMS code is 123 456"),
        *("WhatsApp-Code 123-456", "your security code is 123456.", "registrationCode=123456", "csrf=123456"),
    ],
)
def test_a_code_that_proves_a_number_goes(text: str) -> None:
    """Whoever has it takes the account over."""
    assert not [part for part in ("123", "456", "34") if part in redact(text)]


@pytest.mark.parametrize(
    "text", ["error code 131047", "exit code 137, 123456 bytes", "status code: 503", "login 123456"]
)
def test_other_codes_stay(text: str) -> None:
    """They say what went wrong."""
    assert text == redact(text)
