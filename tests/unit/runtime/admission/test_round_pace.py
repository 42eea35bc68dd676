"""How soon admission rounds may follow each other."""

import pytest
from whatsapp_operator.runtime.admission.round_pace import EARLY, MAX_REST, MIN_INTERVAL, RoundPace


def rest(pace: RoundPace, *, began: float, took: float = 0.0) -> float:
    """Let a round begin and end; return the rest after it."""
    pace.begin(began)
    return pace.rest(began + took)


def test_a_newcomer_waits_for_nothing_after_a_short_round() -> None:
    """Neither the first one nor the next."""
    pace = RoundPace()

    assert [0.0, 0.0] == [rest(pace, began=began, took=0.03) for began in (100.0, 100.05)]


def test_what_frees_a_place_is_gathered_after_the_beginning_of_a_round() -> None:
    """For half a second; the first of all waits for nothing."""
    pace = RoundPace()
    first = pace.gathers(0.0)
    pace.begin(100.0)

    assert 0.0 == first
    assert [0.4, 0.0] == [pytest.approx(pace.gathers(now)) for now in (100.1, 100.6)]


def test_a_row_of_early_rounds_is_slowed_down_to_two_a_second() -> None:
    """After some at once; quiet seconds give them back."""
    pace = RoundPace()
    rests = [rest(pace, began=100.0) for _ in range(EARLY + 1)]

    assert [*[0.0] * EARLY, MIN_INTERVAL] == rests
    assert MIN_INTERVAL == rest(pace, began=100.5)
    assert 0.0 == rest(pace, began=110.0)


def test_rounds_take_a_quarter_of_the_time() -> None:
    """Beyond the first moments."""
    pace, now = RoundPace(), 100.0
    for _ in range(20):
        now += 0.5 + rest(pace, began=now, took=0.5)

    assert 20 * 0.5 / 0.25 == pytest.approx(now - 100.0, rel=0.05)


def test_the_rest_of_a_long_round_ends() -> None:
    """A free part of a quota is not left unused for longer."""
    assert MAX_REST == rest(RoundPace(), began=100.0, took=10.0)
