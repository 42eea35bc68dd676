"""Which version the browser is of: by its own word, and by what the build of the image recorded.

Each start needs it before the profile is opened, for the user agent and the profile's record. The browser's own word counts.
To ask for it costs a start of the browser, so the build of the image asks, and notes of which file that is the word: a
session asks a browser that is another file. What is noted is also for a browser that is too broken to say anything, so that
an error names what is broken all the same.
"""

import asyncio
import contextlib
import re
import signal
from pathlib import Path

from session_runner.page.errors import LaunchError

RECORD = Path("/usr/share/wasession/browser-version")
""" What the image's build writes when the browser has come up (`first_start`). """
NOTE = RECORD.with_name("browser")
""" The same with the file's size and time: what `note` returns. """
_LONGEST = 4096
""" Bytes of an answer that are looked at; more is a browser that writes without end. """
_VERSION = re.compile(r"(?<![0-9.])[0-9]{2,6}(?:\.[0-9]{1,6}){3}(?![0-9.])", re.ASCII)
""" Four numbers, as all Chromiums have them; the time of day in its log has two. """


def parse_version(text: str) -> str | None:
    """Return the version in what a browser prints: "156.0.7204.49" of "Chromium 156.0.7204.49 built on …"."""
    found = _VERSION.search(text[:_LONGEST])
    return found.group() if found else None


def version_numbers(version: str) -> tuple[int, ...]:
    """Return a version's numbers, by which versions are compared."""
    return tuple(int(part) for part in version.split("."))


def recorded_version(path: Path = RECORD) -> str | None:
    """Return the version that the image's build recorded; None outside of an image."""
    try:
        with path.open("rb") as file:
            return parse_version(file.read(_LONGEST).decode(errors="replace"))
    except OSError:
        return None


def note(version: str, executable: Path) -> str:
    """Return what is noted of a browser: its version, and by what its file is known again. :raises OSError: there is none."""
    found = executable.stat()
    return f"{version} {found.st_size} {int(found.st_mtime)}"


def noted_version(executable: Path, path: Path = NOTE) -> str | None:
    """Return the version that was noted of this very file; None: of none or of another one."""
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST).decode(errors="replace").strip()
        version = parse_version(text)
        return version if version is not None and text == note(version, executable) else None
    except OSError:
        return None


async def browser_version(executable: Path, *, path: Path = NOTE) -> str:
    """Return the browser's version, such as "156.0.7204.49": the noted one, else what it says to --version.

    :raises LaunchError: it cannot be started, or does not say its version.
    """
    return noted_version(executable, path) or await ask_version(executable)


async def ask_version(executable: Path) -> str:
    """Return the version that the browser says when it is started with --version.

    :raises LaunchError: it cannot be started, or does not say its version.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            str(executable), "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
    except OSError as error:
        raise LaunchError(f"{executable} cannot be started ({error.strerror}); check BROWSER_EXECUTABLE.") from error
    try:
        output = await _read(process)
    finally:
        # Whoever says more than we read, or is asked to stop: what it has said is enough.
        with contextlib.suppress(ProcessLookupError):
            if process.returncode is None and (process.stdout is None or not process.stdout.at_eof()):
                process.kill()
        await process.wait()
    version = parse_version(output)
    if version is None or process.returncode:
        raise LaunchError(
            f"The browser does not report its version ({_ended(process.returncode, output)}); check BROWSER_EXECUTABLE."
        )
    return version


async def _read(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None:
        return ""
    try:
        output = await process.stdout.readexactly(_LONGEST)
    except asyncio.IncompleteReadError as error:
        output = error.partial
    return output.decode(errors="replace")


def _ended(status: int | None, output: str) -> str:
    printed = " ".join(output.split())[:200]
    account = f"it says {printed!r}" if printed else "it says nothing"
    if status is not None and status < 0:
        return f"{account}, ended by {signal.Signals(-status).name}"
    return f"{account}, exit status {status}"
