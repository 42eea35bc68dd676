"""A page that does not come up: what ends the run, what goes on trying, and for how long."""

from pathlib import Path

import pytest
from session_protocol.vocabulary import ExitCode, RunnerState, StateReason
from unit.runner.monitor_harness import BOOTING, MonitorHarness, ScriptedPage
from unit.runner.pages import UNLINKED, Raw


async def test_a_page_that_never_boots_ends_as_not_loaded(tmp_path: Path) -> None:
    """Loading, LoadError after half of the start-up time, the exit after all of it."""
    harness = MonitorHarness(tmp_path, STARTUP_TIMEOUT="60s")
    harness.step = 5
    ended = await harness.exit(ScriptedPage(*[BOOTING] * 20))

    assert ("LoadError", "NotBooted") in harness.states
    assert (ended.exit.code, ended.state) == (ExitCode.LOAD_FAILED, RunnerState.LOAD_ERROR)


async def test_a_page_that_shows_a_code_and_never_gets_wa_js_ends_as_not_loaded(tmp_path: Path) -> None:
    """The code is taken back with the page's modules, which were in reach without wa-js for a while."""
    harness = MonitorHarness(tmp_path, STARTUP_TIMEOUT="60s")
    harness.step = 5
    bare: Raw = {"injected": False, "registered": None}
    ended = await harness.exit(ScriptedPage(UNLINKED | {"code": "2@a,b,c,d"}, *[bare] * 20))

    assert ["QRPending", "Loading", "LoadError"] == list(dict.fromkeys(state for state, _ in harness.states))
    assert "wa-js" in str(ended)
    assert (ended.exit.code, harness.store.code) == (ExitCode.LOAD_FAILED, None)


@pytest.mark.parametrize("socket", [None, "UNLAUNCHED", "PAIRING", "CONNECTED"])
async def test_a_page_that_boots_and_never_shows_a_code_ends_as_not_loaded(tmp_path: Path, socket: str | None) -> None:
    """The start-up time is for the way to a QR code, not for the document alone: Loading is no place to stay."""
    harness = MonitorHarness(tmp_path, STARTUP_TIMEOUT="60s")
    harness.step = 5
    ended = await harness.exit(ScriptedPage(*[UNLINKED | {"socket": socket}] * 20))

    assert {"Loading"} == {state for state, _ in harness.states}
    assert "did not get further" in str(ended)
    assert (ended.exit.code, ended.reason) == (ExitCode.LOAD_FAILED, StateReason.OPENING_CONNECTION)


@pytest.mark.slow
@pytest.mark.parametrize(("startup", "boot"), [("60s", 0), ("60s", 4), ("20s", 0)])
async def test_a_page_that_cannot_reach_whatsapp_keeps_trying(tmp_path: Path, startup: str, boot: int) -> None:
    """Another pod would reach it no better, so being offline never ends the run: after a slow boot, or a short time."""
    harness = MonitorHarness(tmp_path, STARTUP_TIMEOUT=startup, CONNECTION_CHECK_TIMEOUT="30s")
    harness.step = 2
    steps = [{"booted": False}] * boot + [UNLINKED | {"socket": "OPENING"}] * 40
    ended = await harness.exit(ScriptedPage(*steps))

    assert harness.states[-1] == ("Offline", "NoConnection")
    assert ended.exit.code is ExitCode.BROWSER_EXITED


@pytest.mark.slow
async def test_a_page_that_tries_by_turns_keeps_trying(tmp_path: Path) -> None:
    """Each attempt to open the connection is a step forward, also one that is given up."""
    harness = MonitorHarness(tmp_path, STARTUP_TIMEOUT="60s")
    harness.step = 5
    turns = [UNLINKED | {"socket": "OPENING"}, UNLINKED | {"socket": "UNLAUNCHED"}] * 20
    ended = await harness.exit(ScriptedPage(*turns))

    assert ended.exit.code is ExitCode.BROWSER_EXITED


async def test_a_page_that_refuses_the_browser_does_not_end_the_run(tmp_path: Path) -> None:
    """A restart with the same image would not help, so the runner stays and says so."""
    harness = MonitorHarness(tmp_path)
    harness.step = 9
    ended = await harness.exit(ScriptedPage(*[{"booted": False, "refused": True}] * 20))

    assert harness.states[-1] == ("UnsupportedBrowser", "BrowserRefused")
    assert ended.exit.code is ExitCode.BROWSER_EXITED


async def test_a_page_that_reloads_has_the_whole_time_again(tmp_path: Path) -> None:
    """A page that was up and reloads itself is given the start-up time from that moment on."""
    harness = MonitorHarness(tmp_path, STARTUP_TIMEOUT="60s")
    harness.step = 6
    ended = await harness.exit(ScriptedPage({}, *[{"booted": False}] * 2, {}, *[{"booted": False}] * 2, {}))

    assert ended.exit.code is ExitCode.BROWSER_EXITED


async def test_a_browser_that_starts_slowly_costs_the_page_none_of_its_time(tmp_path: Path) -> None:
    """On a busy node half of the start-up time may be over before the page is asked for, which then is no page that does not boot."""
    harness = MonitorHarness(tmp_path, STARTUP_TIMEOUT="60s")
    harness.seconds, harness.step = 35, 0.5
    page = ScriptedPage(BOOTING, BOOTING, UNLINKED | {"code": "2@a,b,c,d"})
    await harness.monitor.fetch(page)
    await harness.exit(page)

    assert ["Loading", "QRPending"] == list(dict.fromkeys(state for state, _ in harness.states))
