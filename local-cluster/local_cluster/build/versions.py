"""Which release of a foreign program is built: what its go.mod requires, stated there and nowhere else.

There is a go.mod for each release of Kubernetes that the cluster knows, all of them over the same sources: the
default's beside these, another one's in a folder of its own. KUBERNETES_VERSION chooses.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from session_devtools.errors import BuildError

__all__ = ["GO_MODULES", "KUBERNETES", "VARIABLE", "Release", "chosen", "releases", "required_version"]

GO_MODULES = Path(__file__).parents[2] / "go"
KUBERNETES = "k8s.io/kubernetes"
VARIABLE = "KUBERNETES_VERSION"


class Release(NamedTuple):
    """One release of Kubernetes, as in `v1.35.4`, and the go.mod that requires it."""

    version: str
    modfile: Path


def releases(folder: Path = GO_MODULES / "kube") -> tuple[Release, ...]:
    """All that can be built, the default first."""
    found = (folder / "go.mod", *sorted(folder.glob("*/go.mod")))
    return tuple(Release(required_version(path.read_text(), KUBERNETES), path) for path in found)


def chosen(environment: Mapping[str, str] | None = None, *, among: tuple[Release, ...] | None = None) -> Release:
    """The release that KUBERNETES_VERSION names, whole or by its first numbers (1.37); the default where it is not set.

    :raises BuildError: it could not be built, with the names there are.
    """
    known = releases() if among is None else among
    wanted = (os.environ if environment is None else environment).get(VARIABLE, "").strip().removeprefix("v")
    for release in known:
        if not wanted or f"{release.version}.".startswith(f"v{wanted}."):
            return release
    names = ", ".join(release.version.removeprefix("v") for release in known)
    raise BuildError(f"{VARIABLE}={wanted[:20]} is none of those that the local cluster knows: {names}")


def required_version(go_mod: str, module: str) -> str:
    """The release of a module that a go.mod requires. Pure.

    :raises BuildError: it requires none.
    """
    match = re.search(rf"^(?:require)?\s*{re.escape(module)} (v\d+\.\d+\.\d+)", go_mod, re.MULTILINE)
    if match is None:
        raise BuildError(f"a go.mod below local-cluster/go requires no release of {module}")
    return match[1]
