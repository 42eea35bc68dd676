"""Plays the steps of a walk, and holds what the runner says after each against what is expected.

`controls` has what each step does: to the phone, to the page's window, or to the pods, which are runner processes on one
profile and are kept here.
"""

import contextlib
import json
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Self

from session_protocol.environment import Variable
from standin.client import PhoneRefusedError
from standin.harness import StandIn
from support.runner_process import RUNNER, Folders, RunnerProcess, settings_for, start_runner

from walk.expected import CONNECTION_CHECK, Expectation
from walk.steps import Step
from walk.witness import Moment, Unexpected, Witness

__all__ = ["UNLINKED", "Do", "Player"]

UNLINKED = "unlinked"
_REQUESTS = {"restart": Variable.RESTART_REQUEST, "relink": Variable.RELINK_REQUEST}
Do = Callable[["Player", str], Awaitable[object]]
""" What a step does, with its argument. """


class Player:
    """One walk's session: a stand-in, a profile, and the runner of the present pod."""

    def __init__(self, *, standin: StandIn, folders: Folders, program: Sequence[str] = RUNNER) -> None:
        self.phone = standin.phone
        self._folders = folders
        self._program = program
        self._environment = folders.environment(
            **settings_for(standin),
            CONNECTION_CHECK_TIMEOUT=f"{CONNECTION_CHECK:g}s",
            STARTUP_TIMEOUT="120s",
            LAUNCH_TIMEOUT="90s",
            LINK_MAX_ROUNDS="1000",
        )
        self.device = ""
        self._pods = 0
        self._pod = contextlib.AsyncExitStack()
        self._runner: RunnerProcess | None = None
        self._witness: Witness | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def play(self, step: Step, expected: Expectation, do: Do) -> None:
        """Do a step and hold what follows against what is expected.

        :raises Unexpected: it is something else.
        """
        since = Moment.now()
        code = await self.code() if step.name == "expire_code" else ""
        try:
            await do(self, step.argument)
        except PhoneRefusedError as error:
            raise Unexpected(f"the phone cannot do it: {error}") from error
        if step.name == "start":
            since = Moment.now()  # how long a browser takes to start is no matter of states
        if self._witness is not None:
            missing = partial(self._missing, self._witness, expected, code)
            await self._witness.judge(expected, since=since, missing=missing)

    async def _missing(self, witness: Witness, expected: Expectation, old_code: str) -> str:
        """What is not as it has to be beside the state."""
        loads = (await self.phone.loads())["total"]
        if loads > expected.loads:
            raise Unexpected(f"the page was loaded {loads} times, and not {expected.loads} times")
        code, linked = await self.code(), witness.recorded[-1].linked
        if code and not expected.code:
            raise Unexpected(f"a code is served in {witness.recorded[-1].state}")
        if expected.linked is not None and linked is not expected.linked:
            return f"with linked {linked}"
        if expected.code and code in {"", old_code}:
            return "without a new code"
        return f"the page was loaded {loads} times, and not {expected.loads} times" if loads < expected.loads else ""

    async def code(self) -> str:
        """The text of the code that is served; empty: none is."""
        if self._runner is None:
            return ""
        status, _, body = await self._runner.get("/v1/qr", scope="link", accept="application/json")
        return str(json.loads(body)["text"]) if status == 200 else ""

    # What a step does, where it takes more than one call.

    async def link(self, linking: Awaitable[str]) -> None:
        """The phone has another device."""
        self.device = await linking

    async def unlink(self, unlinking: Awaitable[object]) -> None:
        """The device is none any more."""
        await unlinking
        self.device = ""

    async def everywhere(self, act: Callable[[str], Awaitable[object]]) -> None:
        """What befalls the computer or the account befalls its page as a companion and as one without a login."""
        for subject in filter(None, (self.device, UNLINKED)):
            await act(subject)

    async def scan(self) -> str:
        """Scan the code that is served; returns the device."""
        return await self.phone.scan(await self.code())

    async def ask_passkey(self) -> None:
        """Scan it for an account that wants a passkey."""
        await self.phone.scan_with_passkey(await self.code())

    async def log_out(self) -> None:
        """As a client of the API."""
        assert self._runner is not None
        status, document = await self._runner.post("/v1/logout")
        if status != 200:
            raise Unexpected(f"POST /v1/logout answered {status}: {document}")

    async def reload(self, *, delay: float) -> None:
        """Load the page anew, with a document that takes so long."""
        await self.phone.set_delay(delay)
        await self.phone.reload_window()

    async def set_policy(self, policy: str) -> None:
        """Of the next pods."""
        self._environment[Variable.ON_LOGOUT] = policy

    async def start(self, request: str) -> None:
        """The next pod, with a request of its own."""
        self._pods += 1
        if request:
            self._environment[_REQUESTS[request]] = f"request-{self._pods}"
        environment = self._environment | {Variable.POD_UID: f"pod-{self._pods}"}
        self._folders.termination_log.write_text("")
        starting = start_runner(self._folders, environment, program=self._program)
        self._runner = await self._pod.enter_async_context(starting)
        self._witness = Witness(self._runner)

    async def stop(self) -> None:
        """As a deleted pod ends."""
        assert self._runner is not None
        code = await self._runner.stop()
        await self.end()
        if code:
            raise Unexpected(f"a stop ended with {code}")

    async def kill(self) -> None:
        """As a lost node ends a pod."""
        assert self._runner is not None
        await self._runner.kill()
        await self.end()

    async def end(self) -> None:
        """End the pod."""
        if self._witness is not None:
            await self._witness.end()
        self._witness = self._runner = None
        await self._pod.aclose()
