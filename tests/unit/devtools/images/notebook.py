"""A container tool without containers, which only notes what it is asked."""

from collections.abc import Mapping
from pathlib import Path

from session_devtools.errors import BuildError


class Notebook:
    """A container tool without containers."""

    def __init__(self) -> None:
        self.images: set[str] = set()
        self.arguments: Mapping[str, str] = {}
        self.annotations: Mapping[str, str] = {}
        self.mounts: dict[str, Path] = {}
        self.texts: dict[str, str] = {}
        self.builds = 0
        self.fails = False
        self.noted: dict[str, str] = {}
        """ Files that a build leaves in its image. """
        self.prints = ""
        """ What a container prints. """
        self.script = ""
        self.folders: dict[str, list[str]] = {}
        """ The files of the folders that a container saw. """

    def has(self, reference: str) -> bool:
        """By name."""
        return reference in self.images

    def add_base(self, archive: Path, reference: str) -> None:
        """Needs the archive."""
        assert archive.exists()
        self.images.add(reference)

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
        """Notes all of it; the mounted files' text too, as they may be gone later."""
        self.builds += 1
        log.write_text("it goes on\n")
        if self.fails:
            raise BuildError("no space left")
        assert dockerfile.is_relative_to(context)
        assert arguments["BASE"] in self.images
        self.arguments = arguments
        self.annotations = annotations
        self.mounts = {target: path for path, target in mounts.items()}
        self.texts = {target: path.read_text() for path, target in mounts.items() if path.is_file()}
        self.images.add(reference)

    def read(self, reference: str, *paths: str) -> dict[str, str]:
        """What the build noted."""
        assert reference in self.images
        return {path: self.noted[path] for path in paths if path in self.noted}

    def run(self, reference: str, script: str, *, mounts: Mapping[Path, str]) -> str:
        """Notes what it is to do."""
        assert reference in self.images
        self.script = script
        self.folders = {
            target: sorted(file.name for file in path.iterdir()) for path, target in mounts.items() if path.is_dir()
        }
        return self.prints

    def pull(self, name: str, *, verify_tls: bool) -> str:
        """No test asks for it."""
        raise NotImplementedError

    def export(self, reference: str, archive: Path, *, log: Path) -> None:
        """A file with the name in it."""
        assert log.exists()
        archive.write_text(reference)

    def size(self, reference: str) -> int:
        """Always the same."""
        assert reference in self.images
        return 42

    def digest(self, reference: str) -> str:
        """Of an image that is there."""
        assert reference in self.images
        return "sha256:d1"
