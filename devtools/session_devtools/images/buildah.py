"""buildah with a storage of its own: nothing else on the machine sees its images, and `clean` removes them all.

Builds need root (overlay mounts), no daemon and no container runtime: `chroot` isolation runs the build's commands
straight on the host's kernel, with the host's network.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from session_devtools.commands import run, succeeds
from session_devtools.errors import BuildError, CommandError
from session_devtools.images.leftovers import in_use
from session_devtools.images.logged import LONGEST, run_logged


class BuildTool(Protocol):
    """What a build needs of a container tool; the tests have one that only notes what it is asked."""

    def has(self, reference: str) -> bool:
        """Whether there is an image of this name."""

    def add_base(self, archive: Path, reference: str) -> None:
        """An image of one layer out of an archive of files."""

    def build(
        self,
        reference: str,
        *,
        dockerfile: Path,
        context: Path,
        arguments: Mapping[str, str],
        annotations: Mapping[str, str],
        mounts: Mapping[Path, str],
        log: Path,
    ) -> None:
        """Build a Dockerfile; its commands see the `mounts`, read-only. The annotations are labels too.

        :raises BuildError: it could not be built.
        """

    def read(self, reference: str, *paths: str) -> dict[str, str]:
        """Those of the small text files that an image has."""

    def run(self, reference: str, script: str, *, mounts: Mapping[Path, str]) -> str:
        """What a shell script prints in a container of an image, which is then gone."""

    def pull(self, name: str, *, verify_tls: bool) -> str:
        """Have an image of a registry in the storage; its digest."""

    def export(self, reference: str, archive: Path, *, log: Path) -> None:
        """Write an image as an OCI archive that carries its name. :raises BuildError: it could not be built."""

    def size(self, reference: str) -> int:
        """Bytes of an image's files, unpacked."""

    def digest(self, reference: str) -> str:
        """The digest of an image's manifest."""


class Buildah:
    """One storage. The folder's name must stay short: the storage puts long names below it."""

    def __init__(self, folder: Path) -> None:
        self._program = (
            *("buildah", "--root", str(folder / "root"), "--runroot", str(folder / "run")),
            *("--storage-driver", "overlay"),
        )
        self._lock = folder / "in-use.lock"

    def has(self, reference: str) -> bool:
        """Whether the storage has an image of this name."""
        return succeeds(*self._program, "inspect", "--type", "image", reference)

    def add_base(self, archive: Path, reference: str) -> None:
        """An image of one layer out of an archive of files. :raises CommandError: a command failed."""
        with self._container("scratch") as container:
            run(*self._program, "add", "--quiet", container, archive, "/", timeout=300)
            run(*self._program, "config", "--cmd", "/bin/bash", container)
            run(*self._program, "commit", "--quiet", container, reference, timeout=300)

    def build(
        self,
        reference: str,
        *,
        dockerfile: Path,
        context: Path,
        arguments: Mapping[str, str],
        annotations: Mapping[str, str],
        mounts: Mapping[Path, str],
        log: Path,
    ) -> None:
        """Build a Dockerfile; `mounts` are seen by its commands, read-only.

        :raises BuildError: it could not be built, with the log's end.

        The annotations are for registries, the same labels for those who inspect the image on a node. Layers are kept, so
        that after a change of the code only the code's layers are made anew.
        """
        command = [
            *(*self._program, "bud", "--layers", "--network", "host", "--isolation", "chroot", "--pull-never"),
            *(argument for name, value in arguments.items() for argument in ("--build-arg", f"{name}={value}")),
            *(argument for name, text in annotations.items() for argument in noted(name, text)),
            *_volumes(mounts),
            *("--tag", reference, "--file", str(dockerfile), str(context)),
        ]
        with in_use(self._lock, remove=self._remove_containers):
            run_logged(command, log=log, what=f"the build of {reference}")

    def read(self, reference: str, *paths: str) -> dict[str, str]:
        """Those of the small text files that an image has. :raises CommandError: a command failed."""
        with self._container("--pull-never", reference) as container:
            root = Path(run(*self._program, "mount", container).strip())
            found = {path: root / path.lstrip("/") for path in paths}
            return {path: file.read_text(errors="replace") for path, file in found.items() if file.is_file()}

    def run(self, reference: str, script: str, *, mounts: Mapping[Path, str]) -> str:
        """What a shell script prints in a container of an image; the container is then gone.

        :raises CommandError: a command failed.
        """
        with self._container("--pull-never", reference) as container:
            command = ("run", "--isolation", "chroot", *_volumes(mounts), container, "--", "sh", "-c", script)
            return run(*self._program, *command, timeout=LONGEST)

    @contextlib.contextmanager
    def _container(self, *source: str) -> Iterator[str]:
        """A container, which is gone afterwards."""
        with in_use(self._lock, remove=self._remove_containers):
            container = run(*self._program, "from", *source).strip()
            try:
                yield container
            finally:
                run(*self._program, "rm", container)

    def _remove_containers(self) -> None:
        """Remove all working containers: those of builds that were cut off, when nobody builds."""
        with contextlib.suppress(CommandError):  # the build that follows says what is wrong with the storage
            run(*self._program, "rm", "--all", timeout=300)

    def pull(self, name: str, *, verify_tls: bool) -> str:
        """Have an image of a registry in the storage; its digest. :raises BuildError: the registry does not give it."""
        verify = f"--tls-verify={str(verify_tls).lower()}"
        try:
            # Always: what the storage has of this name may be of yesterday.
            run(*self._program, "pull", "--quiet", "--policy", "always", verify, f"docker://{name}", timeout=600)
        except CommandError as error:
            raise BuildError(
                f"the base {name} cannot be had, so there is no digest of it. Without --base the images stand on a Debian "
                f"that is made from packages.\n{error}"
            ) from error
        return self.digest(name)

    def export(self, reference: str, archive: Path, *, log: Path) -> None:
        """Write an image as an OCI archive that carries its name.

        :raises BuildError: it could not be built.

        Its layers are as they are: to compress half a gigabyte and to unpack it takes longer than to read and write it.
        """
        run_logged(
            [
                *self._program,
                "push",
                "--quiet",
                "--disable-compression",
                reference,
                f"oci-archive:{archive}:{reference}",
            ],
            log=log,
            what=f"writing {archive.name}",
        )

    def take(self, archive: Path) -> None:
        """Have an archive's image in the storage, under the name that the archive carries.

        :raises CommandError: a command failed.
        """
        run(*self._program, "pull", "--quiet", f"oci-archive:{archive}", timeout=600)

    def push(self, reference: str, destination: str, *, verify_tls: bool, log: Path) -> None:
        """Push an image to a registry, with the login that buildah, podman or docker keep.

        :raises BuildError: it could not be built.
        """
        verify = f"--tls-verify={str(verify_tls).lower()}"
        command = [*self._program, "push", "--quiet", verify, reference, f"docker://{destination}"]
        run_logged(command, log=log, what=f"the push to {destination}")

    def size(self, reference: str) -> int:
        """Bytes of an image's files, unpacked. :raises CommandError: a command failed."""
        listed = json.loads(run(*self._program, "images", "--json", reference))
        return parse_size(listed[0]["size"])

    def digest(self, reference: str) -> str:
        """The digest of an image's manifest. :raises CommandError: a command failed."""
        template = "{{.FromImageDigest}}"
        return run(*self._program, "inspect", "--type", "image", "--format", template, reference).strip()


def noted(name: str, text: str) -> tuple[str, ...]:
    """The words that make a note an annotation of the manifest, and a label."""
    return ("--annotation", f"{name}={text}", "--label", f"{name}={text}")


def parse_size(text: str) -> int:
    """Buildah's decimal notation in bytes: `732 MB`, `1.07 GB`."""
    number, unit = text.split()
    return round(float(number) * {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}[unit.upper()])


def _volumes(mounts: Mapping[Path, str]) -> list[str]:
    return [argument for path, target in mounts.items() for argument in ("--volume", f"{path}:{target}:ro")]
