"""What is waited for before a cluster can start, and what is said about it."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from local_cluster import build
from local_cluster.build.programs import Program
from local_cluster.full import machine, preparation
from session_devtools import packages
from session_devtools.errors import MachineError
from session_devtools.progress import NoProgress, Progress


def _program(title: str, minutes: float) -> Program:
    return Program("entry", title, minutes, lambda *_: None)


def test_a_new_machine_prints_what_it_waits_for_and_how_long() -> None:
    """Each part with its minutes, and that an interruption costs nothing."""
    whole, interrupted = preparation.forecast(
        [_program("Kubernetes v1.35.4", 5), _program("containerd", 1.5), _program("pause", 0)], ["iptables"], minutes=2
    )

    assert whole == (
        "about 9 min of preparation on two idle cores, once: Kubernetes v1.35.4 is compiled (5 min), containerd is compiled "
        "(1.5 min), Debian's iptables installed, the images built (2 min)"
    )
    assert "goes on from there" in interrupted


def test_a_prepared_machine_prints_nothing() -> None:
    """Nothing is waited for."""
    assert preparation.forecast([], [], minutes=0) == []


@pytest.mark.parametrize("wanted", [False, True])
def test_what_enforces_network_policies_is_made_where_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, wanted: bool
) -> None:
    """After Kubernetes, whose packages it shares, and announced like the rest; nowhere else a minute is spent on it."""
    lines, made = list[str](), list[str]()

    def record(name: str) -> Callable[..., Path]:
        def make(*, progress: Progress | None = None) -> Path:
            if progress is not None:
                made.append(name)
            return tmp_path / name

        return make

    monkeypatch.setattr(machine, "check", lambda: None)
    monkeypatch.setattr(preparation, "check_room", lambda _: None)
    monkeypatch.setattr(packages, "missing", lambda _: [])
    monkeypatch.setattr(packages, "ensure", lambda *_, **__: None)
    monkeypatch.setattr(build, "plans", lambda: (_program("Kubernetes", 6),))
    monkeypatch.setattr(build, "network_policies_plan", lambda: _program("what enforces network policies", 0.5))
    for name in ("kubernetes", "network_policies", "runtime", "pause"):
        monkeypatch.setattr(build, name, record(name))
    progress = NoProgress()
    monkeypatch.setattr(progress, "info", lines.append, raising=False)

    programs = preparation.prepare(progress=progress, network_policies=wanted)

    expected = ["kubernetes", "network_policies"] if wanted else ["kubernetes"]
    assert expected == [name for name in made if name in {"kubernetes", "network_policies"}]
    assert (tmp_path / "network_policies" if wanted else None) == programs.network_policies
    assert wanted == ("what enforces network policies is compiled (0.5 min)" in lines[0])


def test_a_short_wait_is_a_minute() -> None:
    """And never none."""
    assert preparation.forecast([], ["iptables"], minutes=0)[0].startswith("about 1 min")


class Usage(NamedTuple):
    """What a disk says of itself."""

    free: int


def test_a_disk_that_is_too_full_is_reported_before_the_first_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder need not exist yet."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free=3 << 30))

    with pytest.raises(MachineError, match=r"has 3072 MB free, and compiling takes 6 GB: free some"):
        preparation.check_room(tmp_path / "not" / "yet")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free=7 << 30))
    preparation.check_room(tmp_path / "not" / "yet")


def test_the_images_are_made_beside_the_compiling_once_the_packages_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the two waits for the other to have begun."""
    meet, steps = threading.Barrier(2, timeout=20), list[str]()

    def compiles(*, progress: Progress | None = None) -> Path:
        if progress is not None:
            meet.wait()
        return tmp_path

    monkeypatch.setattr(machine, "check", lambda: None)
    monkeypatch.setattr(packages, "missing", lambda _: [])
    monkeypatch.setattr(packages, "ensure", lambda names, **_: steps.append(names[-1]))
    monkeypatch.setattr(build, "plans", lambda: ())
    monkeypatch.setattr(build, "kubernetes", compiles)
    monkeypatch.setattr(build, "runtime", lambda **_: tmp_path)
    monkeypatch.setattr(build, "pause", lambda **_: tmp_path / "pause")

    def images() -> None:
        steps.append("images")
        meet.wait()

    preparation.prepare(progress=NoProgress(), needs=["buildah"], beside=[images])

    assert steps == ["buildah", "images"]
