"""Devices, loads, hellos and times: the small records and what they turn into."""

import json

import pytest
from standin.devices import DeviceBook
from standin.errors import MalformedRequestError, UnknownDeviceError
from standin.frames import DeviceId, Hello
from standin.loads import LoadLedger
from standin.settings import Timing
from unit.standin.exchange_harness import Clock, counted, hello


def book_with(count: int) -> DeviceBook:
    """Make a book of confirmed devices."""
    book = DeviceBook()
    for number in range(count):
        device = book.add(noise_key=f"noise-{number}", identity_key=f"identity-{number}", platform="1", now=5.0)
        device.confirmed = True
    return book


def test_numbers_stay_in_the_range_for_fiction() -> None:
    """Also after more devices than the range has numbers; no real number can come out."""
    numbers = {device.number for device in book_with(1100)}

    assert all(number.startswith("15550100") and len(number) == 11 for number in numbers)
    assert 1000 == len(numbers)


def test_a_book_survives_its_file() -> None:
    """Names, keys and the count come back; a device whose page never confirmed does not."""
    book = book_with(2)
    book.add(noise_key="n", identity_key="i", platform="1", now=6.0)
    again = DeviceBook.from_json(json.loads(json.dumps(book.to_json())))

    assert [device.identifier for device in book] == [device.identifier for device in again]
    assert again.get(DeviceId("device-2")).accepts(
        Hello.parse({"load": "l", "profile": "p", "noiseKey": "noise-1", "identityKey": "identity-1"})
    )
    assert "device-4" == again.add(noise_key="n", identity_key="i", platform="1", now=7.0).identifier


def test_an_unconfirmed_device_is_nobody() -> None:
    """It is neither listed nor found, and accepts no login."""
    book = DeviceBook()
    device = book.add(noise_key="noise-a", identity_key="identity-a", platform="1", now=1.0)

    assert not device.accepts(hello(device=device.identifier))
    with pytest.raises(UnknownDeviceError, match="Linked: none"):
        book.get(device.identifier)


def test_loads_are_counted_by_device_and_profile() -> None:
    """A load is anonymous until its page says hello; the device of its first login stays."""
    clock = Clock()
    ledger = LoadLedger(now=clock, new_token=counted())
    first = ledger.record(variant="normal")
    clock.seconds += 10
    second = ledger.record(variant="splash")
    ledger.attribute(first, profile="p", device=None)
    ledger.attribute(first, profile="p", device=DeviceId("device-1"))
    ledger.attribute(first, profile="p", device=None)

    assert {
        "total": 2,
        "byDevice": {"device-1": 1},
        "byProfile": {"p": 1},
        "loads": [
            {"id": first, "time": 1_000_000.0, "variant": "normal", "profile": "p", "device": "device-1"},
            {"id": second, "time": 1_000_010.0, "variant": "splash", "profile": None, "device": None},
        ],
    } == ledger.to_json()


def test_a_hello_of_an_unknown_load_is_no_accident() -> None:
    """A page from before a restart of the server may still be there."""
    ledger = LoadLedger(now=Clock(), new_token=counted())
    ledger.attribute(hello().load, profile="p", device=None)

    assert 0 == ledger.to_json()["total"]


def test_a_hello_names_what_it_lacks() -> None:
    """All missing fields at once."""
    with pytest.raises(MalformedRequestError, match="profile, identityKey"):
        Hello.parse({"type": "hello", "load": "l", "noiseKey": "n", "identityKey": 5})


@pytest.mark.parametrize(("device", "expected"), [(None, None), ("", None), ("device-1", "device-1"), (3, None)])
def test_a_hello_without_a_device_asks_for_codes(device: object, expected: str | None) -> None:
    """Whatever is no name is no device."""
    greeting = Hello.parse({"load": "l", "profile": "p", "noiseKey": "n", "identityKey": "i", "device": device})

    assert expected == greeting.device


def test_the_page_gets_its_times_in_milliseconds() -> None:
    """Only the ones it keeps itself."""
    expected = {"backoff_base": 500, "backoff_limit": 900_000, "mutex_answer": 1000, "silence": 20_000}

    assert expected == Timing(backoff_base=0.5).for_page()
