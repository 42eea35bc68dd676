"""Argo CD's actions, run as Argo CD runs them: what they change is what the operator reads, and nothing else."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from manifests.engines import GITOPS, Answer, ask
from manifests.gitops_objects import made, recorded, replaced
from session_protocol.times import parse_time
from whatsapp_operator.api.constants import RELINK_AT, RESTART_AT
from whatsapp_operator.api.requests import requested
from whatsapp_operator.api.session import OperatingMode, WhatsAppSession
from whatsapp_operator.core.writes.merge_patch import merge_patch

Json = dict[str, Any]


def patch(answer: Answer, session: Json, action: str) -> Json:
    """Return the merge patch that Argo CD sends for an action."""
    assert "" == answer.actions[action].error
    return merge_patch(session, answer.actions[action].object)


def test_every_file_is_an_action(gitops_engines: Path) -> None:
    """The scripts of the folder, and the buttons that the discovery knows."""
    [answer] = ask(gitops_engines, [made("Connected", Ready="True")], actions=True)

    scripts = {path.stem for path in (GITOPS / "actions").glob("*.lua")} - {"discovery"}
    assert {"restart", "relink", "suspend", "resume"} == scripts == set(answer.actions) == set(answer.possible)


@pytest.mark.parametrize(("action", "annotation"), [("restart", RESTART_AT), ("relink", RELINK_AT)])
def test_a_request_is_an_annotation_with_the_time(gitops_engines: Path, action: str, annotation: str) -> None:
    """On every recorded session, with annotations or without: one annotation that the operator takes for a new request."""
    sessions = recorded()
    sessions += [{**session, "metadata": {"name": "sales", "generation": 1}} for session in sessions[:1]]
    before = datetime.now(UTC).replace(microsecond=0)

    answers = ask(gitops_engines, sessions, actions=True)

    patches = [patch(answer, session, action) for answer, session in zip(answers, sessions, strict=True)]
    times = {found["metadata"]["annotations"][annotation] for found in patches}
    assert {frozenset({annotation})} == {frozenset(found["metadata"]["annotations"]) for found in patches}
    assert {("metadata",)} == {tuple(found) for found in patches}
    assert all(before <= parse_time(time) <= datetime.now(UTC) for time in times)
    assert times == {getattr(requested({annotation: time}), f"{action}_at") for time in times}


@pytest.mark.parametrize(("action", "mode"), [("suspend", OperatingMode.SUSPENDED), ("resume", OperatingMode.RUNNING)])
def test_suspend_and_resume_set_the_mode(gitops_engines: Path, action: str, mode: OperatingMode) -> None:
    """Nothing but spec.operatingMode, to a word that the API takes."""
    sessions = [made("Connected", Ready="True"), {**made("Pending"), "spec": {}}]

    answers = ask(gitops_engines, sessions, actions=True)

    for answer, session in zip(answers, sessions, strict=True):
        changed = answer.actions[action].object
        assert patch(answer, session, action) in ({}, {"spec": {"operatingMode": str(mode)}})
        assert mode == WhatsAppSession.parse(changed).spec.operating_mode


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"operatingMode": "Running"}, {"restart", "relink", "suspend"}),
        ({}, {"restart", "relink", "suspend"}),
        ({"operatingMode": "Suspended"}, {"resume"}),
        (None, {"restart", "relink", "suspend"}),
    ],
)
def test_what_can_be_pressed(gitops_engines: Path, spec: Json | None, expected: set[str]) -> None:
    """Only what would do something: a suspended session has no pod to restart."""
    [answer] = ask(gitops_engines, [replaced(made("Connected", Ready="True"), ("spec",), spec)], actions=True)

    assert expected == {name for name, possible in answer.possible.items() if possible}


def test_the_scripts_need_no_library_that_argo_cd_keeps_closed() -> None:
    """The engine would tell; this names the line."""
    closed = re.compile(r"\b(string|math|io|debug|coroutine)\.|\bos\.(?!date|time)|:\w+\(")

    scripts = [GITOPS / "health.lua", *(GITOPS / "actions").glob("*.lua")]

    found = [line for script in scripts for line in script.read_text().splitlines() if closed.search(line)]
    assert [] == [line for line in found if not line.lstrip().startswith("--")]
