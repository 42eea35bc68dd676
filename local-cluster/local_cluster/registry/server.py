"""The registry's process: a child that ends with the one who started it, and keeps its images in a folder given to it.

It is the reference registry (CNCF Distribution), built from its Go module. Plain HTTP and nobody asked for a name: it
must listen on an address that only this machine reaches, such as loopback or the host's end of a cluster's link.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from session_devtools.daemons import Daemons
from session_devtools.http_client import Client
from session_devtools.ports import free_ports
from session_devtools.progress import NoProgress, Progress
from session_devtools.waiting import wait_until

from local_cluster import build

__all__ = ["Registry", "configuration"]

TIMEOUT: Final = 20.0
""" Seconds for it to answer; on an idle machine it takes a tenth of one. """


@dataclass(frozen=True)
class Registry:
    """A running registry; its images are called `ADDRESS/NAME:TAG`."""

    address: str
    """ As in `10.245.0.1:20123`. """
    pid: int

    @classmethod
    @contextlib.contextmanager
    def running(
        cls, folder: Path, *, host: str = "127.0.0.1", progress: Progress | None = None
    ) -> Iterator["Registry"]:
        """Have one run on a free port of an address of this machine; its images, settings and log go to the folder.

        :raises BuildError: it could not be built.
        :raises StartError: it did not start, with the end of its log.
        """
        program = build.registry(progress=progress or NoProgress())
        (port,) = free_ports(1)
        settings = folder / "registry.json"
        settings.write_text(configuration(host=host, port=port, images=folder / "images"))
        daemons = Daemons(folder)
        try:
            # Left alone it tells traces to a collector on this machine.
            daemons.start(
                "registry", Path("/usr/bin/env"), ["OTEL_TRACES_EXPORTER=none", str(program), "serve", str(settings)]
            )
            _await(host, port, daemons)
            yield cls(address=f"{host}:{port}", pid=daemons.pids()["registry"])
        finally:
            daemons.stop()

    def tags(self, name: str) -> list[str]:
        """The tags of an image; none when the registry has no such image."""
        answer = Client(f"http://{self.address}").request(f"/v2/{name}/tags/list")
        return sorted(answer.json_object()["tags"] or []) if answer.ok else []


def configuration(*, host: str, port: int, images: Path) -> str:
    """The registry's settings (JSON is YAML). Pure."""
    return json.dumps(
        {
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(images)},
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            "http": {"addr": f"{host}:{port}", "secret": "one registry needs none to share"},
        }
    )


def _await(host: str, port: int, daemons: Daemons) -> None:
    def answers() -> bool:
        daemons.check()
        return Client(f"http://{host}:{port}").request("/v2/", timeout=5).ok

    wait_until(f"an answer of the registry at {host}:{port}", answers, within=TIMEOUT)
