"""The small parts of the image tooling: pip's command line, slimming a base, logs, sizes, the command line."""

import sys
from pathlib import Path

import pytest
from session_devtools.errors import BuildError
from session_devtools.images import __main__ as cli
from session_devtools.images.apt import AptRoute, Source
from session_devtools.images.base import EMPTIED, SLIM, base_key, slim
from session_devtools.images.buildah import parse_size
from session_devtools.images.logged import WIDTH, last_line, run_logged
from session_devtools.images.wheels import command, platforms

ROUTE = AptRoute(sources=(Source(uri="http://mirror.example/debian/", suite="bookworm"),))


def bare_root(folder: Path) -> Path:
    """The folders that debootstrap leaves, each with something in it."""
    for name in ("usr/share/doc/bash", "usr/share/locale/de", "etc/dpkg/dpkg.cfg.d", "etc/apt", *EMPTIED):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "something").write_text("x")
    (folder / "usr/share/doc/bash/copyright").write_text("GPL")
    (folder / "usr/share/doc/bash/latest").symlink_to("something")
    return folder


def test_slimming_keeps_the_folders_and_the_licences(tmp_path: Path) -> None:
    """Apt wants its folders back, and whoever passes an image on must pass the licences on."""
    root = bare_root(tmp_path)

    slim(root, route=ROUTE)

    assert [root / "usr/share/doc/bash/copyright"] == [p for p in (root / "usr/share/doc").rglob("*") if not p.is_dir()]
    assert [] == [path for name in EMPTIED for path in (root / name).iterdir()]


def test_a_slim_base_stays_slim_and_finds_its_packages(tmp_path: Path) -> None:
    """What is left out is left out of later installations too, and these come from the machine's own sources."""
    root = bare_root(tmp_path)

    slim(root, route=ROUTE)

    assert SLIM == (root / "etc/dpkg/dpkg.cfg.d/slim").read_text()
    assert ROUTE.sources_list == (root / "etc/apt/sources.list").read_text()


def test_a_base_holds_nothing_of_the_machine_that_built_it(tmp_path: Path) -> None:
    """Neither its name nor its name servers."""
    root = bare_root(tmp_path)
    (root / "etc/hostname").write_text("workstation")
    (root / "etc/resolv.conf").write_text("nameserver 192.0.2.1")

    slim(root, route=ROUTE)

    assert "" == (root / "etc/hostname").read_text() == (root / "etc/resolv.conf").read_text()


def test_the_base_key_depends_on_the_sources() -> None:
    """Another mirror may hold another state of Debian."""
    other = AptRoute(sources=(Source(uri="http://other.example/debian/", suite="bookworm"),))

    assert base_key(ROUTE) == base_key(ROUTE)
    assert base_key(ROUTE) != base_key(other)


def test_wheels_are_for_the_images_python() -> None:
    """Whatever Python runs this: Debian 12 has 3.11, and takes compiled packages as wheels only."""
    parts = command([Path("lock.txt")], Path("/wheels"), machine="x86_64")

    assert {"--python-version=3.11", "--abi=cp311", "--only-binary=:all:", "--require-hashes"} <= set(parts)
    assert [sys.executable, "-m", "pip", "download"] == parts[:4]


@pytest.mark.parametrize(
    ("machine", "tag", "fits"),
    [
        ("x86_64", "manylinux_2_36_x86_64", True),
        ("x86_64", "manylinux_2_17_x86_64", True),
        ("x86_64", "manylinux2014_x86_64", True),
        ("x86_64", "manylinux1_x86_64", True),
        ("x86_64", "manylinux_2_37_x86_64", False),
        ("aarch64", "manylinux2014_aarch64", True),
        ("aarch64", "manylinux1_aarch64", False),
    ],
)
def test_wheels_fit_debians_c_library(*, machine: str, tag: str, fits: bool) -> None:
    """A wheel for a newer C library would be taken and then fail when it is loaded."""
    assert fits == (tag in platforms(machine))


def test_the_newest_wheel_is_preferred() -> None:
    """Pip takes the first tag that it finds a wheel for."""
    assert "manylinux_2_36_x86_64" == platforms("x86_64")[0]


@pytest.mark.parametrize(
    ("text", "expected"), [("732 MB", 732_000_000), ("1.07 GB", 1_070_000_000), ("9.5 KB", 9_500), ("12 B", 12)]
)
def test_sizes_are_read_as_bytes(text: str, expected: int) -> None:
    """Buildah counts in decimal units."""
    assert expected == parse_size(text)


def test_a_failure_shows_the_end_of_its_log(tmp_path: Path) -> None:
    """The reason is in the last lines; the first thousand are not shown."""
    script = "import sys\nfor number in range(1000): print('line', number)\nsys.exit('no space left')"

    with pytest.raises(BuildError) as raised:
        run_logged([sys.executable, "-c", script], log=tmp_path / "log", what="the build")

    assert str(raised.value).startswith("the build ended with status 1:\n")
    assert str(raised.value).endswith("line 999") or str(raised.value).endswith("no space left")
    assert "line 10\n" not in str(raised.value)


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    """With the command that installs it."""
    with pytest.raises(BuildError, match="apt-get install debootstrapp"):
        run_logged(["debootstrapp"], log=tmp_path / "log", what="the base")


def test_a_program_cannot_ask_questions(tmp_path: Path) -> None:
    """Nobody would see them: it reads an empty input."""
    log = tmp_path / "log"
    run_logged([sys.executable, "-c", "import sys; print('read', repr(sys.stdin.read()))"], log=log, what="it")

    assert "read ''\n" == log.read_text()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "starting"),
        ("", "starting"),
        ("one\ntwo\n\n", "two"),
        ("x" * 500, "x" * WIDTH),
        ("half\r", "half"),
        (f"COMMIT\n{'97547604735c' * 5}\n", "COMMIT"),
    ],
)
def test_progress_is_the_last_line(tmp_path: Path, content: str | None, expected: str) -> None:
    """Short enough for a terminal, something to read from the first moment, and no image's id."""
    log = tmp_path / "log"
    if content is not None:
        log.write_text(content)

    assert expected == last_line(log)


@pytest.mark.parametrize("arguments", [[], ["fly"], ["build", "submarine"]])
def test_an_unknown_command_or_image_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With what there is instead."""
    with pytest.raises(SystemExit):
        cli.main(arguments)

    assert "usage:" in capsys.readouterr().err


def test_pushing_needs_a_registry(capsys: pytest.CaptureFixture[str]) -> None:
    """There is no default: nobody's images go anywhere by accident."""
    with pytest.raises(SystemExit):
        cli.main(["push", "operator"])

    assert "--registry" in capsys.readouterr().err
