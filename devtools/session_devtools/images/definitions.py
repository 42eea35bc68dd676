"""Which images there are, and what decides the content of each."""

import dataclasses
from pathlib import Path
from typing import Final

from session_devtools.images import debian

ROOT: Final = Path(__file__).resolve().parents[3]
""" The repository: the build context. """

BUILD: Final = "requirements/build.txt"
""" What wheels are built with. """

VERSION: Final = "pyproject.toml"
""" Where the version of all stands; each image says it. """


@dataclasses.dataclass(frozen=True, kw_only=True)
class Image:
    """One image. Its inputs are relative to the repository; a folder stands for all files below it."""

    name: str
    dockerfile: str
    requirements: tuple[str, ...]
    """ The locks: of what it runs with, and of what its wheel is built with. """
    sources: tuple[str, ...]

    @property
    def repository(self) -> str:
        """The image's name without its tag. `localhost` keeps every tool from asking a registry for it."""
        return f"localhost/whatsapp-{self.name}"

    @property
    def packages(self) -> tuple[str, ...]:
        """What Debian's packages depend on."""
        return debian.files(self.name)

    def inputs(self, root: Path = ROOT) -> dict[str, bytes]:
        """Every file that a build reads, by its path in the repository; what a program's run leaves is left out."""
        named = [
            root / path
            for path in (
                *(self.dockerfile, *self.requirements, *self.packages),
                *(".dockerignore", "LICENSE", VERSION, *self.sources),
            )
        ]
        files = [file for path in named for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
        return {
            str(file.relative_to(root)): file.read_bytes()
            for file in files
            if file.is_file() and "__pycache__" not in file.parts
        }


IMAGES: Final = {
    image.name: image
    for image in (
        Image(
            name="operator",
            dockerfile="Dockerfile.operator",
            requirements=("requirements/operator.txt", BUILD),
            sources=("session-protocol/session_protocol", "operator"),
        ),
        Image(
            name="runner",
            dockerfile="Dockerfile.runner",
            requirements=("requirements/runner.txt", BUILD),
            sources=("session-protocol/session_protocol", "session-runner"),
        ),
        Image(
            name="standin",
            dockerfile="tests/standin/Dockerfile",
            requirements=("requirements/standin.txt",),
            sources=("tests/standin",),
        ),
    )
}
