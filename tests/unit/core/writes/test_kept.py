"""What the API server did not keep of a status: found, laid over, named, and left out where it is called invalid."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whatsapp_operator.core.writes.kept import field_names, missing, overlaid, without

READY = {"type": "Ready", "status": "True", "observedGeneration": 3}
STALLED = {"type": "Stalled", "status": "False", "observedGeneration": 3}
WRITTEN = {
    "state": "Connected",
    "recovery": {"restarts": 1, "lastFailure": {"reason": "X", "podUID": "p"}},
    "conditions": [READY, STALLED],
}


def changed(**fields: Any) -> dict[str, Any]:
    """Return the status as it came back, with these fields as they are given; None: dropped."""
    return {name: value for name, value in {**WRITTEN, **fields}.items() if value is not None}


CASES = [
    (changed(), ()),
    (changed(extra=1), ()),
    (changed(state=None), ("status.state",)),
    (changed(state="Other"), ("status.state",)),
    (changed(recovery={"restarts": 1}), ("status.recovery.lastFailure",)),
    (
        changed(recovery={"lastFailure": {"reason": "X"}}),
        ("status.recovery.lastFailure.podUID", "status.recovery.restarts"),
    ),
    (changed(recovery=7), ("status.recovery",)),
    (changed(conditions=None), ("status.conditions",)),
    (changed(conditions=[STALLED]), ("status.conditions",)),
    (
        changed(conditions=[{"type": "Ready", "status": "True"}, {"type": "Stalled", "status": "False"}]),
        ("status.conditions[].observedGeneration",),
    ),
    ({}, ("status.conditions", "status.recovery", "status.state")),
]


@pytest.mark.parametrize(("stored", "names"), CASES)
def test_what_is_missing_is_named_and_laid_over(stored: dict[str, Any], names: tuple[str, ...]) -> None:
    """With it the stored status reads as it was written; what else is stored stays."""
    gaps = missing(WRITTEN, stored)
    whole = overlaid(stored, gaps)

    assert names == field_names(gaps)
    assert WRITTEN == {name: whole[name] for name in WRITTEN}
    assert stored.get("extra") == whole.get("extra")


JSON = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.text("abc", min_size=1, max_size=2), inner),
    max_leaves=8,
)
STATUSES = st.dictionaries(st.text("abc", min_size=1, max_size=2), JSON, max_size=4)


@given(STATUSES, STATUSES)
def test_laid_over_nothing_of_it_is_missing(written: dict[str, Any], stored: dict[str, Any]) -> None:
    """Whatever came back."""
    assert {} == missing(written, overlaid(stored, missing(written, stored)))


@pytest.mark.parametrize(
    ("fields", "stored", "rest"),
    [
        (("status.state",), {}, {"recovery": {"restarts": 1}, "conditions": [READY, STALLED]}),
        (
            ("status.state",),
            {"state": "Old"},
            {"state": None, "recovery": {"restarts": 1}, "conditions": [READY, STALLED]},
        ),
        (("status.recovery.restarts",), {}, {"state": "S", "recovery": {}, "conditions": [READY, STALLED]}),
        (("status.conditions[0].reason",), {}, {"state": "S", "recovery": {"restarts": 1}, "conditions": [STALLED]}),
        (
            ("status.conditions[0]", "status.conditions[1]"),
            {},
            {"state": "S", "recovery": {"restarts": 1}, "conditions": []},
        ),
        (("status.conditions",), {}, {"state": "S", "recovery": {"restarts": 1}}),
    ],
)
def test_an_invalid_field_is_left_out(fields: tuple[str, ...], stored: dict[str, Any], rest: dict[str, Any]) -> None:
    """An outdated value of it is deleted; of a list the item goes."""
    patch = {"state": "S", "recovery": {"restarts": 1}, "conditions": [READY, STALLED]}

    assert rest == without(patch, fields, stored=stored)


@pytest.mark.parametrize(
    "field", ["spec.state", "status.other", "", "[0]", "status[3]", "metadata.name", "status.state.deeper[9]"]
)
def test_fields_that_are_elsewhere_change_nothing_else(field: str) -> None:
    """A webhook may name anything."""
    patch = {"recovery": {"restarts": 1}}

    assert patch == without(patch, (field,), stored={})


def test_a_deletion_that_is_called_invalid_is_left_out() -> None:
    """The schema wants the field: then the old value stays."""
    assert {} == without({"state": None}, ("status.state",), stored={"state": "Old"})
