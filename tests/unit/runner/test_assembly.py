"""The parts of a runner are joined, and none of them is started."""

from session_protocol.live_settings import LiveSettings
from session_protocol.vocabulary import ReadMarking
from support.runner_parts import make_parts, make_session


def test_parts_that_wait_for_each_other_wake_each_other() -> None:
    """A file that is ready has its message go on, what comes of that message is published, and read marks are set."""
    parts = make_parts()
    messaging, inbox = parts.sending.messaging, parts.receiving.inbox
    woken = []
    for signal, by in (
        (parts.sending.preparer.settled, messaging),
        (parts.base.live.changed, messaging),
        (inbox.marks_stored, messaging),
        (messaging.progressed, inbox),
    ):
        by._waker._woken.clear()
        signal.emit()
        woken.append(by._waker._woken.is_set())

    assert [True] * 4 == woken


def test_what_comes_is_marked_as_read_by_the_settings_of_now() -> None:
    """An edit that is brought to the running pod counts from the next message on."""
    parts = make_parts()
    before = parts.receiving.inbox._marking()
    parts.base.live.replace(LiveSettings(read_marks=ReadMarking.ON_RECEIPT))

    assert (False, True) == (before, parts.receiving.inbox._marking())


def test_each_event_of_the_page_has_one_to_handle_it() -> None:
    """The monitor has what nobody else wants."""
    session = make_session(make_parts())

    assert {"ack", "handed", "message", "call", "presence"} == set(session.workers.handlers)
