"""Calls from a part to those who wait for what it does."""

from session_runner.signals import Signal


def test_all_listeners_are_called_each_time() -> None:
    """In the order in which they were connected."""
    signal, called = Signal(), list[str]()
    signal.connect(lambda: called.append("first"))
    signal.connect(lambda: called.append("second"))

    signal.emit()
    signal.emit()

    assert ["first", "second"] * 2 == called


def test_who_waits_for_the_next_time_is_woken_once() -> None:
    """Not by an earlier time, and by a later one even if it looks for it only afterwards."""
    signal = Signal()
    signal.emit()
    waited = signal.next()
    assert not waited.is_set()

    signal.emit()

    assert (True, False) == (waited.is_set(), signal.next().is_set())
