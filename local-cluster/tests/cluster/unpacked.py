"""An image's files as a container has them, and the documents in its archive."""

import dataclasses
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from session_devtools.images import Built

SETUP = """\
set -e
mount --make-rprivate /
mount --bind "$ROOT" "$ROOT"
mount --rbind /dev "$ROOT/dev"
mount -t proc proc "$ROOT/proc"
mount -t tmpfs -o mode=1777 tmpfs "$ROOT/tmp"
mount -t tmpfs -o uid=10001,gid=10001,mode=700 tmpfs "$ROOT/home/$NAME"
mount -o remount,bind,ro "$ROOT"
exec chroot "$ROOT" /usr/bin/setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs \\
  --bounding-set=-all --inh-caps=-all -- /usr/bin/env -i "HOME=/home/$NAME" "$@"
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Unpacked:
    """An image made from the repository's copy at `sources`, whose files are mounted at `files`."""

    built: Built
    sources: Path
    files: Path
    config: dict[str, Any]

    def run(self, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a program of the image as its user: the root file system read-only, /tmp and HOME writable."""
        environment = {
            "PATH": os.environ["PATH"],
            "ROOT": str(self.files),
            "NAME": self.built.name,
        }
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--", "sh", "-c", SETUP, "sh"]
        command += [*self.config["Env"], *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout, check=False)

    def python(self, code: str) -> str:
        """What a piece of Python prints in the image. It must end well."""
        done = self.run("python", "-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def files_with_bits(folder: Path, bits: str) -> list[str]:
    """The regular files with any of these permission bits, as paths inside of the image."""
    found = subprocess.check_output(
        ["find", folder, "-xdev", "-type", "f", "-perm", f"/{bits}", "-printf", "/%P\n"], text=True
    )
    return found.split()


def archived(archive: Path, name: str) -> Any:
    """A JSON document of an OCI archive."""
    with tarfile.open(archive) as opened:
        member = opened.extractfile(name)
        assert member is not None
        return json.load(member)


def manifest(archive: Path) -> Any:
    """The image's manifest in an OCI archive."""
    digest: str = archived(archive, "index.json")["manifests"][0]["digest"]
    return archived(archive, f"blobs/{digest.replace(':', '/')}")
