"""A runner's document over all its tries, in a made-up time that goes as fast as it can."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fake_time import in_fake_time
from session_protocol.vocabulary import LinkMethod, Presence
from session_runner.account.phone_numbers import PhoneNumbers
from session_runner.account.presence import PresenceKeeper
from session_runner.exits import RunEnded
from session_runner.metrics.metrics import Metrics
from session_runner.monitoring.monitor import PageMonitor
from session_runner.monitoring.state_file import StateFile
from session_runner.page.errors import NavigationError
from session_runner.seams import Seams
from session_runner.settings import read_settings
from session_runner.states.classify import Verdict
from session_runner.states.facts import Facts
from session_runner.states.fetch_failures import FetchFailure, by_error
from session_runner.states.hold import Start
from session_runner.store import StateStore
from unit.runner.pages import ARRIVED, CODE, ERROR_PAGE, MODERN, UNLINKED, Raw, looks

HOST = "web.whatsapp.com"
NO_NAME = by_error("ERR_NAME_NOT_RESOLVED", host=HOST)
LATE: Raw = {"booted": False, "document": ARRIVED}
GONE: Raw = {"booted": False, "document": ERROR_PAGE}
LINKING: Raw = UNLINKED | {"code": CODE}
Shape = Callable[[float], Raw]


class TimedPage:
    """A page whose shape and whose way depend on the time since the run began."""

    def __init__(self, shape: Shape, *, blocked: Callable[[float], FetchFailure | None] = lambda _: None) -> None:
        self.died: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.shape, self.blocked = shape, blocked
        self.began = asyncio.get_running_loop().time()
        self.tries: list[float] = []
        self.without_cache: list[bool] = []
        self.hangs: float = 0

    @property
    def age(self) -> float:
        """Seconds."""
        return asyncio.get_running_loop().time() - self.began

    async def navigate(self, url: str, *, deadline: float, without_cache: bool) -> None:
        """Fail while the way is blocked."""
        assert url == f"https://{HOST}/"
        self.tries.append(self.age)
        self.without_cache.append(without_cache)
        await asyncio.sleep(min(self.hangs, deadline))
        failure = self.blocked(self.age)
        if failure is not None:
            raise NavigationError(failure)

    async def probe(self, *, deadline: float) -> Facts:
        """Answer at once."""
        assert deadline > 0
        shape = self.shape(self.age)
        # The service gives another code every 20 s.
        return looks(MODERN, **(shape | {"code": f"{CODE},{self.age // 20}"} if "code" in shape else shape))

    async def ask(self, name: str, _argument: object = None, /, *, deadline: float) -> str | None:
        """Have a code."""
        return name if deadline else None


class Run:
    """One run in fake time."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder, self.variables = folder, variables
        self.states: list[tuple[float, str, str]] = []
        self.messages: list[str] = []
        self.metrics = Metrics()
        self.ended: RunEnded | None = None
        self.lasted = 0.0
        self.hold: Verdict | None = None
        self.meanwhile: Callable[[PageMonitor, TimedPage], None] = lambda _monitor, _page: None

    def live(self, page: Callable[[], TimedPage], *, seconds: float) -> TimedPage:
        """Fetch and watch for so long, or until the run ends."""
        return in_fake_time(self._live(page, seconds=seconds))

    async def _live(self, make: Callable[[], TimedPage], *, seconds: float) -> TimedPage:
        page, loop = make(), asyncio.get_running_loop()
        required = {"PROFILE_DIR": "/p", "TOKEN_DIR": "/t", "SESSION_UID": "s", "POD_UID": "p"}

        def now() -> datetime:
            return datetime.fromtimestamp(1_800_000_000 + page.age, UTC)

        store = StateStore(clock=now)
        publish = store.publish

        def recording(**fields: Any) -> bool:
            changed = publish(**fields)
            if changed:
                self.states.append((round(page.age, 1), fields["state"], fields["reason"]))
                self.messages.append(fields["message"])
            return changed

        store.publish = recording  # type: ignore[method-assign]
        state_file = StateFile(self.folder / "runner.json", clock=now, start=Start(session_uid="s"))
        monitor = PageMonitor(
            settings=read_settings(required | self.variables),
            store=store,
            metrics=self.metrics,
            state_file=state_file,
            seams=Seams(kills=lambda: 0, monotonic=loop.time, clock=now, random=lambda: 0.0),
            started=page.began,
            trust_is_outdated=lambda: False,
            first_classified=lambda: None,
            proxy=None,
            numbers=PhoneNumbers(file=None, method=LinkMethod.QR),
            presence=PresenceKeeper(
                wanted=lambda: Presence.UNAVAILABLE, state_file=state_file, clock=now, random=lambda: 0.0
            ),
        )
        if self.hold is not None:
            monitor.publish(self.hold)
            self.states.clear()
        self.meanwhile(monitor, page)
        try:
            async with asyncio.timeout(seconds):
                await monitor.fetch(page)
                await monitor.watch(page)
        except TimeoutError:
            pass
        except RunEnded as ended:
            self.ended = ended
        self.lasted = page.age
        return page

    @property
    def sequence(self) -> list[str]:
        """The states without repetition."""
        found = [state for _, state, _ in self.states]
        return [state for i, state in enumerate(found) if i == 0 or found[i - 1] != state]

    def since(self, state: str) -> float:
        """When it was first published."""
        return next(age for age, published, _ in self.states if published == state)
