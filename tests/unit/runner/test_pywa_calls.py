"""pywa's whole list of calls: the table in docs/clients.md says what comes of each, and this is where it comes from."""

import asyncio
import contextlib
import os
from pathlib import Path

import pytest
from pywa.client import WhatsApp
from support.runner_parts import PHONE
from unit.runner import pywa_calls
from unit.runner.test_cloud_api import Served
from unit.runner.test_cloud_api import served as served  # noqa: PLC0414 -- a fixture

PAGE = Path(__file__).parents[3] / "docs" / "clients.md"


async def test_the_page_says_what_comes_of_each_call(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`RECORD=1` writes the table anew; what works there is tried on the page by tests/runner."""
    monkeypatch.chdir(tmp_path)  # a download goes where the program is
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
