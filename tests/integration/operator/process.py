"""The operator as a process of its own, as a pod would run it, waited for among coroutines."""

import asyncio
import signal
import subprocess
from pathlib import Path
from typing import Any, Self

import aiohttp
from session_devtools.processes import tail
from support import operator_process
from support.waiting import async_until


class OperatorProcess:
    """One `python -m whatsapp_operator`."""

    def __init__(
        self,
        *,
        kubeconfig: Path,
        log: Path,
        settings: dict[str, str],
        command: tuple[str, ...] = (),
        program: tuple[str, ...] = operator_process.OPERATOR,
    ) -> None:
        self.log = log
        variables = {"RESYNC_INTERVAL": "5s", "LOG_LEVEL": "debug", **settings}
        self._process = operator_process.start(kubeconfig, log, *command, program=program, **variables)

    @classmethod
    def command(cls, *command: str, kubeconfig: Path, log: Path) -> Self:
        """Start it with a command."""
        return cls(kubeconfig=kubeconfig, log=log, settings={}, command=command)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def worker(self) -> int:
        """The id of the process that works, the other one's child."""
        return operator_process.worker(self._process)

    @property
    def status(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._process.poll()

    def lines(self) -> list[dict[str, Any]]:
        """What it logged so far."""
        return operator_process.log_lines(self.log)

    async def port(self) -> int:
        """The port of its probes."""
        return int((await self.wait_for_log("Probes served"))["port"])

    async def wait_for_log(self, message: str, *, within: float = 60, **fields: object) -> dict[str, Any]:
        """Wait for a line of its log."""

        async def found() -> dict[str, Any] | None:
            has_ended = self.status is not None
            for line in self.lines():
                if line["message"] == message and all(line.get(name) == value for name, value in fields.items()):
                    return line
            if has_ended:
                raise AssertionError(f"the operator ended and did not say {message!r} {fields}:\n{self.tail()}")
            return None

        return await async_until(f"the operator says {message!r} {fields}", found, within=within, log=self.tail)

    async def wait_until_acting(self) -> Self:
        """Wait until it has the Lease and the whole picture."""
        await self.wait_for_log("Role", role="acting")
        return self

    async def get(self, path: str) -> tuple[int, str]:
        """Ask its HTTP server."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{await self.port()}{path}") as response,
        ):
            return response.status, await response.text()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def wait_for_exit(self, *, within: float = 30) -> int:
        """Wait for its end; return the exit status."""
        try:
            return await asyncio.to_thread(self._process.wait, within)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"the operator did not end:\n{self.tail()}") from error

    async def stop(self) -> int:
        """End it in order; return the exit status."""
        if self.status is None:
            self.signal(signal.SIGTERM)
        return await self.wait_for_exit()

    def kill(self) -> None:
        """End it hard."""
        if self.status is None:
            self._process.kill()
        self._process.wait()

    def tail(self) -> str:
        """The end of its log, for a message."""
        return tail(self.log, lines=40)
