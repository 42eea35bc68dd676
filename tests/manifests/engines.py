"""What Argo CD and Flux make of objects, asked of their own engines in one process: see go/engines.

A question is what our files say, and some objects; `ask` returns an `Answer` for each of them.
"""

import json
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from manifests.rendering import MANIFESTS
from session_devtools.build.cache import content_key, entry, files_of
from session_devtools.build.go import FAST, SMALL, go_build
from session_devtools.progress import Progress

__all__ = ["ENGINES", "Answer", "Changed", "Verdict", "ask", "engines"]

Json = dict[str, Any]
ENGINES: Final = Path(__file__).parent / "go" / "engines"
GITOPS: Final = MANIFESTS / "gitops"


class Verdict(NamedTuple):
    """What one engine says of an object; an error, when it could not say anything."""

    status: str
    message: str
    error: str


class Changed(NamedTuple):
    """What an action makes of an object."""

    object: Json
    error: str


class Answer(NamedTuple):
    """What all engines say of one object."""

    argo: Verdict
    flux: Verdict
    kstatus: Verdict
    """By the authors of kstatus."""
    flux_kstatus: Verdict
    """By the copy that Flux keeps: what it goes by without expressions."""
    possible: dict[str, bool]
    """Of each action, whether a person may press its button."""
    actions: dict[str, Changed]


def engines(*, progress: Progress) -> Path:
    """The program, out of the cache or built now. :raises BuildError: it could not be built."""

    def fill(target: Path) -> None:
        go_build(ENGINES, target / "engines", flags=SMALL, what="the engines of Argo CD and Flux", progress=progress)

    key = content_key(files=files_of(ENGINES), extra=[FAST, SMALL, platform.machine()])
    return entry(f"engines-{key}", fill, progress=progress) / "engines"


def ask(program: Path, objects: Iterable[Json], *, actions: bool = False) -> list[Answer]:
    """Ask what the shipped files say of these objects, and maybe what each action does to them."""
    [expressions] = yaml.safe_load((GITOPS / "health-expressions.yaml").read_text())["spec"]["healthCheckExprs"]
    question = {
        "health": (GITOPS / "health.lua").read_text(), "expressions": expressions, "objects": list(objects),
    }  # fmt: skip
    if actions:
        shipped = yaml.safe_load((GITOPS / "actions.yaml").read_text())
        question["discovery"] = shipped["discovery.lua"]
        question["actions"] = {action["name"]: action["action.lua"] for action in shipped["definitions"]}
    done = subprocess.run(program, input=json.dumps(question), capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"the engines refuse the question: {done.stderr}")
    return [_answer(found) for found in json.loads(done.stdout)]


def _answer(found: Json) -> Answer:
    return Answer(
        argo=Verdict(**found["argo"]),
        flux=Verdict(**found["flux"]),
        kstatus=Verdict(**found["kstatus"]),
        flux_kstatus=Verdict(**found["fluxKstatus"]),
        possible=found["possible"] or {},
        actions={name: Changed(**changed) for name, changed in (found["actions"] or {}).items()},
    )
