"""Whose account is linked: from the page to `GET /v1/account`, and nowhere else."""

import logging
from pathlib import Path

import pytest
from session_protocol.answers import Account
from unit.runner.monitor_harness import MonitorHarness, ScriptedPage
from unit.runner.pages import MODERN, UNLINKED, looks
from unit.runner.test_http import Api8080, error_code
from unit.runner.test_http import api as api  # noqa: PLC0414 -- a fixture

NUMBER, OTHER = "+15550100000", "+15550100001"
LINKED = {"account": "15550100000:3@c.us"}
LOGGED_OUT = UNLINKED | {"account": None}


def test_only_a_linked_page_has_an_account() -> None:
    """What an unlinked page still remembers is nobody's."""
    assert NUMBER == looks(MODERN, **LINKED).account
    assert looks(MODERN, **LINKED, registered=False).account is None
    assert looks(MODERN, **LINKED, registered=None).account is None


@pytest.mark.parametrize("odd", [None, 15550100000, "undefined", "1555@lid", {"user": "15550100000"}])
def test_what_is_no_user_is_no_account(odd: object) -> None:
    """A page may have another shape."""
    assert looks(MODERN, account=odd).account is None


def test_the_number_is_in_no_text_of_the_facts() -> None:
    """They may be written to a log."""
    assert "555" not in repr(looks(MODERN, **LINKED))


async def test_the_account_is_kept_while_its_page_loads(tmp_path: Path) -> None:
    """A reload is no other account, and no other revision."""
    harness = MonitorHarness(tmp_path)
    seen: list[int | None] = []
    publish = harness.store.publish

    def note(**given: object) -> bool:
        changed = publish(**given)  # type: ignore[arg-type]
        seen.append(harness.store.snapshot.account_revision)
        return changed

    harness.store.publish = note  # type: ignore[method-assign]
    await harness.exit(ScriptedPage(LINKED, {"booted": False}, LINKED))

    assert {1} == set(seen)
    assert Account(phone_number=NUMBER, account_revision=1) == harness.store.account


async def test_another_account_after_a_logout_has_another_revision(tmp_path: Path) -> None:
    """And between the two there is none."""
    harness = MonitorHarness(tmp_path)
    await harness.exit(ScriptedPage(LINKED, *[LOGGED_OUT] * 3))
    between = harness.store.account, harness.store.snapshot.account_revision
    await harness.exit(ScriptedPage({"account": "15550100001@c.us"}))

    assert (None, None) == between
    assert Account(phone_number=OTHER, account_revision=2) == harness.store.account


async def test_the_number_reaches_neither_log_nor_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever reads the pod's output or the volume's state file learns nothing of it."""
    caplog.set_level(logging.DEBUG)
    harness = MonitorHarness(tmp_path)
    await harness.exit(ScriptedPage(LINKED, *[LOGGED_OUT] * 3))

    kept = (tmp_path / "runner.json").read_text()
    assert "15550100000" not in caplog.text + kept


async def test_the_account_is_for_who_may_link(api: Api8080) -> None:
    """With the token of the scope link, or admin."""
    api.store.show_account(NUMBER)
    api.connect()
    answers = {token: await api.get("/v1/account", token=f"{token}-token") for token in ("link", "admin", "state")}

    assert {"link": 200, "admin": 200, "state": 403} == {token: answer.status for token, answer in answers.items()}
    assert {"phoneNumber": NUMBER, "accountRevision": 1} == await answers["link"].json()
    assert "no-store" == answers["link"].headers["Cache-Control"]


async def test_the_state_has_a_count_and_no_number(api: Api8080) -> None:
    """Whoever observes sees that it is another account, not whose."""
    api.store.show_account(NUMBER)
    api.connect()
    text = await (await api.get("/v1/state")).text()

    assert '"accountRevision":1' in text
    assert "555" not in text


async def test_an_account_that_is_not_known_is_not_found(api: Api8080) -> None:
    """The error has a word of its own."""
    response = await api.get("/v1/account")

    assert 404 == response.status
    assert "NoAccount" == await error_code(response)
