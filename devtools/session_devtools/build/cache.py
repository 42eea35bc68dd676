"""A folder that survives, whose entries are either whole or absent.

An entry's name carries a hash over everything that decides its content, so it is never out of date and never needs
checking. It is filled under a temporary name and renamed when it is whole: a Ctrl-C in the middle of a build leaves
nothing that a later run could take for a result. One lock per entry keeps two builds of the same thing from running
side by side, which on a small machine would take twice as long for both.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from session_devtools.advice import with_advice
from session_devtools.commands import run
from session_devtools.errors import MachineError
from session_devtools.mounts import mounts_under
from session_devtools.progress import Progress

__all__ = ["cache_folder", "content_key", "entry", "files_of"]


def cache_folder(environment: Mapping[str, str] | None = None) -> Path:
    """The cache: $WHATSAPP_OPERATOR_CACHE, else below $XDG_CACHE_HOME, else below ~/.cache."""
    given = os.environ if environment is None else environment
    if explicit := given.get("WHATSAPP_OPERATOR_CACHE"):
        return Path(explicit).expanduser().absolute()
    base = given.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "whatsapp-session-operator"


def content_key(*, files: Mapping[str, bytes], extra: Iterable[str] = ()) -> str:
    """Twelve hexadecimal digits over names, contents and extra words; the order of the files does not matter."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{len(name)}:{name}:{len(content)}:".encode())
        digest.update(content)
    for text in extra:
        digest.update(f"{len(text)}:{text}".encode())
    return digest.hexdigest()[:12]


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its relative name, for `content_key`."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def entry(name: str, fill: Callable[[Path], None], *, progress: Progress, cache: Path | None = None) -> Path:
    """The folder of that name in the cache; absent, it is filled by the given function first.

    Raises whatever `fill` raises; the cache is then as it was.
    """
    root = cache_folder() if cache is None else cache
    final = root / name
    if final.is_dir():
        return final
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root / f".{name}.lock", progress):
        if final.is_dir():  # somebody else built it while we waited for the lock
            return final
        for left in root.glob(f".{name}-*"):  # of one who was killed: whoever holds the lock is the only one at work
            for mounted in mounts_under(left):
                run("umount", mounted)
            shutil.rmtree(left)
        partial = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=root))
        try:
            partial.chmod(0o755)
            fill(partial)
            partial.rename(final)
        except BaseException as error:
            shutil.rmtree(partial, ignore_errors=True)
            if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise MachineError(with_advice(f"making {name} in {root} failed", str(error))) from error
            raise
    return final


@contextlib.contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock of one entry; the kernel frees it when its holder ends, however it ends.

    A lock library would be no shorter, as it has no word for telling that somebody waits.
    """
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with progress.step(f"waiting for another build of {path.name[1:-5]}", status=lambda: "it is still running"):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
