"""A linked tab with wa-js, as the tests about messages use it: the page's own calls, and what wa-js told since."""

from typing import Any

from playwright.async_api import Page
from runner.standin.tabs import Tab, wait_for_value
from standin import StandIn

__all__ = ["FRIEND", "Linked", "before_the_page"]

FRIEND = "15550100777@c.us"
_QUIET = "{linkPreview: false, detectMentioned: false, markIsRead: false, waitForAck: false}"


def before_the_page(script: str) -> str:
    """Wrap a script that runs when the page has its modules and wa-js has not looked at them; `load` finds a module."""
    return f"""(() => {{ let load;
      Object.defineProperty(window, 'importNamespace', {{
        configurable: true, get: () => load, set(value) {{ load = value; {script} }} }}) }})()"""


class Linked:
    """A tab whose page is linked, and its device on the phone."""

    def __init__(self, tab: Tab, standin: StandIn, device: str) -> None:
        self.tab = tab
        self.phone = standin.phone
        self.device = device

    @property
    def page(self) -> Page:
        """The page to ask."""
        return self.tab.page

    @classmethod
    async def link(cls, tab: Tab, standin: StandIn) -> "Linked":
        """Scan the tab's code."""
        device = await standin.phone.scan(await tab.qr())
        await tab.connected()
        return cls(tab, standin, device)

    async def ask(self, expression: str) -> Any:
        """Evaluate an expression in which `await` is allowed, with `store` for wa-js's messages."""
        return await self.page.evaluate(f"async () => {{ const store = WPP.whatsapp.MsgStore; return {expression} }}")

    async def send(self, text: str, to: str = FRIEND) -> str:
        """Let wa-js send a text without waiting for its ack; returns the message's bare id."""
        answer = await self.ask(f"await WPP.chat.sendTextMessage('{to}', '{text}', {_QUIET})")
        return str(answer["id"].split("_")[2])

    async def deliveries(self) -> list[tuple[str, int]]:
        """Give the text and the number of each arrival at the phone."""
        return [(one["body"], one["arrival"]) for one in await self.phone.messages(self.device)]

    async def texts(self, chat: str = FRIEND, options: str = "{count: 20}") -> list[str]:
        """Give the texts of a chat as wa-js finds them, oldest first."""
        texts: list[str] = await self.ask(f"(await WPP.chat.getMessages('{chat}', {options})).map((msg) => msg.body)")
        return texts

    async def stored(self) -> None:
        """Wait until the page has stored all that the server had for it."""

        async def waiting() -> int:
            return int((await self.phone.devices())[0]["waitingMessages"])

        await wait_for_value(waiting, 0)

    async def wait_for(self, expression: str, expected: Any) -> None:
        """Wait until an expression has this value."""
        await wait_for_value(lambda: self.ask(expression), expected)

    async def reload(self) -> None:
        """Load the page anew."""
        await self.page.reload()
        await self.tab.wait_for_facts(full=True)
        await self.tab.connected()
