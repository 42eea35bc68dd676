"""What is read from a session's JSON."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.runtime.metrics.sessions import THEN, THEN_SECONDS, condition, connected, session
from whatsapp_operator.runtime.metrics.session_facts import session_facts

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
FIELDS = st.sampled_from(
    ["state", "stateTransitionTime", "observedGeneration", "conditions", "recovery", "lastFailure", "time", "restarts"]
)


def test_a_session_that_is_well() -> None:
    """All of it, as its status says."""
    facts = session_facts(session(status=connected()))

    assert ("shop", "sales", "default", "Running") == (facts.namespace, facts.name, facts.quota, facts.operating_mode)
    assert ("Connected", THEN_SECONDS) == (facts.state, facts.state_since)
    assert (1, THEN_SECONDS, 1, 0) == (facts.ready, facts.ready_since, facts.linked, facts.stalled)
    assert (None, None, None, None) == (facts.stalled_reason, facts.stalled_since, facts.failure, facts.failure_time)
    assert (3, 3, 0, 0) == (facts.generation, facts.observed_generation, facts.restarts, facts.consecutive_failures)


def test_of_a_session_without_status_little_is_known() -> None:
    """Nothing is 0 that nobody has seen."""
    facts = session_facts(session())

    assert ("Unknown", 3, THEN_SECONDS) == (facts.state, facts.generation, facts.created)
    assert {None} == {
        getattr(facts, name)
        for name in facts.__slots__
        if name not in ("namespace", "name", "uid", "created", "generation", "quota", "operating_mode", "state")
    }


@pytest.mark.parametrize(
    ("ready", "linked", "expected"),
    [
        ("True", "True", (1, 1)),
        ("False", "False", (0, 0)),
        ("Unknown", "Unknown", (0, None)),
        ("Perhaps", "", (0, None)),
    ],
)
def test_conditions_are_numbers(ready: str, linked: str, expected: tuple[Any, Any]) -> None:
    """A runner that is not heard is not ready; whether a phone is linked then nobody knows."""
    conditions = [condition("Ready", ready), condition("Linked", linked)]
    facts = session_facts(session(status={"conditions": conditions}))

    assert expected == (facts.ready, facts.linked)


def test_a_stalled_session_says_why_and_since_when() -> None:
    """Also after its pod is gone, when its state is Stalled alone."""
    status = connected(state="Stalled", conditions=[condition("Stalled", "True", "Conflict")], replicas=0)
    facts = session_facts(session(status=status))

    assert (1, "Conflict", THEN_SECONDS) == (facts.stalled, facts.stalled_reason, facts.stalled_since)


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        ({"reason": "OOMKilled", "exitCode": 137}, "OOMKilled"),
        ({"reason": "PageCrashed", "exitCode": 30}, "PageCrashed"),
        ({"reason": "Signal9", "exitCode": 137}, "Signal"),
        ({"reason": "ExitCode126", "exitCode": 126}, "ImageUnusable"),
        ({"reason": "StartError"}, "ImageUnusable"),
        ({"reason": "Unresponsive"}, "Unresponsive"),
        ({"reason": "Evicted"}, "EphemeralStorageLimit"),
        ({"reason": "LivenessProbeFailed", "exitCode": 137}, "LivenessProbeFailed"),
        ({"reason": "SomethingNew", "exitCode": 77}, "Unknown"),
        ({"exitCode": "x"}, "Unknown"),
    ],
)
def test_a_failure_has_a_class(failure: dict[str, Any], expected: str) -> None:
    """The cause in the table, whatever the word in the status."""
    facts = session_facts(session(status={"recovery": {"lastFailure": failure | {"time": THEN}}}))

    assert (expected, THEN_SECONDS) == (facts.failure, facts.failure_time)


@given(status=st.dictionaries(FIELDS, JSON | st.dictionaries(FIELDS, JSON, max_size=4), max_size=6))
def test_nothing_in_a_status_makes_it_fail(status: dict[str, Any]) -> None:
    """One odd session must not cost the metrics of all others."""
    assert "sales" == session_facts(session(status=status)).name
