"""Clients of the Cloud API that are written for Node, as programs: calls in, what came of each out.

Their packages are pinned by tests/node_clients/package-lock.json, and nothing of theirs is changed.
"""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from session_devtools.build.node import installed, node
from session_devtools.progress import NoProgress

SOURCES = Path(__file__).parents[1] / "node_clients"


@dataclass(frozen=True, kw_only=True)
class NodeClients:
    """Where they are."""

    folder: Path

    @classmethod
    def install(cls) -> "NodeClients":
        """Install them, unless they are there."""
        return cls(folder=installed("node-clients", SOURCES, progress=NoProgress()))

    async def call(
        self, client: str, *calls: tuple[Any, ...], url: str, phone: str, token: str
    ) -> list[dict[str, Any]]:
        """Make each call, a method with its arguments; gives `answer`, or `code` and `error`."""
        plan = {"client": client, "url": url, "phone": phone, "token": token, "calls": calls}
        process = await asyncio.create_subprocess_exec(
            *(str(node()), str(self.folder / "main.mjs"), json.dumps(plan)),
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        assert 0 == process.returncode, output.decode()
        return [json.loads(line) for line in output.decode().splitlines()]
