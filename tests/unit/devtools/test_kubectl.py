"""kubectl from Python: what a new CRD needs."""

from pathlib import Path

import pytest
from session_devtools.errors import CommandError
from session_devtools.kubectl import Kubectl


def scripted(folder: Path, *, fails: int) -> Kubectl:
    """A kubectl that fails so many times, and keeps what it was asked."""
    program = folder / "kubectl"
    calls = folder / "calls"
    script = f'echo "$@" >> {calls}\n[ "$(wc -l < {calls})" -gt {fails} ] || {{ echo accessor error >&2; exit 1; }}\n'
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(0o755)
    return Kubectl(program=program, kubeconfig=folder / "kubeconfig", cache=folder / "cache")


def test_a_crd_without_conditions_is_waited_for(tmp_path: Path) -> None:
    """At first kubectl fails on it; asking again is what helps."""
    scripted(tmp_path, fails=2).wait_established("a.example.org", "b.example.org")
    calls = (tmp_path / "calls").read_text().splitlines()

    assert 3 == len(calls)
    assert {"wait --for=condition=Established --timeout=5s crd/a.example.org crd/b.example.org"} == set(calls)


def test_a_crd_that_never_comes_is_an_error(tmp_path: Path) -> None:
    """With kubectl's own words."""
    with pytest.raises(CommandError, match="accessor error"):
        scripted(tmp_path, fails=1000).wait_established("a.example.org", within=0.2)
