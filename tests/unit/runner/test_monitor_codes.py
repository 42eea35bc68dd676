"""The QR codes that the monitor serves: those on the screen, those of the library, and none after the last round."""

from pathlib import Path

from session_protocol.vocabulary import RunnerState
from unit.runner.monitor_harness import IDLE, MonitorHarness, ScriptedPage
from unit.runner.pages import CODE, UNLINKED


async def test_idle_codes_are_renewed(tmp_path: Path) -> None:
    """The page is asked, the round counts, and the state stays QRPending meanwhile."""
    harness = MonitorHarness(tmp_path, LINK_MAX_ROUNDS="2")
    page = ScriptedPage(UNLINKED | {"code": CODE}, IDLE, UNLINKED | {"code": "2@new"}, IDLE)
    await harness.exit(page)

    assert page.asked == ["refresh.js"]
    assert [state for state, _ in harness.states] == ["QRPending", "QRPending", "QRPending", "LinkExpired"]
    assert harness.store.snapshot.round == 2
    assert harness.metrics.registry.get_sample_value("whatsapp_runner_qr_rounds_total") == 1


async def test_codes_after_the_last_round_are_shown_to_nobody(tmp_path: Path) -> None:
    """The page begins anew by itself, with a fresh code: it stays LinkExpired, in this pod and in the next, until a person asks."""
    harness, idle = MonitorHarness(tmp_path, LINK_MAX_ROUNDS="1"), UNLINKED | {"socket": "UNPAIRED_IDLE", "code": None}
    await harness.exit(ScriptedPage(UNLINKED | {"code": CODE}, idle, {"booted": False}, UNLINKED | {"code": "another"}))
    again = MonitorHarness(tmp_path, LINK_MAX_ROUNDS="1")

    assert ["QRPending", *["LinkExpired"] * 3] == [state for state, _ in harness.states]
    assert harness.store.code is None
    assert RunnerState.LINK_EXPIRED is getattr(again.monitor.state_file.begin(), "state", None)


async def test_a_phone_that_is_linked_after_the_last_round_counts(tmp_path: Path) -> None:
    """It was scanned at the last moment: the hold is over."""
    harness, idle = MonitorHarness(tmp_path, LINK_MAX_ROUNDS="1"), UNLINKED | {"socket": "UNPAIRED_IDLE", "code": None}
    await harness.exit(ScriptedPage(UNLINKED | {"code": CODE}, idle, {"synced": False}, {}))

    assert ["QRPending", "LinkExpired", "Syncing", "Connected"] == [state for state, _ in harness.states]
    assert harness.monitor.state_file.saved.hold is None


async def test_a_code_that_is_not_on_the_screen_is_asked_of_the_library(tmp_path: Path) -> None:
    """A page that draws its code in an unknown way still gives one, through wa-js."""
    harness = MonitorHarness(tmp_path)
    page = ScriptedPage(UNLINKED, UNLINKED, UNLINKED)
    await harness.exit(page)

    assert "code.js" in page.asked
    assert harness.states[-1] == ("QRPending", "WaitingForScan")


async def test_a_code_of_the_library_is_served_for_its_whole_life(tmp_path: Path) -> None:
    """Each look asks for it again; none in between says that there is no code."""
    harness, codes = MonitorHarness(tmp_path), list[object]()
    harness.step = 0.2
    show = harness.store.show_code

    def noted(text: str | None, *, lifetime: float) -> None:
        codes.append(text)
        show(text, lifetime=lifetime)

    harness.store.show_code = noted  # type: ignore[method-assign]
    await harness.exit(ScriptedPage(*[UNLINKED] * 9))

    assert {CODE} == set(codes[codes.index(CODE) :])


async def test_an_event_while_the_page_is_asked_for_a_code_is_not_lost(tmp_path: Path) -> None:
    """What the page tells meanwhile is remembered beside the answer."""
    harness = MonitorHarness(tmp_path)
    assert harness.numbers.ask_for("+4915112345678")
    page = ScriptedPage(UNLINKED | {"code": CODE}, {"stream": "DISCONNECTED"}, UNLINKED, UNLINKED)
    page.meanwhile = lambda: harness.monitor.wake("logout_reason", "account_locked")
    await harness.exit(page)

    assert "pair.js" in page.asked
    assert harness.states[-1] == ("LoggedOut", "WaitingForPerson")
