"""What the pages point at is there (links, make targets, modules that are named by their path), and lines are short."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
ANCHOR = re.compile(r"\]\(([^)#:]*\.md|)#([^)]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
TARGET = re.compile(r"`(?:[A-Z_]+=\S+ )*make (?:-s )?([a-z][a-z0-9-]*)|^\$? ?make ([a-z][a-z0-9-]*)", re.MULTILINE)
RULE = re.compile(r"^([a-z][a-z0-9-]*):", re.MULTILINE)
LONGEST = 160
PACKAGES = tuple(
    ROOT / folder for folder in ("operator/whatsapp_operator", "session-runner/session_runner", "local-cluster")
)


def anchors(page: Path) -> set[str]:
    """The names of a page's headings: small letters, no punctuation, a hyphen for each blank."""
    titles = HEADING.findall(page.read_text()) if page.exists() else []
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """Each link to a file of the project has that file at its end."""
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]

    assert [] == [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_into_a_page_lead_to_a_heading(page: Path) -> None:
    """A link to a section has a heading at its end, as the web shows the page."""
    found = [(page.parent / name if name else page, anchor) for name, anchor in ANCHOR.findall(page.read_text())]

    assert [] == [(target.name, anchor) for target, anchor in found if anchor not in anchors(target)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_make_targets_exist(page: Path) -> None:
    """Whatever a page tells people to make can be made."""
    known = {name for file in (ROOT / "Makefile", *ROOT.glob("make/*.mk")) for name in RULE.findall(file.read_text())}
    named = {first or second for first, second in TARGET.findall(page.read_text())}

    assert set() == named - known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_line_is_long(page: Path) -> None:
    """At most 160 characters, but for rows of tables, links, code, and a change log's entries."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    free = ("|", "- ") if page.name == "CHANGELOG.md" else ("|",)

    assert [] == [
        line
        for line in prose.splitlines()
        if len(line) > LONGEST and not line.lstrip().startswith(free) and "](" not in line
    ]


def test_the_way_of_an_event_names_modules_that_are_there() -> None:
    """docs/architecture.md goes through the code by module: each one is where it says."""
    text = (ROOT / "docs/architecture.md").read_text()
    named = set(re.findall(r"`([a-z_/]+\.py)`", text))

    assert named
    assert set() == {name for name in named if not any((package / name).exists() for package in PACKAGES)}
