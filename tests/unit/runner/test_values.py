"""Values: what their text shows."""

from session_runner.messages.cloud_events import Account
from session_runner.messages.events import Ack, Person
from session_runner.outbox.events import Stored
from session_runner.sending.messaging import Accepted
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


def test_what_goes_out_shows_no_content() -> None:
    """Neither numbers, nor what a client wants back, nor a message's text: in whatever a log or an error repeats of it."""
    person = Person(user_id="ZZ.1")
    values = (
        Ack(id="M", status="sent", person=person, timestamp=1, callback_data="secret"),
        Account(phone_number_id="1", digits="secret"),
        Accepted(identifier="M", given="secret", digits="secret"),
        Stored(place=1, id="EV1", kind="message", body=b"secret"),
    )

    assert "secret" not in repr(values)
