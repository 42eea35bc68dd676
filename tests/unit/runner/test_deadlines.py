"""Every call into the page ends by its deadline, also when page, browser and driver never answer again.

By kind and not by a list: each coroutine of the one class that speaks to the page is called on a page that is silent, and
nothing else may speak to it.
"""

import ast
import asyncio
import inspect
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.async_api import Playwright
from session_runner.page import browser
from session_runner.page.browser import BrowserPage, stop_driver
from session_runner.page.errors import PageError

SOURCE = Path(browser.__file__).parents[1]
ADAPTER = SOURCE / "page/browser.py"
DEADLINE = 0.05
ARGUMENTS = {"url": "https://web.whatsapp.com/", "script": "probe.js", "name": "probe.js", "file": Path("picture")}
CALLS = dict(inspect.getmembers(BrowserPage, inspect.iscoroutinefunction))


class Silent:
    """An object of Playwright that has whatever is asked for and never answers."""

    def __getattr__(self, name: str) -> "Silent":
        if name.startswith("__"):
            raise AttributeError(name)
        return Silent()

    def __call__(self, *_args: object, **_named: object) -> "Silent":
        """Be called, with anything."""
        return Silent()

    def __await__(self) -> Generator[Any, None, None]:
        yield from asyncio.get_running_loop().create_future().__await__()


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Take the slack from those deadlines that have some."""
    monkeypatch.setattr(browser, "SPARE_SECONDS", DEADLINE)
    monkeypatch.setattr(browser, "DRIVER_STOP_SECONDS", DEADLINE)
    return Silent()


@pytest.mark.parametrize("name", [name for name in CALLS if not name.startswith("_")])
async def test_every_call_ends_by_its_deadline(name: str, silent: Any) -> None:
    """With an answer that says so, or an error of the page; with each choice that the call has."""
    wanted = inspect.signature(CALLS[name]).parameters
    assert "deadline" in wanted
    given = {key: value for key, value in ARGUMENTS.items() if key in wanted}
    choices = [key for key, parameter in wanted.items() if parameter.annotation is bool]
    for chosen in (False, True):
        died: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        page = BrowserPage(playwright=silent, context=silent, page=silent, devtools=silent, died=died)
        async with asyncio.timeout(5):
            try:
                answer = await CALLS[name](page, deadline=DEADLINE, **given, **dict.fromkeys(choices, chosen))
            except PageError:
                answer = None

        assert answer in (None, False)


async def test_a_driver_that_does_not_stop_is_left(silent: Any) -> None:
    """The session kills it with the rest of its processes."""
    async with asyncio.timeout(5):
        await stop_driver(cast("Playwright", silent))


def test_nothing_else_speaks_to_the_page() -> None:
    """Neither by Playwright itself nor through the adapter's own objects."""
    found = []
    for path in SOURCE.rglob("*.py"):
        if path == ADAPTER or path.is_relative_to(SOURCE / "messages"):
            continue  # the latter is pure, and its context is a message's
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Attribute(value=ast.Attribute(attr="page" | "context")):
                    found.append(f"{path.name}:{node.lineno}: {ast.unparse(node)}")
                case ast.ImportFrom(module=str() as module) if module.startswith("playwright"):
                    names = [one.name for one in node.names if one.name != "Playwright"]
                    found += [f"{path.name}:{node.lineno}: {name}" for name in names]
                case _:
                    pass

    assert [] == found
