"""What a person sees while something takes long."""

import io
import threading
from collections.abc import Callable

import pytest
from session_devtools.progress import ConsoleProgress, NoProgress, format_duration


@pytest.mark.parametrize(
    ("duration", "expected"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (60, "1 min 0 s"), (321.3, "5 min 21 s")],
)
def test_durations_are_as_exact_as_they_are_interesting(duration: float, expected: str) -> None:
    """Tenths only below ten seconds, minutes from sixty seconds on."""
    assert expected == format_duration(duration)


def seven_seconds() -> Callable[[], float]:
    """A clock by which a step takes seven seconds: the machine's own would show how busy it is."""
    times = iter([100.0, 107.0])
    return lambda: next(times)


def test_a_step_is_shown_with_its_time() -> None:
    """A quick step is one line, written when it is over."""
    stream = io.StringIO()
    with ConsoleProgress(stream=stream, clock=seven_seconds()).step("starting etcd"):
        before = stream.getvalue()

    assert before == ""
    assert stream.getvalue() == "==> starting etcd: 7.0 s\n"


def test_a_step_that_fails_says_so_and_lets_the_error_through() -> None:
    """The person sees where it happened; the caller still gets the error."""
    stream = io.StringIO()
    with pytest.raises(KeyError), ConsoleProgress(stream=stream, clock=seven_seconds()).step("starting etcd"):
        raise KeyError("x")

    assert stream.getvalue() == "==> starting etcd: failed after 7.0 s\n"


def test_a_long_step_is_announced_and_shows_that_it_moves() -> None:
    """Its begin is shown at once, and now and then how far it is."""
    stream = io.StringIO()
    asked = threading.Event()

    def status() -> str:
        asked.set()
        return "3 packages compiled"

    with ConsoleProgress(stream=stream, status_interval=0.001, clock=lambda: 0.0).step("building", status=status):
        assert asked.wait(20)
    lines = stream.getvalue().splitlines()

    assert lines[0] == "==> building ..."
    assert lines[-1] == "==> building: 0.0 s"


def test_silence_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    """A progress for callers that want none prints nothing and swallows no error."""
    quiet = NoProgress()
    quiet.info("y")
    with pytest.raises(KeyError), quiet.step("x"):
        raise KeyError("z")

    assert capsys.readouterr() == ("", "")
