"""The report: expectations that are met or missed, and the exit status that follows."""

import io
from collections.abc import Iterator

import pytest
from fake_time import FakeTime
from session_demo.errors import DemoError
from session_demo.report import Observation, Probe, Report
from session_devtools.errors import CommandError


@pytest.fixture(name="out")
def make_out() -> io.StringIO:
    """Where the report is written."""
    return io.StringIO()


@pytest.fixture(name="report")
def make_report(out: io.StringIO) -> Report:
    """A report on a clock of its own."""
    time = FakeTime()
    return Report(out=out, clock=time.read, sleep=time.sleep)


def becoming(*observation: Observation) -> Probe:
    """Make a probe that sees these things in turn, the last one for ever."""

    def turns() -> Iterator[Observation]:
        yield from observation
        while True:
            yield observation[-1]

    looks = turns()
    return lambda: next(looks)


OK = Observation(ok=True, text="it is there")
BAD = Observation(ok=False, text="nothing yet")


def test_a_promise_that_comes_true_in_time_is_kept(report: Report, out: io.StringIO) -> None:
    """A probe that turns good before the deadline is a kept promise, told with what was seen."""
    kept = report.expect("it appears", becoming(BAD, BAD, OK), within=5, interval=1)

    assert kept
    assert report.failures == []
    assert "✓ it appears" in out.getvalue()
    assert "seen: it is there (2.0 s of at most 5 s)" in out.getvalue()


def test_a_promise_that_stays_false_is_a_miss(report: Report, out: io.StringIO) -> None:
    """After the deadline the promise is missed, and the last thing seen is told."""
    kept = report.expect("it appears", becoming(BAD), within=3, interval=1)

    assert not kept
    assert report.failures == ["it appears; seen: nothing yet"]
    assert "✗ it appears" in out.getvalue()


def test_a_probe_that_cannot_look_is_not_good_yet(report: Report) -> None:
    """A fault while looking counts as not seen, and its text is what was seen."""

    def broken() -> Observation:
        raise CommandError(["kubectl", "get"], 1, "connection refused")

    assert not report.expect("it appears", broken, within=1, interval=1)
    assert report.failures == [
        "it appears; seen: `kubectl get` ended with status 1: connection refused (before that: nothing)"
    ]


def test_a_last_look_that_fails_does_not_hide_what_was_seen(report: Report) -> None:
    """A cluster that goes away while somebody waits says nothing about why they had to wait."""
    looks = iter([BAD])

    def look() -> Observation:
        try:
            return next(looks)
        except StopIteration:
            raise CommandError(["kubectl", "get"], 1, "connection refused") from None

    report.expect("it appears", look, within=2, interval=1)

    assert ["it appears; seen: `kubectl get` ended with status 1: connection refused (before that: nothing yet)"] == (
        report.failures
    )


def test_a_miss_shows_its_diagnostics(report: Report, out: io.StringIO) -> None:
    """Below the step, each line of bounded length; a kept promise shows none."""
    report.diagnostics = lambda: f"orders Pending\n{'x' * 999}"

    report.expect("it is there", becoming(OK), within=1)
    assert "orders Pending" not in out.getvalue()
    report.expect("it appears", becoming(BAD), within=1)

    assert "       orders Pending\n" in out.getvalue()
    assert 207 == max(map(len, out.getvalue().splitlines()))


def test_a_fault_that_is_no_demo_error_is_not_swallowed(report: Report) -> None:
    """A programming error in a probe ends the demo: it is not a thing that was seen."""

    def wrong() -> Observation:
        raise KeyError("status")

    with pytest.raises(KeyError):
        report.expect("it appears", wrong, within=1)


def test_finish_without_a_miss_is_success(report: Report, out: io.StringIO) -> None:
    """The exit status is 0 when every step showed what it promises."""
    report.expect("it is there", becoming(OK), within=1)

    assert report.finish() == 0
    assert "All 1 steps showed what they promise" in out.getvalue()


def test_finish_with_a_miss_names_it_and_fails(report: Report, out: io.StringIO) -> None:
    """The exit status is not 0 after a miss, and the summary names it."""
    report.expect("it is there", becoming(OK), within=1)
    report.expect("so is the other", becoming(BAD), within=1)

    assert report.finish() == 1
    assert "1 of 2 steps did not show what they promise" in out.getvalue()
    assert "✗ so is the other; seen: nothing yet" in out.getvalue()


def test_work_is_reported_with_its_time(report: Report, out: io.StringIO) -> None:
    """A piece of work is announced before and told with its time after."""
    with report.step("building images"):
        report.sleep(7)

    assert "… building images" in out.getvalue()
    assert "✓ building images (7.0 s)" in out.getvalue()


def test_work_that_fails_is_not_reported_as_done(report: Report, out: io.StringIO) -> None:
    """A fault in a piece of work goes on to the caller and is not told as success."""
    with pytest.raises(DemoError), report.step("building images"):
        raise DemoError("no space left")

    assert "✓ building images" not in out.getvalue()
