"""pywa's whole list of calls: the table in docs/clients.md says what comes of each, and this is where it comes from."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pywa.client import WhatsApp
from session_protocol.vocabulary import RunnerState
from session_runner.media.media import Media
from unit.runner import pywa_calls
from unit.runner.messaging_harness import NOW, running
from unit.runner.test_cloud_api import PHONE, Served

PAGE = Path(__file__).parents[3] / "docs" / "clients.md"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A connected session with room for messages and files."""
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    media = Media(phone_number_id=PHONE, clock=lambda: NOW, random=os.urandom)
    made = Served(tokens, media)
    made.session.messaging._media = media
    made.session.say(RunnerState.CONNECTED)
    made.session.door.open(made.session.page)
    messages = running(made.session, tmp_path, works=False)
    async with made.client, messages as outbox, media.opened(outbox, tmp_path / "media"):
        yield made


async def test_the_page_says_what_comes_of_each_call(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`RECORD=1` writes the table anew; what works there is tried on the page by tests/runner."""
    monkeypatch.chdir(tmp_path)  # a download goes there
    served.session.store.show_account("+15550100001")
    served.session.page.others.add(pywa_calls.THEIRS)
    client = WhatsApp(phone_id=PHONE, token="send-token", waba_id=PHONE, business_portfolio_id=PHONE, app_id=PHONE)
    client.api._session.base_url = str(served.client.make_url("/v24.0"))
    pywa_calls.guard(client)

    with contextlib.closing(client.api._session):
        outcomes = {name: await asyncio.to_thread(pywa_calls.outcome, client, name) for name in pywa_calls.methods()}
    page = pywa_calls.replaced(PAGE, pywa_calls.rows(outcomes))
    if os.environ.get("RECORD"):
        PAGE.write_text(page)

    assert page == PAGE.read_text()
