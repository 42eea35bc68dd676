"""A repository with one image, and a builder of it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from session_devtools.images.annotations import Origin
from session_devtools.images.apt import AptRoute, Source
from session_devtools.images.base import ARCHIVE as BASE_ARCHIVE
from session_devtools.images.base import base_key
from session_devtools.images.build import ImageBuilder
from session_devtools.images.wheels import fetch_wheels
from session_devtools.progress import NoProgress
from unit.devtools.images.notebook import Notebook

ROUTE = AptRoute(sources=(Source(uri="http://mirror.example/debian/", suite="bookworm"),))
DEBIAN = "requirements/debian"
FILES = (
    "Dockerfile",
    "lock.txt",
    ".dockerignore",
    "LICENSE",
    "code/a.py",
    f"{DEBIAN}/install-packages",
    f"{DEBIAN}/x.in",
)


@pytest.fixture
def tool() -> Notebook:
    """The container tool."""
    return Notebook()


@pytest.fixture
def image_builder(tmp_path: Path, tool: Notebook, monkeypatch: pytest.MonkeyPatch) -> ImageBuilder:
    """A repository with one image; base and wheels are made already."""
    root, cache = tmp_path / "root", tmp_path / "cache"
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    base = cache / f"image-base-{base_key(ROUTE)}"
    base.mkdir(parents=True)
    (base / BASE_ARCHIVE).touch()
    # A lock without packages needs no pip that works: an empty one is enough to fill the cache.
    monkeypatch.setattr("session_devtools.images.wheels.run_logged", lambda *_, log, **__: log.touch())
    fetch_wheels(root / "lock.txt", progress=NoProgress(), cache=cache)
    return ImageBuilder(
        builder=tool,
        route=ROUTE,
        origin=Origin(version="1.2.3", revision="c0ffee"),
        cache=cache,
        root=root,
        progress=NoProgress(),
        clock=lambda: datetime(2026, 3, 4, 5, 6, 7, 890000, tzinfo=UTC),
    )
