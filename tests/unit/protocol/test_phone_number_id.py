"""The number by which clients name a session."""

from hypothesis import given
from hypothesis import strategies as st
from session_protocol.phone_number_id import phone_number_id


def test_it_never_changes() -> None:
    """Clients have it in their configurations, so a later release must come to the same."""
    assert "265070092772032" == phone_number_id("shop", "sales")


@given(st.text(max_size=80), st.text(max_size=80))
def test_it_is_fifteen_digits(namespace: str, name: str) -> None:
    """None begins with 0, so that a client that reads it as a number keeps it."""
    found = phone_number_id(namespace, name)

    assert 15 == len(found)
    assert found.isdecimal()
    assert "0" != found[0]


def test_namespace_and_name_are_apart() -> None:
    """No tenant gets another's by the choice of a name: neither has a slash."""
    assert phone_number_id("a", "b-c") != phone_number_id("a-b", "c")
