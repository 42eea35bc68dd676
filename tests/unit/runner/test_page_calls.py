"""Calls of the page's scripts over DevTools, which gives no answer any more for a page that has died."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from session_runner.page.browser import BrowserPage
from session_runner.page.errors import CallFailedError, PageGoneError


class DevTools:
    """A session of it, by what it answers to each method; to others it does not answer."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked = asyncio.Event()
        self.hangs = asyncio.Event()

    async def send(self, method: str, given: dict[str, Any]) -> Any:
        """Answer, or not."""
        assert isinstance(given, dict)
        if method not in self.answers:
            self.asked.set()
            await self.hangs.wait()
        return self.answers[method]


def page_of(devtools: DevTools) -> BrowserPage:
    """Return an open page whose DevTools are played."""
    died: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    nothing: Any = None
    played: Any = devtools
    return BrowserPage(playwright=nothing, context=nothing, page=nothing, devtools=played, died=died)


INPUT = {"Runtime.evaluate": {"result": {"objectId": "7"}}}


@pytest.mark.parametrize("answers", [{}, INPUT, INPUT | {"DOM.setFileInputFiles": {}}])
async def test_a_page_that_dies_while_it_gets_a_file_is_not_waited_for(answers: dict[str, Any]) -> None:
    """Whichever step it is: what waits behind it goes to the next page."""
    devtools = DevTools(**answers)
    page = page_of(devtools)
    attaching = asyncio.ensure_future(page.attach(Path("/file")))
    await devtools.asked.wait()
    page.died.set_result("page")

    with pytest.raises(PageGoneError, match="The page died"):
        await asyncio.wait_for(attaching, 10)


async def test_a_page_without_an_input_takes_no_file() -> None:
    """It shows the browser's error page, say."""
    with pytest.raises(CallFailedError):
        await page_of(DevTools(**{"Runtime.evaluate": {"result": {"type": "undefined"}}})).attach(Path("/file"))
    with pytest.raises(CallFailedError):
        await page_of(DevTools()).attach(Path("/file"), deadline=0.01)


async def test_what_a_script_throws_is_an_error_in_a_line() -> None:
    """And what it returns is the answer; nothing returned is None."""
    thrown = {"text": "Uncaught", "exception": {"description": "Error: no chat\n    at <anonymous>"}}
    failed = {"result": {"type": "object"}, "exceptionDetails": thrown}
    with pytest.raises(CallFailedError, match=r"^Error: no chat$"):
        await page_of(DevTools(**{"Runtime.evaluate": failed})).call("probe.js")

    assert {"a": 1} == await page_of(DevTools(**{"Runtime.evaluate": {"result": {"value": {"a": 1}}}})).call("probe.js")
    assert None is await page_of(DevTools(**{"Runtime.evaluate": {"result": {"type": "undefined"}}})).call("probe.js")
