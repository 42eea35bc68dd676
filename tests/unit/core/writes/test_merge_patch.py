"""Merge patches: applied to the old object they give the new one."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.merge_patch import merged
from whatsapp_operator.core.writes.merge_patch import merge_patch

scalars = st.one_of(st.booleans(), st.integers(0, 2), st.lists(st.integers(0, 2), max_size=2))
keys = st.sampled_from("abc")
values = st.one_of(
    scalars, st.dictionaries(keys, st.one_of(scalars, st.dictionaries(keys, scalars, max_size=2)), max_size=3)
)
objects = st.dictionaries(keys, values, max_size=3)


@given(objects, objects)
def test_patched_old_is_new(old: dict[str, Any], new: dict[str, Any]) -> None:
    """The patch turns one into the other."""
    assert new == merged(old, merge_patch(old, new))


@given(objects)
def test_same_needs_no_patch(obj: dict[str, Any]) -> None:
    """Nothing is sent for nothing."""
    assert {} == merge_patch(obj, obj)


def test_removed_keys_are_null() -> None:
    """A key that goes is null at its own level; its neighbours are not sent."""
    assert {"a": {"b": None}, "d": 4} == merge_patch({"a": {"b": 1, "c": 2}}, {"a": {"c": 2}, "d": 4})


def test_lists_are_sent_whole() -> None:
    """A merge patch knows no parts of a list."""
    assert {"a": [1, 3]} == merge_patch({"a": [1, 2]}, {"a": [1, 3]})


def test_an_object_in_the_place_of_a_scalar_is_sent_whole() -> None:
    """Where the kinds differ there is nothing to merge."""
    assert {"a": {"b": 1}} == merge_patch({"a": "word"}, {"a": {"b": 1}})
    assert {"a": "word"} == merge_patch({"a": {"b": 1}}, {"a": "word"})
