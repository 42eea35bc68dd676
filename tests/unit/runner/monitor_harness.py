"""A monitor over a page that plays a script, look by look."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from session_protocol.vocabulary import LinkMethod, Presence
from session_runner.account.phone_numbers import PhoneNumbers
from session_runner.account.presence import PresenceKeeper
from session_runner.exits import RunEnded
from session_runner.metrics.metrics import Metrics
from session_runner.monitoring.monitor import PageMonitor
from session_runner.monitoring.state_file import StateFile
from session_runner.page.errors import NavigationError, PageError, PageGoneError
from session_runner.seams import Seams
from session_runner.settings import read_settings
from session_runner.states.facts import Facts
from session_runner.states.hold import Start
from session_runner.store import StateStore
from unit.runner.pages import ARRIVED, CODE, MODERN, UNLINKED, Raw, looks

Step = Raw | PageError

IDLE = UNLINKED | {"socket": "UNPAIRED_IDLE"}
BOOTING: Raw = {"booted": False, "document": ARRIVED}
""" The page has arrived and does not come up. """


class ScriptedPage:
    """Answers the probes with one step after another and dies when there are none left."""

    def __init__(self, *steps: Step, navigations: tuple[NavigationError | None, ...] = ()) -> None:
        self.died: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.steps = list(steps)
        self.navigations = list(navigations)
        self.asked: list[str] = []
        self.arguments: list[Any] = []
        self.deadlines: list[float] = []
        self.fetched = 0
        self.without_cache: list[bool] = []
        self.after_probe: Callable[[], None] = lambda: None
        self.meanwhile: Callable[[], None] = lambda: None
        """ What happens while a pairing code is asked for. """

    async def navigate(self, url: str, *, deadline: float, without_cache: bool) -> None:
        """Fail as long as failures are scripted."""
        self.without_cache.append(without_cache)
        assert url == "https://web.whatsapp.com/"
        self.deadlines.append(deadline)
        self.fetched += 1
        failure = self.navigations.pop(0) if self.navigations else None
        if failure is not None:
            raise failure

    async def probe(self, *, deadline: float) -> Facts:
        """Play the next step."""
        self.deadlines.append(deadline)
        if not self.steps:
            self.died.set_result("browser")
            raise PageGoneError("the script is over")
        step = self.steps.pop(0)
        self.after_probe()
        if isinstance(step, PageError):
            raise step
        return looks(MODERN, **step)

    async def ask(self, name: str, argument: Any = None, *, deadline: float) -> str | None:
        """Note the order; the library always has a code."""
        self.asked.append(name)
        if name == "pair.js":
            self.meanwhile()
        self.arguments.append(argument)
        self.deadlines.append(deadline)
        return CODE if name == "code.js" else "asked" if name == "pair.js" else "wa-js"


class MonitorHarness:
    """A monitor whose clock jumps a second with every reading."""

    def __init__(self, folder: Path, start: Start | None = None, /, **variables: str) -> None:
        self.seconds = 0.0
        self.step = 1.0
        self.kills: int | None = 0
        required = {"PROFILE_DIR": "/p", "TOKEN_DIR": "/t", "SESSION_UID": "s", "POD_UID": "p"}
        self.store = StateStore(clock=lambda: datetime.now(UTC))
        self.metrics = Metrics()
        self.settled = 0
        self.states: list[tuple[str, str]] = []
        self.links: list[tuple[str, object]] = []
        self.numbers = PhoneNumbers(file=None, method=LinkMethod.QR)
        start = start or Start(session_uid="s")
        state_file = StateFile(folder / "runner.json", clock=lambda: datetime.now(UTC), start=start)
        self.monitor = PageMonitor(
            settings=read_settings(required | {"HEALTH_CHECK_TIMEOUT": "3s"} | variables),
            store=self.store,
            metrics=self.metrics,
            state_file=state_file,
            numbers=self.numbers,
            presence=PresenceKeeper(
                wanted=lambda: Presence.UNAVAILABLE,
                state_file=state_file,
                clock=lambda: datetime.now(UTC),
                random=lambda: 0.0,
            ),
            seams=Seams(kills=lambda: self.kills, monotonic=self.monotonic, random=lambda: 0.0),
            started=0.0,
            trust_is_outdated=lambda: False,
            first_classified=self.count_settling,
            proxy=None,
        )

    def monotonic(self) -> float:
        """Time passes by being looked at."""
        self.seconds += self.step
        return self.seconds

    def count_settling(self) -> None:
        """Start-up is over."""
        self.settled += 1

    async def exit(self, page: ScriptedPage) -> RunEnded:
        """Watch until the end, waking the monitor at once after each probe, and note what was published."""

        def count_probe() -> None:
            self.monitor.wake("test", None)

        page.after_probe = count_probe
        publish = self.store.publish

        def recording(**fields: object) -> bool:
            self.states.append((str(fields["state"]), str(fields["reason"])))
            self.links.append((str(fields["state"]), fields["linked"]))
            return publish(**fields)  # type: ignore[arg-type]

        self.store.publish = recording  # type: ignore[method-assign]
        with pytest.raises(RunEnded) as caught:
            await self.monitor.watch(page)
        return caught.value
