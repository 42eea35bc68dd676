"""The monitor behind a proxy that fails: what it says, that it never ends the run for it, and when it tries again."""

from collections.abc import Callable
from pathlib import Path

from session_protocol.vocabulary import ProxyType
from session_protocol.vocabulary import StateReason as Reason
from session_runner.monitoring.monitor import PageMonitor
from session_runner.states.fetch_failures import by_error
from session_runner.states.proxy_failures import Proxy, ProxyFailure, login_refused, unreachable
from unit.runner.fetching_harness import HOST, Run, TimedPage
from unit.runner.pages import CODE, UNLINKED, Raw

PROXY = Proxy(ProxyType.SOCKS5, "proxy.example.com", 1080)
AWAY = unreachable(PROXY, why="it refuses the connection")
REFUSED = login_refused(PROXY, is_given=True)
NO_TUNNEL = by_error("ERR_SOCKS_CONNECTION_FAILED", host=HOST)
LINKING: Raw = UNLINKED | {"code": CODE}


class FakeRelay:
    """A proxy that fails until a moment, and whose login is corrected at another one."""

    def __init__(self, page: TimedPage, *, failure: ProxyFailure, until: float, corrected: float | None = None) -> None:
        self.page, self.stands, self.until, self.corrected = page, failure, until, corrected

    @property
    def failure(self) -> ProxyFailure | None:
        """Of the last try."""
        return self.stands if self.page.tries and self.page.tries[-1] < self.until else None

    def let_in(self) -> None:
        """There is nothing to forget."""

    def has_new_login(self) -> bool:
        """Since the last try."""
        return self.corrected is not None and self.page.tries[-1] < self.corrected <= self.page.age


def behind(run: Run, failure: ProxyFailure, *, until: float, corrected: float | None = None) -> Callable[[], TimedPage]:
    """A page that is fetched as soon as the proxy lets it."""

    def attach(monitor: PageMonitor, page: TimedPage) -> None:
        monitor.fetcher.proxy = FakeRelay(page, failure=failure, until=until, corrected=corrected)

    run.meanwhile = attach
    return lambda: TimedPage(lambda _: LINKING, blocked=lambda age: NO_TUNNEL if age < until else None)


def test_a_proxy_that_is_away_has_a_state_of_its_own_and_never_ends_the_run(tmp_path: Path) -> None:
    """For an hour, with the startup timeout long over; and then the page, within a minute."""
    run = Run(tmp_path, STARTUP_TIMEOUT="60s")
    run.live(behind(run, AWAY, until=3600), seconds=3700)

    assert run.ended is None
    assert ["Loading", "ProxyError", "QRPending"] == run.sequence
    assert (Reason.PROXY_UNREACHABLE, AWAY.message) == (run.states[1][2], run.messages[1])
    assert 3600 <= run.since("QRPending") <= 3661


def test_a_corrected_login_ends_the_pause(tmp_path: Path) -> None:
    """Within seconds of when it is there, while tries are a minute apart."""
    run = Run(tmp_path)
    page = run.live(behind(run, REFUSED, until=1000, corrected=1000), seconds=1100)

    assert 1000 <= run.since("QRPending") <= 1006
    assert max(later - earlier for earlier, later in zip(page.tries, page.tries[1:], strict=False)) <= 60


def test_a_login_that_stays_wrong_is_not_tried_more_often(tmp_path: Path) -> None:
    """Many providers lock a login that is tried too often."""
    run = Run(tmp_path)
    page = run.live(behind(run, REFUSED, until=10_000), seconds=3600)

    assert len(page.tries) < 3600 / 60 + 10
