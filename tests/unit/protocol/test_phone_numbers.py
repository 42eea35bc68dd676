"""Telephone numbers, as they are read from the ids of users."""

import pytest
from session_protocol.phone_numbers import number_of_user


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
