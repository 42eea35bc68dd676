"""Whether the profile is one that a browser of ours wrote, and whole; looked at before any browser opens it.

`session` calls `inspect` under the lock. A browser would repair by deleting: databases that it cannot open are begun
anew, and the login is gone. So whatever is not as a runner leaves it is refused here, untouched, and a person is told
which file it is. `check_browser` refuses the rollback: an older browser does not know what a newer one has written.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from session_protocol.files import read_small

from session_runner.host.browser_version import parse_version, version_numbers
from session_runner.profile.layout import ProfileLayout
from session_runner.profile.leveldb import DamagedDatabaseError, check_database
from session_runner.profile.lock import SINGLETON_LINKS, ProfileUnusableError

MOST_FILES: Final = 50_000
""" Files that are looked at; a profile has some thousands at most. """
_RESTORE: Final = (
    "Nothing was changed. Restore the volume from a backup, or give the session an empty one and link the phone again."
)


def inspect(layout: ProfileLayout) -> None:
    """Check what is on the volume.

    :raises ProfileUnusableError: it is not fit for a browser; the message says why, and what to do.
    """
    try:
        if not os.path.lexists(layout.user_data):
            return
        folders = _folders(layout.user_data)
        for count, (path, mode) in enumerate(_walk(layout.user_data)):
            if count >= MOST_FILES:
                break
            _check_file(path, mode, layout, folders)
        for folder in _databases(layout.user_data):
            _check(folder, layout)
    except OSError as error:
        where = _relative(Path(error.filename), layout) if isinstance(error.filename, str) else layout.root
        raise ProfileUnusableError(
            f"{where} on the profile volume cannot be read ({error.strerror}). {_RESTORE}"
        ) from error


def check_browser(layout: ProfileLayout, *, recorded: str | None, present: str) -> None:
    """Check that no newer browser has had the profile.

    Releases of one major version read each other's files; what changes a format waits for the next major one. So going
    back to an earlier security update is no rollback.

    :param recorded: the version that the state file names; else Chromium's own record of it counts.
    :raises ProfileUnusableError: a newer one has.
    """
    before, ours = parse_version(recorded or _last_version(layout) or ""), parse_version(present)
    if before is None or ours is None or version_numbers(before)[0] <= version_numbers(ours)[0]:
        return
    raise ProfileUnusableError(
        f"The profile was last opened by Chromium {before}, and this image has Chromium {ours}: an older browser may throw "
        "the login away, so it does not open the profile. Use the newer runner image again, or give the session an empty volume and link the phone again."
    )


def _last_version(layout: ProfileLayout) -> str | None:
    try:
        return read_small(layout.user_data / "Last Version")
    except (OSError, UnicodeDecodeError):
        return None


def _walk(root: Path) -> Iterator[tuple[Path, int]]:
    """Yield what there is, with its mode, without following links."""
    mode = root.lstat().st_mode
    yield root, mode
    if not stat.S_ISDIR(mode):
        return
    folders = [root]
    while folders:
        with os.scandir(folders.pop()) as entries:
            found = list(entries)
        for entry in found:
            mode = entry.stat(follow_symlinks=False).st_mode
            yield Path(entry.path), mode
            if stat.S_ISDIR(mode):
                folders.append(Path(entry.path))


def _check_file(path: Path, mode: int, layout: ProfileLayout, folders: tuple[Path, ...]) -> None:
    if path.name in SINGLETON_LINKS and path.parent == layout.user_data:
        return
    what = ""
    if stat.S_ISLNK(mode):
        what = "is a link, and may lead off the volume"
    elif not stat.S_ISDIR(mode) and path in folders:
        what = "is not a folder"
    elif stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        what = "is neither a file nor a folder"
    elif not os.access(path, os.R_OK | os.W_OK | (os.X_OK if stat.S_ISDIR(mode) else 0), effective_ids=True):
        what = "belongs to somebody else and cannot be read and written"
    if what:
        raise ProfileUnusableError(f"{_relative(path, layout)} on the profile volume {what}. {_RESTORE}")


def _folders(user_data: Path) -> tuple[Path, ...]:
    profile = user_data / "Default"
    return user_data, profile, profile / "IndexedDB", profile / "Local Storage", profile / "Local Storage" / "leveldb"


def _databases(user_data: Path) -> list[Path]:
    profile = user_data / "Default"
    local = profile / "Local Storage" / "leveldb"
    return [*sorted((profile / "IndexedDB").glob("*.indexeddb.leveldb")), *([local] if local.exists() else [])]


def _check(folder: Path, layout: ProfileLayout) -> None:
    try:
        check_database(folder)
    except NotADirectoryError as error:
        raise ProfileUnusableError(
            f"{_relative(folder, layout)} on the profile volume is not a folder. {_RESTORE}"
        ) from error
    except DamagedDatabaseError as error:
        raise ProfileUnusableError(
            f"The login's database {_relative(folder, layout)} on the profile volume is damaged: {error}. {_RESTORE}"
        ) from error


def _relative(path: Path, layout: ProfileLayout) -> Path:
    return path.relative_to(layout.root) if path.is_relative_to(layout.root) else path
