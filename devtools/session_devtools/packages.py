"""Debian packages, installed when they are missing, without starting what they bring.

Debian starts a package's daemons when it is installed; a cluster of ours runs its own containerd, and somebody who
tries a demo did not ask for another. A `policy-rc.d`, Debian's own means for this, forbids it during the
installation, and what stood in its place before is put back.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from session_devtools.advice import advice
from session_devtools.commands import run
from session_devtools.errors import CommandError, MachineError
from session_devtools.progress import NoProgress, Progress

__all__ = ["BROWSER", "IMAGES", "ensure", "missing", "no_daemons", "parse_missing"]

IMAGES = ("buildah", "debootstrap")
"""What building images needs."""
BROWSER = (
    *("chromium-headless-shell", "fonts-liberation", "libatomic1", "libnss3-tools"),
    *("libopusenc0", "libsndfile1"),
)
"""What the runner's tests need outside of a container: the browser, what Playwright's driver loads, certutil, and what makes
voice notes."""

FINISH = "dpkg --configure -a"
"""What apt names, in any language, when an earlier installation was cut off."""
POLICY = Path("/usr/sbin/policy-rc.d")
FORBIDDEN = "#!/bin/sh\n# Written by the local cluster for the time of an installation.\nexit 101\n"


def missing(names: Sequence[str]) -> list[str]:
    """Those of the packages that are not installed."""
    # dpkg-query fails as a whole when it does not know one of them, and still lists the others.
    asked = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\\n", *names]
    listed = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return parse_missing(names, listed)


def parse_missing(names: Sequence[str], listed: str) -> list[str]:
    """Those of the names that a list of `NAME STATUS` lines does not call installed; pure."""
    installed = {fields[0] for line in listed.splitlines() if (fields := line.split())[-1:] == ["installed"]}
    return [name for name in names if name not in installed]


def ensure(names: Sequence[str], *, progress: Progress | None = None) -> list[str]:
    """Install those of the packages that are missing, and return them.

    :raises MachineError: this is no Debian or we are not root.
    :raises CommandError: apt fails.
    """
    watcher = progress or NoProgress()
    if shutil.which("apt-get") is None:
        raise MachineError(
            f"These programs are installed by apt, and there is no apt-get here. On a Debian 12 machine (a virtual one "
            f"will do) this works by itself; elsewhere install the counterparts of: {' '.join(names)}"
        )
    wanted = missing(names)
    if not wanted:
        return []
    if os.geteuid() != 0:
        raise MachineError(f"These packages are missing: run `sudo apt-get install {' '.join(wanted)}`, or be root.")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", *wanted]
    with one_at_a_time(), no_daemons():
        with watcher.step("updating the package lists", status=lambda: "still downloading"):
            _apt(("apt-get", "update", "-o", "DPkg::Lock::Timeout=300"), environment)
        with watcher.step(f"installing {' '.join(wanted)}", status=lambda: "still downloading or unpacking"):
            _apt(install, environment)
    return wanted


def _apt(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run apt; an installation that a Ctrl-C cut off is completed first, which apt asks for and does not do.

    :raises MachineError: a person can do something about it.
    :raises CommandError: a command failed, with apt's words elsewhere.
    """
    try:
        run(*command, environment=environment, timeout=1800)
    except CommandError as error:
        if sentence := advice(error.output):
            raise MachineError(f"`{' '.join(command[:2])}` failed: {sentence}\n{error.output.strip()}") from error
        if FINISH not in error.output:
            raise
        run(*FINISH.split(), environment=environment, timeout=1800)
        run(*command, environment=environment, timeout=1800)


@contextlib.contextmanager
def one_at_a_time(folder: Path = POLICY.parent) -> Iterator[None]:
    """Wait for other installations of ours: they would take the policy away, and apt has no patience with its lists.

    The kernel lets the folder go when its holder ends, however it ends.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def no_daemons(policy: Path = POLICY) -> Iterator[None]:
    """Keep packages from starting their daemons for a while; what was there before is put back, whatever happens.

    The machine's own policy is moved aside and not read: should we be killed meanwhile, it is still there, and the
    next installation puts it back.
    """
    aside = policy.with_name(f"{policy.name}.before-local-cluster")
    if policy.exists() and policy.read_text(errors="replace") != FORBIDDEN:
        policy.rename(aside)
    policy.write_text(FORBIDDEN)
    policy.chmod(0o755)
    try:
        yield
    finally:
        if aside.exists():
            aside.rename(policy)
        else:
            policy.unlink()
