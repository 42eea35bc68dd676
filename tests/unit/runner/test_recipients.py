"""Whom WhatsApp is asked about before a request is stored, and whom not again."""

from pathlib import Path
from typing import Any

import pytest
from session_runner.commands import Commands
from session_runner.linked_page import LinkedPage
from session_runner.messages.contents import Text
from session_runner.messages.ids import digits_of
from session_runner.messages.requests import SendRequest
from session_runner.outbox.outbox import open_outbox
from session_runner.sending import recipients
from session_runner.sending.recipients import KNOWN_SECONDS, Recipient, Recipients
from session_runner.store import StateStore

FRIEND, STRANGER = "15550100777", "15550100701"


class Page(LinkedPage):
    """A page that is asked about numbers."""

    account: str | None = "one"
    can_send = True

    def __init__(self) -> None:
        super().__init__(store=StateStore(clock=lambda: None), commands=Commands())  # type: ignore[arg-type, return-value]
        self.asked: list[str] = []

    async def call(self, script: str, argument: Any = None, **_: Any) -> Any:
        """Answer a lookup."""
        assert script == "lookup.js"
        self.asked.append(argument["digits"])
        return {"digits": argument["digits"], "stranger": argument["digits"] == STRANGER}


async def ask(page: Page, path: Path, *steps: tuple[str, float], about: str | None = None) -> list[Recipient]:
    """Send to these numbers at these times."""
    now = [0.0]
    made = Recipients(page, now=lambda: now[0])
    found = []
    async with open_outbox(path / "messages.sqlite") as outbox:
        for digits, time in steps:
            now[0] = time
            request = SendRequest(given=digits, digits=digits, content=Text(body="Hello"), reply_to=about)
            found.append(await made.of(outbox, request))
    return found


async def test_whoever_has_written_is_asked_about_once_an_hour(tmp_path: Path) -> None:
    """They are there, so that an answer to them does not wait for WhatsApp's word."""
    page = Page()
    found = await ask(page, tmp_path, (FRIEND, 0), (FRIEND, KNOWN_SECONDS - 1), (FRIEND, KNOWN_SECONDS))

    assert [FRIEND, FRIEND] == page.asked
    assert [Recipient(digits=FRIEND, is_stranger=False)] * 3 == found


async def test_a_stranger_is_asked_about_each_time(tmp_path: Path) -> None:
    """They may have written meanwhile, and the number may be nobody's any more."""
    page = Page()
    await ask(page, tmp_path, (STRANGER, 0), (STRANGER, 1))

    assert [STRANGER, STRANGER] == page.asked


async def test_a_reply_is_asked_about_each_time(tmp_path: Path) -> None:
    """Whether the chat has what it answers is a question of the moment."""
    page = Page()
    await ask(page, tmp_path, (FRIEND, 0), (FRIEND, 1), about="3EB0AA")

    assert [FRIEND, FRIEND] == page.asked


async def test_what_is_remembered_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number that was asked about longest ago is forgotten first; so is all of another account's."""
    monkeypatch.setattr(recipients, "MOST_KNOWN", 1)
    page = Page()
    await ask(page, tmp_path, (FRIEND, 0), ("15550100702", 1), (FRIEND, 2), (FRIEND, 3))

    assert [FRIEND, "15550100702", FRIEND] == page.asked


@pytest.mark.parametrize(
    ("reported", "digits"),
    [
        ("15550100777", "15550100777"),
        ("1" * 20, "1" * 20),
        ("1" * 21, None),
        ("", None),
        ("1\n", None),
        ("\u0661", None),
        (1, None),
    ],
)
def test_a_number_is_what_has_digits_alone(reported: object, digits: str | None) -> None:
    """Of what the page reports; anything else is no number, and the one that was asked about stays."""
    assert digits == digits_of(reported)
