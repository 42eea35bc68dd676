"""Which programs are built, and when anew."""

import signal
import subprocess
from pathlib import Path

import pytest
from local_cluster import build
from local_cluster.build import programs
from session_devtools.errors import BuildError


def test_the_release_of_kubernetes_is_what_the_module_requires() -> None:
    """One place states it, and it is the 1.35 that the project is tried with."""
    text = (programs.GO_MODULES / "kube" / "go.mod").read_text()

    assert build.kubernetes_version(text).startswith("v1.35.")


def test_a_module_without_kubernetes_is_refused() -> None:
    """A go.mod that lost its requirement is named, instead of an empty version in the binary."""
    with pytest.raises(BuildError, match=r"go\.mod requires no release"):
        build.kubernetes_version("module x\n")


def test_another_release_is_another_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes into the program besides its source, its release say, is in the key as well."""
    made: list[str] = []

    def make(name: str, *_: object, **__: object) -> Path:
        made.append(name)
        return tmp_path

    monkeypatch.setattr(programs, "entry", make)
    build.kubernetes(cache=tmp_path)
    monkeypatch.setattr(programs, "SMALL", "")
    build.kubernetes(cache=tmp_path)

    assert len(set(made)) == 2


def test_a_program_is_not_built_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second call finds the first one's result by its content alone."""
    built: list[Path] = []

    def go_build(_: Path, output: Path, **__: object) -> None:
        built.append(output)
        output.write_text("program")

    monkeypatch.setattr(programs, "go_build", go_build)

    first = build.kubernetes(cache=tmp_path)
    second = build.kubernetes(cache=tmp_path)

    assert first == second
    assert len(built) == 1
    assert sorted(path.name for path in first.iterdir()) == sorted(["kube", *programs.COMPONENTS])
    assert all((first / name).read_text() == "program" for name in programs.COMPONENTS)


def test_the_pause_program_is_static_and_ends_when_asked(tmp_path: Path) -> None:
    """It runs in an image that holds nothing else, and a pod's deletion does not wait for it."""
    program = build.pause(cache=tmp_path)
    with subprocess.Popen([program]) as process:
        process.terminate()
        status = process.wait(20)

    assert b"/lib64/ld-linux" not in program.read_bytes()
    assert status in {0, -signal.SIGTERM}  # the latter when the signal comes before the program has asked for it
