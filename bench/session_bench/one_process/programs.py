"""The two programs that run all sessions in one process, and what each needs on the machine.

puppeteer-core comes from its own package registry by the lock file beside this module, once, into the cache; it runs
on the Node that Playwright brings along.
"""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright._impl._driver import compute_driver_executable
from session_devtools import packages
from session_devtools.build.cache import cache_folder, content_key, entry, files_of
from session_devtools.commands import run
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
            _puppeteer(progress)

    def command(self) -> list[str]:
        """The words that start it; the plan's path follows."""
        if self.name == "puppeteer":
            return [str(compute_driver_executable()[0]), str(_cached() / "main.mjs")]
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


def _key() -> str:
    return f"puppeteer-{content_key(files=files_of(SOURCES))}"


def _cached() -> Path:
    folder = cache_folder() / _key()
    if not folder.is_dir():
        raise BenchError("puppeteer-core is not installed; run the benchmark by `make bench-memory`")
    return folder


def _puppeteer(progress: Progress) -> None:
    if shutil.which("npm") is None:
        packages.ensure(("npm",), progress=progress)

    def fill(folder: Path) -> None:
        shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
        with progress.step("installing puppeteer-core", status=lambda: "still downloading"):
            run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder, timeout=600)

    entry(_key(), fill, progress=progress)
