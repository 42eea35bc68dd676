"""The rule: how many failures are a mass failure, of a namespace and of the cluster."""

from datetime import timedelta

import pytest
from support.facts import T0
from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.core.recovery.mass_failure import FailureRecord, Tally, is_cluster_failure, is_mass_failure


@pytest.mark.parametrize(
    ("sessions", "failures", "paused"),
    [
        (9, 3, False),
        (8, 3, True),
        (3, 3, True),
        (3, 2, False),
        (100, 33, False),
        (100, 34, True),
        (4, 0, False),
        (0, 0, False),
    ],
)
def test_more_than_a_third_and_at_least_three(sessions: int, failures: int, *, paused: bool) -> None:
    """Exactly a third is not enough, and two of three is bad luck."""
    assert paused == is_mass_failure(Tally(failures, sessions), usual=0)


@pytest.mark.parametrize(("usual", "paused"), [(0.0, True), (1.9, True), (2.0, False), (8.0, False)])
def test_what_is_usual_is_no_mass_failure(usual: float, *, paused: bool) -> None:
    """Ten failures a minute, where two are usual, are five times as many and not more."""
    assert paused == is_mass_failure(Tally(10, 12), usual=usual)


def even(namespaces: int, *, failed: int, of: int) -> dict[str, Tally]:
    """Return so many namespaces that all look the same."""
    return {f"n{number}": Tally(failed, of) for number in range(namespaces)}


CLUSTERS = {
    # 10 sessions
    "10: all fail in 2 namespaces": (even(2, failed=5, of=5), 0.0, True),
    "10: 7 and 3 of 2 namespaces": ({"a": Tally(7, 7), "b": Tally(3, 3)}, 0.0, True),
    "10: 9, and a neighbour's only one": ({"a": Tally(9, 9), "b": Tally(1, 1)}, 0.0, False),
    "10: one in each of 10 namespaces": (even(10, failed=1, of=1), 0.0, True),
    "10: one namespace of two": ({"a": Tally(5, 5), "b": Tally(0, 5)}, 0.0, False),
    "10: the only namespace": ({"a": Tally(10, 10)}, 0.0, False),
    "10: 3 of 5 in each": (even(2, failed=3, of=5), 0.0, True),
    "10: 2 of 5 in each": (even(2, failed=2, of=5), 0.0, False),
    "10: two sessions": ({"a": Tally(1, 1), "b": Tally(1, 1), "c": Tally(0, 8)}, 0.0, False),
    "10: as every minute": (even(2, failed=4, of=5), 1.6, False),
    # 300 sessions
    "300: 3 a minute in 3 namespaces": (
        even(27, failed=0, of=10) | {f"m{number}": Tally(1, 10) for number in range(3)},
        3.0,
        False,
    ),
    "300: all fail in 30 namespaces": (even(30, failed=10, of=10), 3.0, True),
    "300: a third of each": (even(30, failed=3, of=9), 3.0, False),
    "300: more than a third of each": (even(30, failed=4, of=10), 3.0, True),
    "300: one namespace of 200 and a neighbour": (
        {"big": Tally(200, 200), "one": Tally(1, 1)} | {f"n{n}": Tally(0, 9) for n in range(11)},
        3.0,
        False,
    ),
    "300: many small ones beside few large": (
        {f"t{n}": Tally(1, 1) for n in range(60)} | {f"n{n}": Tally(0, 60) for n in range(4)},
        3.0,
        False,
    ),
    "300: 2 large ones among 52": (
        {"a": Tally(60, 60), "b": Tally(90, 90)} | {f"n{n}": Tally(0, 3) for n in range(50)},
        3.0,
        False,
    ),
    "300: a node with 60 sessions of 30 namespaces": (even(30, failed=2, of=10), 3.0, False),
    # 10,000 sessions
    "10000: 3 a minute": ({f"n{n}": Tally(n < 3, 50) for n in range(200)}, 3.0, False),
    "10000: 3 a minute, nothing known of before": ({f"n{n}": Tally(n < 3, 50) for n in range(200)}, 0.0, False),
    "10000: 100 a minute": (even(100, failed=1, of=100), 100.0, False),
    "10000: half of each": (even(100, failed=50, of=100), 3.0, True),
    "10000: half of each, and that is usual": (even(100, failed=50, of=100), 1000.0, False),
    "10000: one tenant's 60 namespaces of 200": (
        {f"n{n}": Tally(50 * (n < 60), 50) for n in range(200)},
        3.0,
        False,
    ),
    "10000: 3,000 in one namespace, 400 in another": (
        {"a": Tally(3000, 3000), "b": Tally(400, 400)} | {f"n{n}": Tally(0, 660) for n in range(10)},
        3.0,
        False,
    ),
}


@pytest.mark.parametrize(("tallies", "usual", "paused"), CLUSTERS.values(), ids=CLUSTERS.keys())
def test_the_cluster_pauses_when_several_namespaces_fail_together(
    tallies: dict[str, Tally], usual: float, *, paused: bool
) -> None:
    """More than a third of the sessions, also without the worst namespace, and of the namespaces, at least two."""
    assert paused == is_cluster_failure(tallies, usual=usual)


def test_usual_is_the_hour_before() -> None:
    """Two a minute for an hour; older ones and the present minute do not count."""
    record = FailureRecord()
    for second in range(0, 2 * 3600, 30):
        record.add(SessionUID(f"s{second}"), T0 + timedelta(seconds=second))

    assert 2.0 == record.usual(T0 + timedelta(hours=2))
    assert 0.0 == record.usual(T0)


def test_a_mass_failure_is_not_usual() -> None:
    """Else the one that comes back every few minutes would count as usual in the end."""
    record = FailureRecord()
    for number in range(100):
        record.add(SessionUID(f"s{number}"), T0)
    record.drop(record.fullest(T0))

    assert 0.0 == record.usual(T0 + timedelta(minutes=10))
    assert 0 == len(record.fullest(T0))


def test_a_session_that_is_gone_counts_no_more() -> None:
    """Deleted and made anew within the minute, it would count twice."""
    record = FailureRecord()
    for number in range(3):
        record.add(SessionUID(f"s{number}"), T0)
    record.forget(SessionUID("s1"))
    record.forget(SessionUID("never seen"))

    assert ["s0", "s2"] == list(record.fullest(T0).sessions)
