"""Runners without a network: what the tests of the poller ask, and what answers them."""

import asyncio
from typing import Any

from session_protocol.answers import State
from session_protocol.live_settings import LiveSettings
from unit.runtime.fakes import FakeClock
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import AccountHash, KeyID, PodUID, Rejection, SessionUID, TokenSource
from whatsapp_operator.runtime.runners.client import WAIT, NoAnswer, Target

KEY = ObjectKey("shop", "sales")


def target(ip: str = "127.0.0.1", *, pod: str = "p1") -> Target:
    """Return the runner of a pod."""
    return Target(key=KEY, session_uid=SessionUID("s1"), pod_uid=PodUID(pod), ip=ip, key_id=KeyID("k1"))


def answer(revision: int = 1, *, state: str = "QRPending", pod: str = "p1", **fields: Any) -> State:
    """Return a runner's word."""
    return State(session_uid="s1", pod_uid=pod, revision=revision, state=state, reason="R", **fields)


class ScriptedListener:
    """Answers as a runner would: at once when there is something new, else after the wait."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.current: State | None = answer()
        self.asked: list[tuple[float, int | None, str]] = []
        self.holds_back = True
        self.rejection: Rejection | None = None
        self.refuses_tokens = False
        self.renewed_tokens: list[tuple[float, TokenSource]] = []
        self.refuses_settings = False
        self.knows_settings = True
        self.settings: list[LiveSettings] = []
        """ What it was told to go by. """
        self.accounts: dict[int, str] = {}
        """ The digest of each account, by the runner's count. """
        self.asked_accounts: list[tuple[int, KeyID]] = []
        self._news = asyncio.Event()

    def say(self, current: State | None) -> None:
        """Change the word; None: fall silent."""
        self.current = current
        self._news.set()

    async def get_state(self, asked: Target, *, after: int | None) -> State:
        """Play runner."""
        self.asked.append((self._clock.monotonic(), after, asked.pod_uid))
        if self.current is not None and self.current.revision == after and self.holds_back:
            self._news.clear()
            timer = self._clock.call_later(WAIT.total_seconds(), self._news.set)
            await self._news.wait()
            timer.cancel()
        if self.current is None:
            raise NoAnswer("silent", rejection=self.rejection)
        return self.current

    async def renew_tokens(self, target: Target, source: TokenSource) -> None:
        """Take other tokens."""
        assert target.renew == source
        self.renewed_tokens.append((self._clock.monotonic(), source))
        if self.refuses_tokens:
            raise NoAnswer("not now")

    async def change_settings(self, target: Target, settings: LiveSettings) -> bool:
        """Take other settings."""
        assert target.settings == settings
        self.settings.append(settings)
        if self.refuses_settings:
            raise NoAnswer("not now")
        return self.knows_settings

    async def get_account(self, target: Target, *, key_id: KeyID) -> tuple[int, AccountHash]:
        """Tell the account of the present state."""
        assert self.current is not None
        assert self.current.pod_uid == target.pod_uid
        revision = self.current.account_revision or 0
        self.asked_accounts.append((revision, key_id))
        if revision not in self.accounts:
            raise NoAnswer("not now")
        return revision, AccountHash(key_id=key_id, digest=self.accounts[revision])


class Restless:
    """Answers every question at once, each time with another word."""

    def __init__(self, clock: FakeClock, *, length: int = 8) -> None:
        self._clock = clock
        self._length = length
        self._answers = 0

    async def get_state(self, asked: Target, *, after: int | None) -> State:
        """Say something new."""
        del asked, after
        await self._clock.sleep(0.001)
        self._answers += 1
        return answer(self._answers, message=f"{self._answers}".rjust(self._length, "#"))

    async def renew_tokens(self, target: Target, source: TokenSource) -> None:
        """Nobody asks this one."""
        raise NotImplementedError

    async def change_settings(self, target: Target, settings: LiveSettings) -> bool:
        """Nobody asks this one."""
        raise NotImplementedError

    async def get_account(self, target: Target, *, key_id: KeyID) -> tuple[int, AccountHash]:
        """It has none."""
        raise NotImplementedError
