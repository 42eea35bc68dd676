"""Values: what their text shows."""

from session_runner.values import Private


class Parcel(Private, frozen=True, kw_only=True):
    """A value with one field of each kind."""

    hidden = ("address",)

    number: int
    address: str


def test_a_hidden_field_is_in_no_text() -> None:
    """Nor in that of what holds the value; the others are."""
    shown = repr([Parcel(number=7, address="12 Elm Street")])

    assert "[Parcel(number=7)]" == shown


def test_all_fields_count_when_values_are_compared() -> None:
    """Also the hidden ones."""
    assert Parcel(number=7, address="a") == Parcel(number=7, address="a")
    assert Parcel(number=7, address="a") != Parcel(number=7, address="b")
