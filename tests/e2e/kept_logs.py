"""Keeps what all pods of a run logged, also of those that are gone: for the test that reads every line of it.

The kubelet deletes a pod's logs with the pod, and a run has a hundred pods. So a second name is given to each file as
soon as it is there: that costs no copy, and the file stays whatever the kubelet does with its own name.
"""

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

CONTAINERS: Final = ("operator", "runner")
FOREIGN: Final = "attack-"
""" How namespaces begin in which other programs run in the place of runners, and say what they like (`attack.campaign`). """
EVERY: Final = 1.0
""" Seconds between two looks; a pod that is gone sooner has its log deleted some seconds later. """


class Line(NamedTuple):
    """One line of a container's log."""

    container: str
    text: str


class KeptLogs:
    """The logs of one cluster, in a folder of the same file system."""

    def __init__(self, *, pods: Path, kept: Path) -> None:
        self._pods = pods
        """ Where the node has them: NAMESPACE_POD_UID/CONTAINER/NUMBER.log """
        self._kept = kept
        self._names: dict[int, Path] = {}
        """ By inode: a log that is rotated gets another name. """
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kept logs", daemon=True)

    def start(self) -> None:
        """Keep them from now on."""
        self._kept.mkdir(exist_ok=True)
        self._thread.start()

    def stop(self) -> None:
        """Keep no more of them; what is kept goes with the cluster."""
        self._over.set()
        self._thread.join()

    def look(self) -> None:
        """Keep what is new."""
        # Not `Path.glob`, which fails when the kubelet deletes a folder that it is reading.
        for path in (Path(folder, name) for folder, _, names in os.walk(self._pods) for name in names):
            ours = path.parent.name in CONTAINERS and not path.parents[1].name.startswith(FOREIGN)
            if not ours or ".log" not in path.name or path.suffix == ".gz":
                continue
            try:
                inode = path.stat().st_ino
                if inode in self._names:
                    continue
                name = self._kept / f"{inode}.{path.parent.name}"
                with contextlib.suppress(FileExistsError):  # of a run before on the same cluster
                    os.link(path, name)
                self._names[inode] = name
            except FileNotFoundError:
                continue  # it went meanwhile

    def lines(self) -> Iterator[Line]:
        """Yield every line that is kept."""
        self.look()
        for name in list(self._names.values()):
            for text in whole_lines(name.read_text(encoding="utf-8", errors="replace")):
                yield Line(name.suffix.removeprefix("."), text)

    def _run(self) -> None:
        while not self._over.wait(EVERY):
            self.look()


def whole_lines(log: str) -> Iterator[str]:
    """Yield the lines of a log as container runtimes write it: TIME STREAM TAG TEXT, where the tag P means that more follows.

    A line without an end was cut off when its program was killed; it is left out.
    """
    parts = ""
    for line in log.split("\n"):
        _time, _, rest = line.partition(" ")
        _stream, _, rest = rest.partition(" ")
        tag, _, text = rest.partition(" ")
        parts += text
        if tag == "F":
            yield parts
            parts = ""
