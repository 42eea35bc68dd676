"""`make generate` and `make verify`: one list of everything that is made from something else."""

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import generate
import pytest
from generate import GENERATORS, STAMPED, Generator, main, verify
from whatsapp_operator.api.state_pages import PAGES

ROOT = Path(__file__).parents[3]


def rows(*contents: str) -> list[Generator]:
    """Generators of one file each: the texts, in files called 0 and 1 and so on."""

    def maker(name: str, content: str) -> Callable[[Path], Mapping[str, str]]:
        return lambda _: {f"made/{name}": content}

    return [Generator(f"source {name}", maker(str(name), content)) for name, content in enumerate(contents)]


def test_generating_writes_and_checking_reports(tmp_path: Path) -> None:
    """In an empty folder the check names each file; after writing it is silent, and writing again does nothing."""
    made = rows("a", "b")

    assert [
        "made/0 is not what source 0 makes of it: run `make generate` and commit the result",
        "made/1 is not what source 1 makes of it: run `make generate` and commit the result",
    ] == verify(tmp_path, made)
    assert ["made/0", "made/1"] == generate.generate(tmp_path, made)
    assert "b" == (tmp_path / "made/1").read_text()
    assert [] == verify(tmp_path, made)
    assert [] == generate.generate(tmp_path, made)


def test_a_file_that_was_edited_by_hand_is_found(tmp_path: Path) -> None:
    """Somebody who edits a CRD learns where its source is; the check itself writes nothing."""
    made = rows("a", "b")
    generate.generate(tmp_path, made)
    (tmp_path / "made/1").write_text("by hand")

    [fault] = verify(tmp_path, made)

    assert "made/1 is not what source 1" in fault
    assert "by hand" == (tmp_path / "made/1").read_text()


def test_the_command_fails_and_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make verify` is exit status 1 with a line for each stale file; `make generate` mends that and says what it wrote."""
    monkeypatch.setattr(generate, "REPOSITORY", tmp_path)
    monkeypatch.setattr(generate, "GENERATORS", rows("a"))

    assert 1 == main(["--check"])
    assert capsys.readouterr().err.startswith("made/0 is not what")
    assert 0 == main([])
    assert "wrote made/0\n" == capsys.readouterr().out
    assert 0 == main(["--check"])


def test_later_files_are_made_of_earlier_ones(tmp_path: Path) -> None:
    """install.yaml holds the CRDs: it is rendered after they are written."""
    [first] = rows("a")
    second = Generator("made/0", lambda repository: {"second": (repository / "made/0").read_text() * 2})

    generate.generate(tmp_path, [first, second])

    assert "aa" == (tmp_path / "second").read_text()


def test_a_new_version_reaches_every_file_that_names_it(tmp_path: Path) -> None:
    """The version has one place; images, labels and examples follow it, and nothing else in these files changes."""
    for path in STAMPED:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text((ROOT / path).read_text())
    project = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(
        re.sub(r'^version = ".*"', 'version = "2.0.0-rc.1"', project, flags=re.MULTILINE)
    )

    changed = generate.version(tmp_path)

    assert set(STAMPED) == set(changed)
    for path, text in changed.items():
        assert "2.0.0-rc.1" in text
        assert (ROOT / path).read_text() == text.replace("2.0.0-rc.1", version())


def version() -> str:
    """The version as it stands in pyproject.toml."""
    [found] = re.findall(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE)
    return str(found)


@cache
def files(row: Generator) -> Mapping[str, str]:
    """Return what a generator makes here; it is made once for both tests."""
    return row.files(ROOT)


@pytest.mark.parametrize("row", GENERATORS[:-1], ids=lambda row: row.source)
def test_what_is_checked_in_is_what_is_generated(row: Generator) -> None:
    """Change the source, and `make generate` must follow; install.yaml, which needs kubectl, is held by tests/manifests."""
    assert [] == [path for path, _ in generate.stale(ROOT, row._replace(files=lambda _: files(row)))], (
        "run `make generate`"
    )


def test_git_knows_what_is_generated() -> None:
    """Reviews fold these files away; what people write in part (a table in a page, a version) is not among them."""
    lines = (ROOT / ".gitattributes").read_text().splitlines()
    patterns = [line.split()[0].lstrip("/") for line in lines if line.endswith(" linguist-generated")]
    by_hand = {*STAMPED, *map(str, PAGES), "docs/reference/runner-settings.md", "docs/runbooks/README.md"}
    made = {path for row in GENERATORS[:-1] for path in files(row)} - by_hand

    assert set() == {path for path in made if not any(fnmatch(path, pattern) for pattern in patterns)}
    assert set() == {path for path in by_hand if any(fnmatch(path, pattern) for pattern in patterns)}
