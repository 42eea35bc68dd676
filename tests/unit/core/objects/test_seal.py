"""Seals: only the operator can make one, and one is good for one object."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whatsapp_operator.core.model import KeyID, Seal, SealedKind, SessionUID
from whatsapp_operator.core.objects.seal import MAX_LENGTH, read_seal, seal_text

UID = "0b5f2c1e-6f2f-4d43-8a55-0d5e3c1c9a11"
KEYS = {KeyID("20261122t180305-9f3a61"): b"k" * 32, KeyID("other"): b"o" * 32}
SEAL = Seal(
    key_id=KeyID("20261122t180305-9f3a61"), session_uid=SessionUID(UID), quota="gold", memory=768 * 2**20, storage=2**30
)
PLACE: dict[str, Any] = {"kind": SealedKind.POD, "namespace": "shop", "name": "sales"}
TEXT = seal_text(KEYS[SEAL.key_id], SEAL, **PLACE)


def read(text: str, **place: Any) -> Seal | None:
    """Read a seal with the test's keys, as if it stood on the pod shop/sales or elsewhere."""
    return read_seal(text, key=KEYS.get, **(PLACE | place))


def test_a_seal_says_what_it_was_made_for() -> None:
    """Its own words are all that is read."""
    assert SEAL == read(TEXT)


def test_the_longest_names_fit() -> None:
    """An older quota's name, a key's that a person chose, an amount that no node has."""
    key_id = KeyID("k" * 253)
    longest = Seal(key_id=key_id, session_uid=SessionUID("u" * 64), quota="q" * 253, memory=10**39, storage=10**39)
    text = seal_text(b"k" * 32, longest, **PLACE)

    assert longest == read_seal(text, key={key_id: b"k" * 32}.get, **PLACE)


@pytest.mark.parametrize(
    "place",
    [{"kind": SealedKind.PVC}, {"namespace": "other"}, {"name": "sales2"}, {"namespace": "sho", "name": "psales"}],
    ids=",".join,
)
def test_a_copy_elsewhere_is_no_seal(place: dict[str, Any]) -> None:
    """Another kind, another namespace, another name, the same letters otherwise divided."""
    assert read(TEXT, **place) is None


@pytest.mark.parametrize(
    "change",
    [{"session_uid": "another"}, {"quota": "silver"}, {"memory": 1}, {"storage": 2**40}, {"key_id": "other"}],
    ids=",".join,
)
def test_changed_fields_break_the_seal(change: dict[str, Any]) -> None:
    """The signature of one seal under the words of another."""
    other = seal_text(KEYS[SEAL.key_id], replace(SEAL, **change), **PLACE)

    assert read(":".join([*other.split(":")[:-1], TEXT.split(":")[-1]])) is None


def test_a_key_that_is_not_there_seals_nothing() -> None:
    """Retired and deleted, or never the operator's; nor does a real key under a wrong id."""
    unknown = replace(SEAL, key_id=KeyID("gone"))

    assert read(seal_text(b"x" * 32, unknown, **PLACE)) is None
    assert read(seal_text(b"x" * 32, SEAL, **PLACE)) is None


@pytest.mark.parametrize(
    "amount", ["-1", "+1", "8Ei", "1e3", "NaN", "inf", "", " 1", "01", "0x1", "1.5", "٣", "9" * 41]
)
@pytest.mark.parametrize("place", [4, 5])
def test_an_amount_is_a_whole_number_of_bytes(amount: str, place: int) -> None:
    """Even with the true key: what is not written as the operator writes it was not written by it."""
    fields = TEXT.split(":")[:-1]
    fields[place] = amount

    assert read(":".join([*fields, "0" * 64])) is None


@pytest.mark.parametrize(
    "text",
    ["", ":", "1", TEXT + ":", TEXT + "\n", "2" + TEXT[1:], TEXT.upper(), TEXT[:-1], TEXT + " ", "ü" * 64, "1:" + TEXT],
)
def test_what_is_no_seal_is_none(text: str) -> None:
    """Odd ends, another version, other letters."""
    assert read(text) is None


def test_a_text_of_any_length_costs_no_more_than_a_seal() -> None:
    """It is not looked at: an annotation may have 256 KB."""
    asked: list[KeyID] = []

    def key(key_id: KeyID) -> bytes | None:
        asked.append(key_id)
        return None

    assert read_seal("1:" + "k" * MAX_LENGTH + TEXT[2:], key=key, **PLACE) is None
    assert [] == asked


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever stands in the annotation."""
    assert read(text) is None
