"""The class of a recorded failure: a word of the table, whatever reason and exit code a status kept."""

import pytest
from whatsapp_operator.core.recovery.failure_class import FAILURE_CLASSES, failure_class


@pytest.mark.parametrize("name", FAILURE_CLASSES)
def test_a_cause_is_its_own_class(name: str) -> None:
    """Where the operator wrote the cause itself, whatever the exit code."""
    assert name == failure_class(name, 137)


@pytest.mark.parametrize(
    ("expected", "reason", "exit_code"),
    [
        ("EphemeralStorageLimit", "Evicted", None),
        ("ImageUnusable", "StartError", 128),
        ("ImageUnusable", "Error", 127),
        ("OutOfMemory", "Error", 33),
        ("Stopped", "Completed", 0),
        ("Signal", "Signal9", 137),
    ],
)
def test_another_reason_has_the_class_whose_sign_it_is(expected: str, reason: str, exit_code: int | None) -> None:
    """By the reason of a pod, by that of a container, or by the exit code."""
    assert expected == failure_class(reason, exit_code)


@pytest.mark.parametrize(("reason", "exit_code"), [("Bewitched", None), ("", None), ("15552223333", 99)])
def test_what_no_row_knows_is_unknown(reason: str, exit_code: int | None) -> None:
    """No foreign word becomes a label."""
    assert "Unknown" == failure_class(reason, exit_code)
