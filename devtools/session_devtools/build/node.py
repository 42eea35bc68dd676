"""Node programs with their packages, installed once by their lock file into the cache.

They run on the Node that Playwright brings along, so that the machine needs npm alone, and that only to install.
"""

import shutil
from pathlib import Path

from playwright._impl._driver import compute_driver_executable

from session_devtools import packages
from session_devtools.build.cache import cache_folder, content_key, entry, files_of
from session_devtools.commands import run
from session_devtools.progress import Progress

__all__ = ["installed", "node", "place"]


def node() -> Path:
    """The Node to run them on."""
    return Path(compute_driver_executable()[0])


def place(name: str, sources: Path) -> Path:
    """Where a program is once it is installed; by its content, so that a changed one is another."""
    return cache_folder() / f"{name}-{content_key(files=files_of(sources))}"


def installed(name: str, sources: Path, *, progress: Progress) -> Path:
    """The folder of a program with its packages; what is missing is installed first.

    :raises ToolError: it could not be done.
    """
    if shutil.which("npm") is None:
        packages.ensure(("npm",), progress=progress)

    def fill(folder: Path) -> None:
        shutil.copytree(sources, folder, dirs_exist_ok=True)
        with progress.step(f"installing the packages of {name}", status=lambda: "still downloading"):
            run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder, timeout=600)

    return entry(place(name, sources).name, fill, progress=progress)
