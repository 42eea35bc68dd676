"""Words that were once this project's own for what Kubernetes, client-go or Python have a name for stay out of the code.

A reader looks a concept up under the name it has elsewhere. Which one that is here tells the glossary of CONTRIBUTING.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# fmt: off
OLD = frozenset({
    "applicant", "applicants", "arrivals", "brood", "came", "cast", "deadman", "ending", "endings", "grant", "grants", "ground",
    "heard", "notes", "past", "rival", "rivals", "said", "shelf", "shelves", "sighting", "sightings", "situation", "squatter", "squatters",
    "standing", "tell", "tells", "told", "wish", "wishes", "word", "words", "world", "worlds",
})
# fmt: on
PACKAGES = (
    "operator",
    "session-protocol",
    "session-runner",
    "plugin",
    "devtools",
    "local-cluster",
    "demo",
    "bench",
    pytest.param("tests", marks=pytest.mark.slow),
)
LITERAL = frozenset({"word", "words"})
WITH_LITERAL_TERMS = ("session-protocol/session_protocol/redaction/",)
""" Where a word is a word of a text and no state. """


def _names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Return what a module gives a name to, with the lines."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case ast.alias(asname=str() as name):
                yield node.lineno, name
            case ast.MatchMapping(rest=str() as name):
                yield node.lineno, name
            case (
                ast.ExceptHandler(name=str() as name)
                | ast.MatchAs(name=str() as name)
                | ast.MatchStar(name=str() as name)
            ):
                yield node.lineno, name
            case _:
                pass


def _parts(name: str) -> set[str]:
    """Return the words of a name in either of Python's two styles."""
    return {part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def _old_names(package: str) -> list[str]:
    found = []
    for path in sorted((ROOT / package).rglob("*.py")):
        where = path.relative_to(ROOT)
        old = OLD - LITERAL if where.as_posix().startswith(WITH_LITERAL_TERMS) else OLD
        names = [(1, part) for part in where.with_suffix("").parts]
        names += _names(ast.parse(path.read_text(encoding="utf-8")))
        found += [f"{where}:{line}: {name}" for line, name in names if _parts(name) & old]
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_no_name_has_an_old_one(package: str) -> None:
    """Modules, classes, functions, arguments, attributes, variables, and tests."""
    assert [] == _old_names(package)


def test_names_are_found_wherever_python_gives_one() -> None:
    """A name that the test does not see could be any."""
    source = """
import a as told_a
class ToldB: told_c: int = 1
async def told_d(told_e, *told_f, told_g, **told_h):
    self.told_i = [told_j for told_j in x if (told_k := 1)]
    for told_l, (told_m, *told_n) in y: pass
    with z as told_o: pass
    try: pass
    except E as told_p: pass
    match v:
        case [told_q, *told_r]: pass
        case {**told_s}: pass
    lambda told_t: 1
"""
    assert set("abcdefghijklmnopqrst") == {
        name[-1].lower() for _, name in _names(ast.parse(source)) if "told" in _parts(name)
    }


@pytest.mark.parametrize("name", ["told_stop", "_TOLD", "ToldStop", "lastWords", "HTTPWord", "world2", "__past__"])
def test_an_old_name_is_found_in_any_style(name: str) -> None:
    """Snake, camel and capitals."""
    assert _parts(name) & OLD


@pytest.mark.parametrize("name", ["password", "keywords", "background", "broadcast", "footnotes", "understanding"])
def test_a_part_of_a_longer_name_is_none(name: str) -> None:
    """Whole words only."""
    assert not _parts(name) & OLD
