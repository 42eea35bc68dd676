"""The repository's own rules that no linter holds."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = (
    "session-protocol",
    "operator",
    "session-runner",
    "devtools",
    "local-cluster",
    "demo",
    "plugin",
    "bench",
    "tests",
)


def test_no_python_file_is_over_500_lines() -> None:
    """A file that grows over 500 lines has more than one concern and is split."""
    too_long = {
        str(path.relative_to(ROOT)): count
        for folder in CODE
        for path in (ROOT / folder).rglob("*.py")
        if (count := len(path.read_text().splitlines())) > 500
    }

    assert too_long == {}


def test_all_code_speaks_one_dialect() -> None:
    """What is raised stands as a field of the docstring, and a module's logger is called logger (see CONTRIBUTING)."""
    other = re.compile(r"^log = logging\.getLogger|\bRaises [A-Z]\w+(?!`)|; raises [A-Z]", re.MULTILINE)
    found = {
        str(path.relative_to(ROOT)): match.group()
        for folder in CODE
        for path in (ROOT / folder).rglob("*.py")
        if path != Path(__file__) and (match := other.search(path.read_text()))
    }

    assert found == {}


def pages() -> list[Path]:
    """The pages that a person reads on the way to the project's parts."""
    return [*ROOT.glob("*.md"), *ROOT.glob("[!.]*/*.md"), *(ROOT / "docs").rglob("*/*.md")]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """A link within the repository names a file or folder that is there."""
    targets = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text())]
    inside = {target for target in targets if target and "://" not in target}

    assert set() == {target for target in inside if not (page.parent / target).exists()}


def test_the_architecture_page_names_modules_that_exist() -> None:
    """Who follows one event through the code finds each file it names."""
    text = (ROOT / "docs/architecture.md").read_text()
    folders = (ROOT / "operator/whatsapp_operator", ROOT / "session-runner/session_runner")
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`", text))

    assert len(named) > 20
    assert set() == {name for name in named if not any((folder / name).is_file() for folder in folders)}


def imports_of_unit_tests() -> set[str]:
    """Every import of the project's own modules in a unit test, as a statement."""
    trees = [ast.parse(path.read_text()) for path in (ROOT / "tests/unit").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom | ast.Import)]
    return {
        line
        for line in map(ast.unparse, nodes)
        if re.match(r"(from|import) (session_|whatsapp_|kubectl_|local_)", line)
    }


@pytest.mark.slow
@pytest.mark.timeout(300)  # another program loads all of it
def test_unit_tests_load_no_cluster() -> None:
    """The product, the tools, the demo on somebody's cluster and the figures of benchmarks are there without ours."""
    imports = imports_of_unit_tests()
    script = "\n".join(["import sys", "sys.modules['local_cluster'] = None", *sorted(imports)])

    assert "from session_demo import __main__ as command_line" in imports
    assert "" == subprocess.run([sys.executable, "-"], input=script, capture_output=True, text=True, check=False).stderr


THE_DEMOS_OWN = ("tests/unit/demo/", "tests/integration/demo/", "tests/e2e/test_demo", "tests/manifests/test_demo")


@pytest.mark.slow
def test_only_the_demos_own_tests_know_the_demo() -> None:
    """What others need of it lies in the tools or in tests/support, and benchmarks stand on the same."""
    knowing = {
        str(path.relative_to(ROOT))
        for folder in ("tests", "local-cluster/tests", "bench")
        for path in (ROOT / folder).rglob("*.py")
        if any(name.partition(".")[0] == "session_demo" for name in imported(path))
    }

    assert {path for path in knowing if path.startswith(THE_DEMOS_OWN)} == knowing


def imported(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return names | {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
