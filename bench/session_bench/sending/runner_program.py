"""The runner as it is, and beside it a way to make its page's own call: `python -m session_bench.sending.runner_program SOCKET`.

Who connects to the socket and writes `{"to": …, "body": …}` has the page send without the runner: the same browser, driver
and page, and nothing around wa-js's function. Webhooks may go to loopback, where the benchmark receives them.
"""

import asyncio
import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import session_runner.__main__ as runner
from session_runner.commands import Commands, Page
from session_runner.exits import Exit
from session_runner.page.browser import BrowserPage
from session_runner.seams import Seams
from session_runner.settings import Settings

CALL = """async ({ to, body }) => {
  const options = {
    createChat: true, linkPreview: false, detectMentioned: false, markIsRead: false, waitForAck: false,
  };
  const begun = performance.now();
  const { id } = await WPP.chat.sendTextMessage(to, body, options);
  return { id: String(id), inside: (performance.now() - begun) / 1000 };
}"""


class OpenPage:
    """The page that commands are run on now."""

    def __init__(self) -> None:
        self.page: Page | None = None

    def watch(self) -> None:
        """Know each page that the door is opened for."""
        opened = Commands.open

        def watched(door: Commands, page: Page) -> None:
            self.page = page
            opened(door, page)

        setattr(Commands, "open", watched)  # noqa: B010 -- for the type checker a method is no variable

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Make the page's own call for each line."""
        async for line in reader:
            writer.write(json.dumps(await self._call(json.loads(line))).encode() + b"\n")
        writer.close()

    async def _call(self, argument: Any) -> dict[str, Any]:
        if not isinstance(self.page, BrowserPage):
            raise TypeError("there is no page")
        begun = time.monotonic()
        found = await self.page.page.evaluate(CALL, argument)
        return {**found, "begun": begun, "ended": time.monotonic()}


def main(socket: Path) -> int:
    """Run the runner with the socket beside it; returns its exit code."""
    open_page, run = OpenPage(), runner.run
    open_page.watch()

    async def beside(settings: Settings) -> Exit:
        async with await asyncio.start_unix_server(open_page.serve, socket):
            return await run(settings)

    runner.run = beside
    setattr(runner, "Seams", partial(Seams, guard=lambda *_: None))  # noqa: B010 -- the same
    return runner.main()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
