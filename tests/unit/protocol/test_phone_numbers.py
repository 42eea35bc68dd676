"""Telephone numbers, as they are read from the ids of users."""

import pytest
from session_protocol.phone_numbers import number_of_user, read_phone_number


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
    ],
)
def test_a_person_writes_a_number_in_many_ways(text: str) -> None:
    """With the country's code, all of them are one."""
    assert "+15550100000" == read_phone_number(text)


@pytest.mark.parametrize("text", ["0171 1234567", "+0171 1234567", "12345", "+1555010000012345", "call me", "", "+"])
def test_what_lacks_its_country_is_none(text: str) -> None:
    """It could be anybody's."""
    assert read_phone_number(text) is None
