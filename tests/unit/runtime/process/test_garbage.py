"""Garbage collection that is paused while lists are dealt with, and never forgotten to be switched on again."""

import gc
from collections.abc import Iterator

import pytest
from whatsapp_operator.runtime.process.garbage import Garbage


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the interpreter as it was."""
    yield
    gc.enable()
    gc.unfreeze()


def test_it_is_paused_until_the_last_one_is_done() -> None:
    """A resync and an admission round may overlap."""
    garbage = Garbage()
    first, second = garbage.paused(), garbage.paused()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    between = gc.isenabled()
    second.__exit__(None, None, None)

    assert (False, True) == (between, gc.isenabled())


def test_an_error_does_not_leave_it_off() -> None:
    """A list that failed."""
    with pytest.raises(LookupError), Garbage().paused():
        raise LookupError

    assert gc.isenabled()


def test_what_is_settled_is_not_searched_again() -> None:
    """Set apart for good, the second time without what is garbage already."""
    garbage = Garbage()
    garbage.settle()
    frozen = gc.get_freeze_count()
    kept = [[] for _ in range(1000)]  # type: list[list[object]]
    cycle: list[object] = []
    cycle.append(cycle)
    del cycle
    before = len(kept) + frozen
    garbage.settle()

    assert gc.get_freeze_count() >= before
    assert 0 == gc.collect()


def test_what_was_set_apart_is_freed_when_nobody_needs_it() -> None:
    """An object that is deleted in the cluster leaves the store and the memory."""
    garbage = Garbage()
    kept = [[] for _ in range(1000)]  # type: list[list[object]]
    garbage.settle()
    frozen = gc.get_freeze_count()
    kept.clear()

    assert gc.get_freeze_count() <= frozen - 1000
