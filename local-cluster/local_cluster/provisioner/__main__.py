"""The provisioner's process: `python -m local_cluster.provisioner --kubeconfig F --state-dir D --node NAME`.

The cluster's `up` starts it on the host, in the kubelet's mount namespace (a mount made in another one is not seen by
pods), and ends it with SIGTERM. It leaves its mounts in place: running pods keep their volumes while it is away.
"""

import argparse
import asyncio
import contextlib
import datetime as dt
import fcntl
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from session_devtools.errors import ConflictError, MachineError, ToolError

from local_cluster.provisioner import kubeconfig
from local_cluster.provisioner.controller import Controller
from local_cluster.provisioner.disk import LoopDisk, missing_commands
from local_cluster.provisioner.kube import HttpKube
from local_cluster.provisioner.layout import Layout
from local_cluster.provisioner.reporting import Reporter

_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class FieldFormatter(logging.Formatter):
    """One line per record: time, level, message, then the fields that the caller gave as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line; a traceback follows on lines of its own."""
        # A copy: all handlers get the same record, and another one may add to it while this one reads it.
        fields = [f" {key}={value!r}" for key, value in list(record.__dict__.items()) if key not in _PLAIN]
        return super().format(record) + "".join(fields)


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; returns the exit status."""
    given = _parse(arguments)
    handler = logging.StreamHandler()
    handler.setFormatter(FieldFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    try:
        _check_machine()
        layout = Layout(root=given.state_dir.resolve())
        layout.create()
        with _alone(layout.root / "lock"):
            asyncio.run(_run(kubeconfig.load(given.kubeconfig), layout=layout, node=given.node))
    except ToolError as error:
        print(f"local volume provisioner: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(access: kubeconfig.Access, *, layout: Layout, node: str) -> None:
    async with HttpKube(access) as kube:
        controller = Controller(
            kube=kube,
            disk=LoopDisk(layout),
            layout=layout,
            node=node,
            reporter=Reporter(kube, clock=lambda: dt.datetime.now(dt.UTC)),
            clock=time.monotonic,
        )
        work = asyncio.create_task(controller.run())
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, work.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await work


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local_cluster.provisioner", description=__doc__.splitlines()[0])
    parser.add_argument("--kubeconfig", type=Path, required=True, help="how to reach the API server")
    parser.add_argument("--state-dir", type=Path, required=True, help="where the volumes' files and mounts lie")
    parser.add_argument("--node", required=True, help="the name of the node whose volumes these are")
    return parser.parse_args(arguments)


def _check_machine() -> None:
    if os.geteuid() != 0:
        raise MachineError("mounting volumes needs root: run it as root")
    missing = missing_commands()
    if missing:
        raise MachineError(f"{', '.join(missing)} not found: apt-get install e2fsprogs mount util-linux")


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel lets go of it however this process ends."""
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConflictError(f"another provisioner works on {path.parent}: end it first") from error
        yield


if __name__ == "__main__":
    sys.exit(main())
