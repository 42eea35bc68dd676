"""When a failed volume is tried again."""

from hypothesis import given
from hypothesis import strategies as st
from local_cluster.provisioner.names import VolumeName
from local_cluster.provisioner.retries import LONGEST_DELAY, Retries

ONE, TWO = VolumeName("pvc-1"), VolumeName("pvc-2")


def test_the_pause_doubles() -> None:
    """A disk that is full for long is not asked each second."""
    retries = Retries()

    assert [1, 2, 4, 8, 16, 32, 60, 60] == [retries.failed(ONE, now=0) for _ in range(8)]


@given(st.integers(min_value=1, max_value=2000))
def test_the_pause_has_an_end(failures: int) -> None:
    """However long a night of failures was."""
    retries = Retries()

    assert all(retries.failed(ONE, now=0) <= LONGEST_DELAY for _ in range(failures))


def test_a_volume_rests_until_its_pause_is_over() -> None:
    """And others do not rest with it."""
    retries = Retries()
    retries.failed(ONE, now=10)

    assert retries.resting(now=10.5) == {ONE}
    assert retries.resting(now=11) == frozenset()


def test_a_success_forgets_the_failures() -> None:
    """The next failure begins with the short pause."""
    retries = Retries()
    retries.failed(ONE, now=0)
    retries.failed(ONE, now=0)

    retries.succeeded(ONE)

    assert retries.resting(now=0) == frozenset()
    assert retries.failed(ONE, now=0) == 1


def test_the_loop_sleeps_until_the_first_is_due() -> None:
    """And for ever if none is, for then only a change wakes it."""
    retries = Retries()

    assert retries.next_due(now=0) is None
    retries.failed(ONE, now=0)
    retries.failed(ONE, now=0)
    retries.failed(TWO, now=0)
    assert retries.next_due(now=0) == 1
    assert retries.next_due(now=1.5) == 0.5
    assert retries.next_due(now=2) is None


def test_volumes_that_are_gone_are_forgotten() -> None:
    """A provisioner that runs for months does not remember every claim of its life."""
    retries = Retries()
    retries.failed(ONE, now=0)
    retries.failed(TWO, now=0)

    retries.keep({TWO})

    assert retries.resting(now=0) == {TWO}
