"""How far a message has come, by all that can be said of it in any order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_protocol.vocabulary import RunnerState, StateReason
from session_runner.messages.ids import RANDOM_BYTES, message_id
from session_runner.messages.progress import (
    LONGEST_SILENCE,
    LONGEST_WAIT,
    SHORTEST_WAIT,
    TRIES,
    Progress,
    can_send,
    gives_up,
    is_connected,
    progress_after,
    unanswered_since,
)

ACKS = st.integers(-3, 7)


@pytest.mark.parametrize(
    ("ack", "expected"), [(0, "handed_over"), (1, "sent"), (2, "delivered"), (3, "read"), (4, "played"), (-1, "failed")]
)
def test_each_ack_has_its_progress(ack: int, expected: str) -> None:
    """Of a message that the page has just got."""
    assert expected == progress_after(Progress.HANDED_OVER, ack)


@given(st.lists(ACKS))
def test_progress_never_goes_back(acks: list[int]) -> None:
    """And what was sent has not failed, nor is a failure ever undone."""
    now = Progress.HANDED_OVER
    for ack in acks:
        after = progress_after(now, ack)
        assert list(Progress).index(after) >= list(Progress).index(now)
        assert after is not Progress.FAILED or now in (Progress.HANDED_OVER, Progress.FAILED)
        now = after


def test_a_message_goes_where_the_page_is_connected() -> None:
    """Whatever a person has to do in it besides."""
    sending = {state for state in RunnerState if can_send(state, StateReason.AS_EXPECTED)}

    assert {"Connected", "Restricted", "ActionRequired", "ScreenLocked"} == sending


@pytest.mark.parametrize(
    ("tries", "age", "tried", "expected"),
    [
        (0, 0, 0, False),
        (TRIES, SHORTEST_WAIT - 1, SHORTEST_WAIT - 1, False),
        (TRIES, LONGEST_WAIT - 1, SHORTEST_WAIT - 1, False),
        (TRIES - 1, LONGEST_WAIT - 1, LONGEST_WAIT - 1, False),
        (TRIES, SHORTEST_WAIT, SHORTEST_WAIT, True),
        (0, LONGEST_WAIT, 0, True),
    ],
)
def test_one_bad_message_is_given_up(tries: int, age: float, tried: float, *, expected: bool) -> None:
    """After some tries and some time, or after a day; not in the moments in which a page comes and goes."""
    assert expected is gives_up(tries=tries, age=age, tried=tried)


def test_it_also_goes_where_messages_were_unanswered() -> None:
    """Else nobody would learn that they are answered again."""
    assert not can_send(RunnerState.DEGRADED, StateReason.AS_EXPECTED)
    assert can_send(RunnerState.DEGRADED, StateReason.MESSAGES_UNANSWERED)


@pytest.mark.parametrize("state", RunnerState)
def test_nothing_goes_before_the_owner_has_accepted_new_terms(state: RunnerState) -> None:
    """What comes in is read all the same."""
    terms = StateReason.TERMS_NOT_ACCEPTED

    assert not can_send(state, terms)
    assert is_connected(state, StateReason.AS_EXPECTED) is is_connected(state, terms)


@pytest.mark.parametrize(
    ("oldest", "connected", "now", "expected"),
    [
        (None, 0.0, 1e6, None),
        (100.0, None, 1e6, None),
        (100.0, 0.0, 100.0 + LONGEST_SILENCE - 1, None),
        (100.0, 0.0, 100.0 + LONGEST_SILENCE, 100.0),
        (100.0, 500.0, 500.0 + LONGEST_SILENCE - 1, None),
        (100.0, 500.0, 500.0 + LONGEST_SILENCE, 100.0),
    ],
)
def test_silence_counts_while_it_is_connected(
    oldest: float | None, connected: float | None, now: float, expected: float | None
) -> None:
    """A message that was given to a page without a connection is answered when there is one."""
    assert expected == unanswered_since(oldest, connected=connected, now=now)


def test_an_id_is_as_the_page_makes_them() -> None:
    """Their beginning and 18 hexadecimal digits."""
    assert "3EB00123456789ABCDEF01" == message_id(bytes.fromhex("0123456789abcdef01"))
    assert 9 == RANDOM_BYTES
