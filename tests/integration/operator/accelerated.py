"""The operator's runtime inside the test, against the real API server, with a clock that runs faster than the wall's.

Five minutes of waiting take some seconds. There are no watches: a resync, every minute of that clock, sees what people do.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from session_devtools.installation.constants import OPERATOR_NAMESPACE
from session_protocol.answers import State
from session_protocol.live_settings import LiveSettings
from whatsapp_operator.core.model import AccountHash, Defaults, KeyID, TokenSource
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.connection import Connection, Credentials
from whatsapp_operator.runtime.process.clock import Timer
from whatsapp_operator.runtime.process.config import Config, Dependencies
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.process.operator import Operator
from whatsapp_operator.runtime.runners.client import NoAnswer, Target

SPEED = 40.0
""" Seconds of the operator's clock in one of the wall's. """


class FastClock:
    """A clock that runs SPEED times as fast."""

    def __init__(self) -> None:
        self._began, self._start = time.monotonic(), datetime.now(UTC)

    def now(self) -> datetime:
        """Return the wall clock's time, as it would be."""
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the seconds since this clock began."""
        return (time.monotonic() - self._began) * SPEED

    def call_later(self, delay: float, call: Callable[[], None]) -> Timer:
        """Call when so many seconds of this clock are over."""
        return asyncio.get_running_loop().call_later(max(0.0, delay) / SPEED, call)

    async def sleep(self, delay: float) -> None:
        """Wait for so many seconds of this clock."""
        await asyncio.sleep(max(0.0, delay) / SPEED)


class SilentRunners:
    """No runner answers."""

    async def get_state(self, target: Target, *, after: int | None) -> State:
        """Say nothing."""
        raise NoAnswer(f"{target.key} is silent after {after}")

    async def renew_tokens(self, target: Target, source: TokenSource) -> None:
        """Say nothing."""
        raise NoAnswer(f"{target.key} takes nothing from {source.key_id}")

    async def change_settings(self, target: Target, settings: LiveSettings) -> bool:
        """Say nothing."""
        raise NoAnswer(f"{target.key} takes nothing of {settings}")

    async def get_account(self, target: Target, *, key_id: KeyID) -> tuple[int, AccountHash]:
        """Say nothing."""
        raise NoAnswer(f"{target.key} tells no account for {key_id}")


@asynccontextmanager
async def accelerated(kubeconfig: Path, namespace: str) -> AsyncIterator[FastClock]:
    """Run an operator for this namespace alone; its requests are in the audit log as any operator's."""
    clock, metrics = FastClock(), Metrics()
    credentials = Credentials(clock=clock, kubeconfig=kubeconfig)
    await credentials.load()
    connection = Connection(credentials, user_agent="whatsapp-operator/accelerated", metrics=metrics)
    operator = Operator(
        Config(
            defaults=Defaults(runner_image="example.org/runner:1"),
            namespace=OPERATOR_NAMESPACE,
            key_secret="whatsapp-operator-keys",
            identity="accelerated",
            namespaces=(namespace,),
        ),
        Dependencies(kube=Kube(connection, timeout=20), clock=clock, metrics=metrics, runner_client=SilentRunners()),
    )
    await operator.start()
    try:
        yield clock
    finally:
        await operator.stop(within=5)
        await connection.close()
