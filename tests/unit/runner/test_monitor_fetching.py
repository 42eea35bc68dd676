"""The monitor when the page cannot be fetched: it goes on for as long as it takes, says why, and begins anew after it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from session_protocol.vocabulary import ExitCode, RunnerState, StateReason
from session_runner.monitoring.monitor import PageMonitor
from session_runner.page.errors import OutdatedTrustError, PageGoneError
from session_runner.states.classify import Verdict
from session_runner.states.facts import Facts
from session_runner.states.fetch_failures import SCRIPT, FetchFailure, by_error, by_status, not_the_page
from unit.runner.fetching_harness import GONE, HOST, LATE, LINKING, NO_NAME, Run, TimedPage
from unit.runner.pages import ARRIVED, Raw

UNTRUSTED = by_error("ERR_CERT_AUTHORITY_INVALID", host=HOST)
NO_ROUTE = by_error("ERR_ADDRESS_UNREACHABLE", host=HOST)


def until(seconds: float, failure: FetchFailure = NO_NAME) -> Callable[[float], FetchFailure | None]:
    """Blocked so long."""
    return lambda age: failure if age < seconds else None


@pytest.mark.parametrize("outage", [5, 600, 3600, 36_000])
@pytest.mark.parametrize("startup", ["1s", "60s", "24h"])
def test_what_cannot_be_fetched_never_ends_the_run(tmp_path: Path, outage: float, startup: str) -> None:
    """One word for the whole outage, and soon after it the page, whatever the startup timeout says."""
    run = Run(tmp_path, STARTUP_TIMEOUT=startup)
    page = run.live(lambda: TimedPage(lambda _: LINKING, blocked=until(outage)), seconds=outage + 100)

    assert run.ended is None
    assert ["Loading", "LoadError", "QRPending"] == run.sequence
    assert 3 == len(run.states)
    assert outage <= run.since("QRPending") <= outage + 61
    assert max(later - earlier for earlier, later in zip(page.tries, page.tries[1:], strict=False)) <= 60


def test_a_page_that_does_not_know_its_login_is_stuck(tmp_path: Path) -> None:
    """Its connection is on its way and nobody can tell for whom: the startup timeout ends that, too."""
    run = Run(tmp_path, STARTUP_TIMEOUT="60s")
    run.live(lambda: TimedPage(lambda _: {"registered": None, "socket": "OPENING"}), seconds=200)

    assert run.ended is not None
    assert 60 <= run.lasted <= 62


def test_the_cause_is_published_when_it_changes(tmp_path: Path) -> None:
    """First no name, then no route, then the host answers with an error: each with the host."""

    def blocked(age: float) -> FetchFailure | None:
        causes = {0: NO_NAME, 1: NO_ROUTE, 2: by_status(503, host=HOST)}
        return causes.get(int(age // 300))

    run = Run(tmp_path)
    run.live(lambda: TimedPage(lambda _: {}, blocked=blocked), seconds=1100)

    assert ["NameNotResolved", "NetworkUnreachable", "HTTPError"] == [
        r for _, state, r in run.states if state == "LoadError"
    ]
    assert all(HOST in message for message in run.messages[1:4])
    failed = "whatsapp_runner_page_fetch_failures_total"
    assert run.metrics.registry.get_sample_value(failed, {"reason": "HTTPError"}) == 5


def test_after_an_outage_the_page_has_its_whole_time(tmp_path: Path) -> None:
    """An hour without network, then a page that takes 50 of its 60 s to come up."""
    run = Run(tmp_path, STARTUP_TIMEOUT="60s")
    fetched: list[float] = []

    def shape(age: float) -> Raw:
        fetched[:] = fetched or [age]
        return LINKING if age - fetched[0] > 50 else LATE

    run.live(lambda: TimedPage(shape, blocked=until(3600)), seconds=3800)

    assert run.ended is None
    assert "QRPending" == run.sequence[-1]


@pytest.mark.parametrize(("outage", "expected"), [(0, 60), (600, 660)])
def test_a_page_that_arrived_and_does_not_come_up_ends_the_run(tmp_path: Path, outage: float, expected: float) -> None:
    """That is the page's own fault, which is counted: a minute after the start, or after the network came back."""
    run = Run(tmp_path, STARTUP_TIMEOUT="60s")
    page = run.live(lambda: TimedPage(lambda _: LATE, blocked=until(outage)), seconds=10_000)

    assert run.ended is not None
    assert ExitCode.LOAD_FAILED == run.ended.exit.code
    assert expected <= page.tries[-1] + 60 <= expected + 61
    assert "no application" in str(run.ended)


def test_an_answer_without_end_is_asked_for_again(tmp_path: Path) -> None:
    """The document began to arrive before the network broke: it would wait for ever for its end."""
    run = Run(tmp_path, STARTUP_TIMEOUT="60s")
    cut: Raw = {"booted": False, "document": ARRIVED | {"complete": False}}
    page = run.live(lambda: TimedPage(lambda age: cut if age < 65 else LINKING), seconds=200)

    assert run.ended is None
    assert ["Loading", "LoadError", "QRPending"] == run.sequence
    assert 2 == len(page.tries)


def test_a_script_that_cannot_be_fetched_is_no_end_and_no_flicker(tmp_path: Path) -> None:
    """The document comes each time and a script never does: one word, until it does."""
    no_script = by_error("ERR_CONNECTION_TIMED_OUT", host="static.whatsapp.net", what=SCRIPT)
    run = Run(tmp_path, STARTUP_TIMEOUT="60s")

    def fails(monitor: PageMonitor, page: TimedPage) -> None:
        navigate = page.navigate

        async def failing(url: str, *, deadline: float, without_cache: bool) -> None:
            await navigate(url, deadline=deadline, without_cache=without_cache)
            if page.age < 1800:
                monitor.fetch_failed(no_script, of_document=False)

        page.navigate = failing  # type: ignore[method-assign]

    run.meanwhile = fails
    page = run.live(lambda: TimedPage(lambda age: LATE if age < 1800 else LINKING), seconds=2000)

    assert run.ended is None
    assert [("Loading", "PageLoading"), ("LoadError", "FetchTimedOut"), ("QRPending", "WaitingForScan")] == [
        (state, reason) for _, state, reason in run.states
    ]
    assert "static.whatsapp.net" in run.messages[1]
    assert 30 < len(page.tries) < 45


def test_a_portal_is_left_as_soon_as_it_is_gone(tmp_path: Path) -> None:
    """Its page has status 200 and would stay for ever, in the browser's cache, too."""
    run = Run(tmp_path)
    portal: Raw = {"booted": False, "document": ARRIVED | {"isApp": False, "host": "portal.example"}}
    page = run.live(lambda: TimedPage(lambda age: portal if age < 900 else LINKING), seconds=1000)

    assert run.ended is None
    assert ["Loading", "LoadError", "QRPending"] == run.sequence
    assert not_the_page("portal.example").message in run.messages
    assert [False, True, True] == page.without_cache[:3]


def test_what_is_stored_is_used_again_after_a_broken_network(tmp_path: Path) -> None:
    """Only a wrong answer empties the cache: half of a slow page is worth keeping."""
    run = Run(tmp_path)
    page = run.live(lambda: TimedPage(lambda _: LINKING, blocked=until(10)), seconds=60)

    assert len(page.tries) > 3
    assert not any(page.without_cache)


def test_a_slow_host_is_reported_while_it_is_waited_for(tmp_path: Path) -> None:
    """Not after the whole attempt, and not as a failure: the answer may still come."""
    run = Run(tmp_path)

    def slow() -> TimedPage:
        page = TimedPage(lambda _: LINKING)
        page.hangs = 40
        return page

    page = run.live(slow, seconds=100)

    assert [(0.0, "Loading"), (15.0, "LoadError"), (40.0, "QRPending")] == [entry[:2] for entry in run.states]
    assert 1 == len(page.tries)


def test_a_page_that_reloads_into_nothing_is_fetched_again(tmp_path: Path) -> None:
    """It was connected, reloaded itself, and the browser shows an error page: nobody else would load it again."""
    run = Run(tmp_path)

    def reloads(monitor: PageMonitor, _page: TimedPage) -> None:
        def lose() -> None:
            monitor.fetch_failed(NO_NAME, of_document=True)
            monitor.document_began(is_error=True)

        asyncio.get_running_loop().call_later(100, lose)

    run.meanwhile = reloads
    page = run.live(
        lambda: TimedPage(
            lambda age: GONE if 100 <= age < 700 else {}, blocked=lambda age: NO_NAME if 100 < age < 700 else None
        ),
        seconds=900,
    )

    assert run.ended is None
    assert ["Loading", "Connected", "Loading", "LoadError", "Connected"] == run.sequence
    assert "NameNotResolved" == run.states[3][2]
    assert 700 <= page.tries[-1] <= 760


def test_in_a_conflict_the_page_stays_closed(tmp_path: Path) -> None:
    """Fetching it again would take the session over: the conflict stays the word, and no failure comes of it."""
    run = Run(tmp_path)
    run.hold = Verdict(RunnerState.CONFLICT, StateReason.REPLACED, "Another one has it.")
    page = run.live(lambda: TimedPage(lambda _: GONE), seconds=1000)

    assert run.ended is None
    assert ["Loading", "Conflict"] == run.sequence
    assert 1 == len(page.tries)


@pytest.mark.parametrize("when", ["fetching", "waiting"])
def test_a_browser_that_dies_meanwhile_ends_the_run(tmp_path: Path, when: str) -> None:
    """At once, and not when the pause is over."""
    run = Run(tmp_path)

    def dies(_monitor: PageMonitor, page: TimedPage) -> None:
        if when == "waiting":
            asyncio.get_running_loop().call_later(400, page.died.set_result, "browser")
            return

        async def navigate(url: str, *, deadline: float, without_cache: bool) -> None:
            raise PageGoneError(f"{url} {deadline} {without_cache}")

        page.navigate = navigate  # type: ignore[method-assign]

    run.meanwhile = dies
    run.live(lambda: TimedPage(lambda _: {}, blocked=until(10_000)), seconds=5000)

    assert run.ended is not None
    assert ExitCode.BROWSER_EXITED == run.ended.exit.code
    assert run.lasted <= (402 if when == "waiting" else 2)


def test_a_browser_that_opened_too_late_says_so(tmp_path: Path) -> None:
    """The startup timeout was over before the page was asked for: the last sequence name what took the time."""
    run = Run(tmp_path, STARTUP_TIMEOUT="20s")

    def late() -> TimedPage:
        page = TimedPage(lambda _: LATE)
        page.began -= 33
        return page

    run.live(late, seconds=100)

    assert run.ended is not None
    assert "The browser alone took 33 s to start." in str(run.ended)


def test_a_page_that_is_up_is_not_disturbed_by_what_it_cannot_fetch(tmp_path: Path) -> None:
    """A script that is asked for ten times a second and never comes: no probe more, no try, no other state."""
    run, no_script = Run(tmp_path), by_error("ERR_CONNECTION_RESET", host="static.whatsapp.net", what=SCRIPT)
    probes: list[float] = []

    def floods(monitor: PageMonitor, page: TimedPage) -> None:
        loop, answer = asyncio.get_running_loop(), page.probe

        def fail() -> None:
            monitor.fetch_failed(no_script, of_document=False)
            loop.call_later(0.1, fail)

        async def probe(*, deadline: float) -> Facts:
            probes.append(page.age)
            return await answer(deadline=deadline)

        page.probe = probe  # type: ignore[method-assign]
        loop.call_later(10, fail)

    run.meanwhile = floods
    page = run.live(lambda: TimedPage(lambda _: {}), seconds=310)

    assert ["Loading", "Connected"] == run.sequence
    assert 1 == len(page.tries)
    assert len(probes) < 70


@pytest.mark.parametrize(("failure", "opened_again"), [(UNTRUSTED, True), (NO_NAME, False)])
def test_other_authorities_are_of_use_to_a_certificate_alone(
    tmp_path: Path, failure: FetchFailure, *, opened_again: bool
) -> None:
    """The browser reads them at its start, so it is opened again; for another cause that would help nothing."""
    run = Run(tmp_path)

    def changes(monitor: PageMonitor, page: TimedPage) -> None:
        monitor.fetcher.trust_is_outdated = lambda: page.age > 100

    run.meanwhile = changes
    page = None
    try:
        page = run.live(lambda: TimedPage(lambda _: {}, blocked=until(10_000, failure)), seconds=400)
    except OutdatedTrustError:
        assert opened_again
    assert opened_again is (page is None)
