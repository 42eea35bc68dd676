"""Conditions: transitions have the right time, and the list keeps its order."""

from datetime import UTC, datetime, timedelta

import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from whatsapp_operator.api.conditions import (
    Condition,
    ConditionStatus,
    ConditionType,
    Reason,
    find_condition,
    is_true,
    remove_condition,
    set_condition,
)

THEN = datetime(2026, 1, 1, tzinfo=UTC)
NOW = THEN + timedelta(hours=1)


def condition(kind: str = "Ready", status: str = "False", reason: str = "Starting", message: str = "") -> Condition:
    """A condition without a time, as a decision makes it."""
    return Condition(type=kind, status=ConditionStatus(status), reason=reason, message=message, observed_generation=1)


def test_a_new_condition_begins_now() -> None:
    """The first time a condition is said is its first transition."""
    [made] = set_condition((), condition(), NOW)

    assert made.last_transition_time == NOW


def test_the_time_stays_while_the_status_does() -> None:
    """Another reason or message is no transition."""
    before = set_condition((), condition(reason="Starting"), THEN)

    [after] = set_condition(before, condition(reason="Loading", message="almost"), NOW)

    assert after.last_transition_time == THEN
    assert (after.reason, after.message) == ("Loading", "almost")


def test_the_time_moves_with_the_status() -> None:
    """True after False is a transition."""
    before = set_condition((), condition(status="False"), THEN)

    [after] = set_condition(before, condition(status="True"), NOW)

    assert after.last_transition_time == NOW


def test_the_time_given_with_a_condition_does_not_count() -> None:
    """Only the list and the clock decide, so that a condition copied from elsewhere cannot bring its time along."""
    brought = condition().model_copy(update={"last_transition_time": THEN})

    [made] = set_condition((), brought, NOW)

    assert made.last_transition_time == NOW


def test_an_unchanged_condition_leaves_the_list_as_it_was() -> None:
    """Deciding the same again must not look like a change."""
    before = set_condition((), condition(), THEN)

    assert before == set_condition(before, condition(), NOW)


def test_a_fraction_of_a_second_is_not_kept() -> None:
    """Status keeps whole seconds; a finer time in memory would differ from what is read back."""
    [made] = set_condition((), condition(), NOW + timedelta(microseconds=5))

    assert made.last_transition_time == NOW


def test_the_order_is_the_vocabularys_then_unknown_types() -> None:
    """Ready stands first for people; what another version wrote stays behind, in its order."""
    conditions: tuple[Condition, ...] = (condition("Zeta"), condition("Alpha"))
    for kind in ("Conflict", "Linked", "Ready"):
        conditions = set_condition(conditions, condition(kind), NOW)

    assert [each.type for each in conditions] == ["Ready", "Linked", "Conflict", "Zeta", "Alpha"]


def test_a_condition_can_be_found_asked_and_removed() -> None:
    """The three questions that decisions ask of a list."""
    conditions = set_condition((), condition("Ready", "True"), NOW)

    assert find_condition(conditions, ConditionType.READY) is conditions[0]
    assert find_condition(conditions, ConditionType.STALLED) is None
    assert is_true(conditions, ConditionType.READY)
    assert not is_true(conditions, ConditionType.STALLED)
    assert remove_condition(conditions, ConditionType.READY) == ()


def test_an_unknown_status_is_not_true() -> None:
    """Silence of the runner is neither yes nor no."""
    assert not is_true((condition("Ready", "Unknown"),), ConditionType.READY)


@pytest.mark.parametrize("reason", ["", "two words", "Bad.", "1st", "été"])
def test_a_reason_is_camel_case(reason: str) -> None:
    """The API server would refuse the whole status for it; here it shows where it is made."""
    with pytest.raises(ValidationError):
        condition(reason=reason)


def test_every_reason_of_the_vocabulary_is_accepted() -> None:
    """No word of ours fails the pattern."""
    assert [str(reason) for reason in Reason] == [condition(reason=reason).reason for reason in Reason]


@given(
    st.lists(strategies.conditions(), unique_by=lambda each: each.type), strategies.conditions(), strategies.moments()
)
def test_setting_twice_is_setting_once(before: list[Condition], new: Condition, now: datetime) -> None:
    """Nothing changes the second time, whatever stood in the list and however late it is."""
    once = set_condition(before, new, now)

    assert once == set_condition(once, new, now + timedelta(hours=1))


@given(
    st.lists(strategies.conditions(), unique_by=lambda each: each.type), strategies.conditions(), strategies.moments()
)
def test_the_other_conditions_are_left_alone(before: list[Condition], new: Condition, now: datetime) -> None:
    """One condition per type, and every other one is the same object as before."""
    after = set_condition(before, new, now)

    assert {each.type for each in before} | {new.type} == {each.type for each in after}
    assert [each for each in after if each.type != new.type] == list(remove_condition(before, new.type))
