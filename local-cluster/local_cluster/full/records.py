"""What one run of the command line tells the next about an instance: its address, and what was asked of it.

One small file per instance in its state folder. It is written first and removed last, so whoever finds an instance's
remains also finds what it was.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from session_devtools.commands import run
from session_devtools.errors import MachineError, ToolError
from session_devtools.progress import NoProgress, Progress

from local_cluster.full.instance import RUN_ROOT, STATE_ROOT, Instance, Link, choose_link

__all__ = ["MACHINE", "find", "find_or_create", "locked", "names", "remember"]

FILE = "instance.json"
MACHINE = "machine"
"""The lock for what concerns all instances of a machine: who has which link, who was first and who is last."""


def names(state_root: Path = STATE_ROOT) -> list[str]:
    """The instances this machine has something of."""
    return sorted(path.parent.name for path in state_root.glob(f"*/{FILE}"))


def find(name: str, *, state_root: Path = STATE_ROOT, run_root: Path = RUN_ROOT) -> Instance | None:
    """The instance of that name, running or not; None when there is nothing of it."""
    try:
        given = json.loads((state_root / name / FILE).read_text())
        link, network_policies = Link(**given["link"]), bool(given.get("network_policies"))
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise MachineError(f"the cluster {name} is root's: run the same command with sudo or as root") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ToolError(f"{state_root / name / FILE} is damaged ({error}); remove {state_root / name}") from error
    return Instance(name=name, link=link, network_policies=network_policies, state_root=state_root, run_root=run_root)


def find_or_create(name: str, *, state_root: Path = STATE_ROOT, run_root: Path = RUN_ROOT) -> Instance:
    """The instance of that name; a new one gets a link that nobody on this machine uses.

    :raises ConflictError: when there is no such link left.
    """
    with locked(MACHINE, run_root=run_root):
        existing = find(name, state_root=state_root, run_root=run_root)
        if existing is not None:
            return existing
        others = [find(other, state_root=state_root, run_root=run_root) for other in names(state_root)]
        taken = [other.link.network for other in others if other is not None]
        link = choose_link(in_use=[*taken, *_routes()])
        instance = Instance(name=name, link=link, state_root=state_root, run_root=run_root)
        instance.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        remember(instance)
        return instance


def remember(instance: Instance) -> None:
    """Write down what the next command shall know of the instance."""
    partial = instance.state / f".{FILE}.partial"
    partial.write_text(json.dumps({"link": instance.link._asdict(), "network_policies": instance.network_policies}))
    partial.rename(instance.state / FILE)


@contextlib.contextmanager
def locked(name: str, *, run_root: Path = RUN_ROOT, progress: Progress | None = None) -> Iterator[None]:
    """Hold a lock of that name; the kernel frees it when its holder ends, however it ends. The file goes with it.

    So `down` leaves nothing behind; lock libraries keep their files, or remove them under those who wait.
    """
    watcher = progress or NoProgress()
    path = run_root / f".{name}.lock"
    while True:
        try:
            run_root.mkdir(parents=True, exist_ok=True, mode=0o755)
            file = path.open("w")
        except (FileExistsError, FileNotFoundError):  # the last lock's holder removes the folder at this moment
            continue
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with watcher.step(f"waiting for another command on {name}", status=lambda: "it is still at work"):
                    fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_at(path, file.fileno()):  # its last holder removed it while we waited: lock the new one
                continue
            try:
                yield
            finally:
                path.unlink()
                with contextlib.suppress(OSError):  # others still have something in it
                    run_root.rmdir()
            return


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _routes() -> list[str]:
    """The networks this host reaches by something other than its default route."""
    listed = json.loads(run("ip", "-json", "-4", "route", "show", "table", "all") or "[]")
    return [route["dst"] for route in listed if route["dst"] != "default"]
