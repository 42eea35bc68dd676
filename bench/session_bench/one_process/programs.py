"""The two programs that run all sessions in one process, and what each needs on the machine.

puppeteer-core comes from its own package registry by the lock file beside this module.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from session_devtools import packages
from session_devtools.build.node import installed, node, place
from session_devtools.progress import Progress
from session_runner.page.driver import tune_driver

from session_bench.errors import BenchError

SOURCES = Path(__file__).parent / "puppeteer"
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, kw_only=True)
class Program:
    """One of them."""

    name: str
    browser: Path
    packages: tuple[str, ...]

    def prepare(self, progress: Progress) -> None:
        """Install what is missing. :raises ToolError: it could not be done."""
        packages.ensure((*packages.BROWSER, *self.packages), progress=progress)
        if self.name == "puppeteer":
            installed(self.name, SOURCES, progress=progress)

    def command(self, program: str = "main.mjs") -> list[str]:
        """The words that start it; the plan's path follows. Only puppeteer has another program than its main one."""
        if self.name == "puppeteer":
            return [str(node()), str(_cached() / program)]
        return [sys.executable, "-m", "session_bench.one_process.python_process"]

    def environment(self, *, home: Path) -> dict[str, str]:
        """Its environment: tuned as the runner tunes its driver, where it has one."""
        folders = (ROOT / name for name in ("bench", "session-runner"))
        chosen = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        if self.name != "puppeteer":
            chosen["PYTHONPATH"] = ":".join(map(str, folders))
            tune_driver(chosen)
        return chosen


PUPPETEER = Program(name="puppeteer", browser=Path("/usr/bin/chromium"), packages=("chromium",))
PLAYWRIGHT = Program(name="playwright", browser=Path("/usr/lib/chromium/chromium-headless-shell"), packages=())


def _cached() -> Path:
    folder = place(PUPPETEER.name, SOURCES)
    if not folder.is_dir():
        raise BenchError("puppeteer-core is not installed; run the benchmark by `make bench-memory`")
    return folder
