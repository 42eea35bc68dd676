"""The operator as a process of its own, as a pod would run it, with the account and the rights of the manifests."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import aiohttp
from session_devtools.errors import NotInTime
from session_devtools.waiting import async_wait_until

ROOT = Path(__file__).parents[3]
NAMESPACE = "whatsapp-operator"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:whatsapp-operator"


class OperatorProcess:
    """One `python -m whatsapp_operator`."""

    def __init__(self, *, kubeconfig: Path, log: Path, settings: dict[str, str], command: tuple[str, ...] = ()) -> None:
        self.log = log
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(log.parent),
            "KUBECONFIG": str(kubeconfig),
            "RUNNER_IMAGE": "example.org/runner:1",
            "OPERATOR_NAMESPACE": NAMESPACE,
            "POD_NAME": log.stem,
            "HTTP_ADDRESS": "127.0.0.1",
            "HTTP_PORT": "0",
            "RESYNC_INTERVAL": "5s",
            "LOG_LEVEL": "debug",
            **settings,
        }
        with log.open("w") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "whatsapp_operator", *command], env=environment, stderr=output, cwd=log.parent
            )

    @classmethod
    def command(cls, *command: str, kubeconfig: Path, log: Path) -> Self:
        """Start it with a command."""
        return cls(kubeconfig=kubeconfig, log=log, settings={}, command=command)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._process.poll()

    def lines(self) -> list[dict[str, Any]]:
        """What it logged so far."""
        text = self.log.read_text()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]

    async def port(self) -> int:
        """The port of its probes."""
        return int((await self.said("Probes served"))["port"])

    async def said(self, message: str, *, within: float = 60, **fields: object) -> dict[str, Any]:
        """Wait for a line of its log."""

        async def found() -> dict[str, Any] | None:
            ended = self.status is not None
            for line in self.lines():
                if line["message"] == message and all(line.get(name) == value for name, value in fields.items()):
                    return line
            if ended:
                raise AssertionError(f"the operator ended and did not say {message!r} {fields}:\n{self.tail()}")
            return None

        try:
            return await async_wait_until(f"the operator says {message!r} {fields}", found, within=within)
        except NotInTime as late:
            raise AssertionError(f"{late}:\n{self.tail()}") from late

    async def acts(self) -> Self:
        """Wait until it has the Lease and the whole picture."""
        await self.said("Role", role="acting")
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

    async def ended(self, *, within: float = 30) -> int:
        """Wait for its end; return the exit status."""
        try:
            return await asyncio.to_thread(self._process.wait, within)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"the operator did not end:\n{self.tail()}") from error

    async def stop(self) -> int:
        """End it in order; return the exit status."""
        if self.status is None:
            self.signal(signal.SIGTERM)
        return await self.ended()

    def kill(self) -> None:
        """End it hard."""
        if self.status is None:
            self._process.kill()
        self._process.wait()

    def tail(self) -> str:
        """The end of its log, for a message."""
        return "\n".join(self.log.read_text().splitlines()[-40:])
