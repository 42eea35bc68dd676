"""The manifests as an API server gets them; `make generate` writes install.yaml from it.

kustomize comes with the project's own kubectl, so that the same files render to the same bytes on every machine.
"""

import functools
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from local_cluster.build import kubernetes
from session_devtools.progress import ConsoleProgress

__all__ = ["INSTALL", "MANIFESTS", "RENDERED", "documents", "install_yaml", "render", "render_component", "sources"]

MANIFESTS = Path(__file__).parents[2] / "manifests"
INSTALL = MANIFESTS / "install.yaml"
RENDERED = (
    "base",
    "overlays/local",
    "overlays/instance-demo",
    "overlays/demo-current",
    "overlays/namespaced",
    "examples/install",
    "standin",
    "components/browser-sandbox",
    "components/monitoring",
)
""" Every kustomization that stands for itself, and the components that no overlay of ours has. """
HEADER = "# Written by `make generate` from manifests/base; change it there. What it is: docs/operations/install.md.\n"


@functools.cache
def render(name: str) -> str:
    """Render a kustomization of the manifests folder; a component over the base."""
    return render_component(name) if name.startswith("components/") else _kustomize(MANIFESTS / name)


def render_component(*names: str, **fields: Any) -> str:
    """Render components over the base, as somebody's overlay has them, with these fields beside."""
    with tempfile.TemporaryDirectory() as folder:
        overlay = Path(folder).resolve()
        base, *components = (os.path.relpath(MANIFESTS / part, overlay) for part in ("base", *names))
        text = yaml.safe_dump({"resources": [base], "components": components, **fields})
        (overlay / "kustomization.yaml").write_text(text)
        return _kustomize(overlay)


def _kustomize(folder: Path) -> str:
    kubectl = kubernetes(progress=ConsoleProgress()) / "kubectl"
    done = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"kubectl kustomize {folder}: {done.stderr.strip()}")
    return done.stdout


def install_yaml() -> str:
    """The text that manifests/install.yaml should have."""
    return HEADER + render("base")


def sources() -> list[Path]:
    """The files of plain objects: nothing that only kustomize reads, and nothing generated."""
    found = [*MANIFESTS.glob("quota/*.yaml"), *MANIFESTS.glob("examples/*.yaml")]
    return sorted(found)


def documents(text: str) -> Iterator[dict[str, Any]]:
    """The objects of a YAML stream."""
    return (document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document is not None)
