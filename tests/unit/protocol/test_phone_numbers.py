"""Telephone numbers, as they are read from the ids of users."""

import pytest
from session_protocol.phone_numbers import is_same_number, number_of_user, read_phone_number


@pytest.mark.parametrize("identifier", ["15550100000@c.us", "15550100000:12@c.us", "15550100000.0:3@s.whatsapp.net"])
def test_a_users_id_begins_with_the_number(identifier: str) -> None:
    """With or without the numbers of agent and device."""
    assert "+15550100000" == number_of_user(identifier)


@pytest.mark.parametrize(
    "identifier",
    [
        "00001055501@lid",
        "15550100000-1600000000@g.us",
        "1555010000012345@c.us",
        "05550100000@c.us",
        "12345@c.us",
        "١٥٥٥٠١٠٠٠٠٠@c.us",
        "15550100000@c.us\n",
        "undefined",
        "[object Object]",
        "",
    ],
)
def test_other_ids_have_none(identifier: str) -> None:
    """Linked ids and groups look alike and are no numbers."""
    assert number_of_user(identifier) is None


@pytest.mark.parametrize(
    "text",
    [
        "+15550100000",
        "15550100000",
        "0015550100000",
        " +1 (555) 010-0000\n",
        "+1.555.010.0000",
        "+1/555\u2013010\u00a00000",
        "\ufeff+15550100000\r\n",
        "\u202a+1\u202f555\u2011010\u200b0000\u202c",
        "+1 (0) 555 0100000",
        "+1(0)555-0100000",
        "+1 - ( 0 ) 555 0100000",
        "0015550100000+",
    ],
)
def test_a_person_writes_a_number_in_many_ways(text: str) -> None:
    """With the country's code, all of them are one."""
    assert "+15550100000" == read_phone_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "0171 1234567",
        "(0) 171 1234567",
        "+0171 1234567",
        "+1 555 01O 0000",
        "12345",
        "+1555010000012345",
        "1+5550100000",
        "++15550100000",
        "call me",
        "",
        "+",
    ],
)
def test_what_lacks_its_country_is_none(text: str) -> None:
    """It could be anybody's."""
    assert read_phone_number(text) is None


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("+15550100000", "+15550100000"),
        ("+5511987654321", "+551187654321"),
        ("+525512345678", "+5215512345678"),
        ("+541112345678", "+5491112345678"),
    ],
)
def test_one_phone_may_have_two_forms_of_its_number(written: str, known: str) -> None:
    """In Brazil, Mexico and Argentina WhatsApp's may be the other one than people write."""
    assert is_same_number(written, known)
    assert is_same_number(known, written)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+15550100000", "+15550100001"),
        ("+5511932345678", "+551132345678"),
        ("+5511987654321", "+552187654321"),
        ("+49151987654321", "+4915187654321"),
    ],
)
def test_other_phones_have_other_numbers(one: str, other: str) -> None:
    """A landline's of eight digits is no mobile's without its ninth."""
    assert not is_same_number(one, other)
