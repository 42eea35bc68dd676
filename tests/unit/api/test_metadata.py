"""Metadata: what is read of it, and that odd parts never stand in the way."""

from typing import Any

import pytest
import strategies
from hypothesis import given
from whatsapp_operator.api.metadata import ObjectKey, ObjectMeta


def test_a_key_is_shown_as_people_write_it() -> None:
    """With the namespace, if there is one."""
    assert str(ObjectKey("shop", "sales")) == "shop/sales"
    assert str(ObjectKey("", "default")) == "default"


def test_what_is_absent_is_empty() -> None:
    """Code need not ask whether there are labels before it looks one up."""
    metadata = ObjectMeta.from_stored({"name": "sales"})

    assert ({}, {}, (), ()) == (
        metadata.labels,
        metadata.annotations,
        metadata.finalizers,
        metadata.owner_references,
    )
    assert metadata.deletion_timestamp is None
    assert metadata.key == ObjectKey("", "sales")


@pytest.mark.parametrize("stored", [None, [], "text", 5, {"labels": 5}, {"creationTimestamp": "long ago"}])
def test_odd_metadata_is_read_as_far_as_it_goes(stored: Any) -> None:
    """The API server never serves such; reading it is no reason to fail."""
    assert ObjectMeta() == ObjectMeta.from_stored(stored)


def test_two_objects_do_not_share_their_labels() -> None:
    """A default is made anew for each."""
    assert ObjectMeta().labels is not ObjectMeta().labels


@given(strategies.stored_metadata())
def test_any_metadata_is_read(stored: Any) -> None:
    """Whatever JSON stands there."""
    metadata = ObjectMeta.from_stored(stored)

    assert metadata == ObjectMeta.from_stored(metadata.to_dict())
