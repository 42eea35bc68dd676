"""What is shipped as Python packages: one wheel per program, which stands alone and knows its version."""

import ast
import functools
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from email.message import Message
from email.parser import Parser
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
WHEEL = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir")
DEVELOPMENT_ONLY = (
    "session_runner/http/openapi.py",
    "whatsapp_operator/api/generate.py",
    "whatsapp_operator/app/settings_page.py",
)
""" Modules that the running program never imports: they write what is checked in. """


class Shipped(NamedTuple):
    """A program that people install, and the packages of ours that its wheel has."""

    folder: str
    packages: tuple[str, ...]


SHIPPED = (
    Shipped("operator", ("session_protocol", "whatsapp_operator")),
    Shipped("session-runner", ("session_protocol", "session_runner")),
)
each = pytest.mark.parametrize("shipped", SHIPPED, ids=lambda shipped: shipped.folder)


class Wheel(NamedTuple):
    """A built wheel: its files by path, and its metadata."""

    files: dict[str, bytes]
    metadata: Message


@pytest.fixture(scope="module", params=SHIPPED, ids=lambda shipped: shipped.folder)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Shipped, Wheel]:
    """Each wheel, built from the checkout as the image builds do it: nothing is downloaded."""
    shipped: Shipped = request.param
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, *WHEEL, folder, ROOT / shipped.folder], check=True, timeout=50)
    [file] = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    [metadata] = (content for name, content in files.items() if name.endswith(".dist-info/METADATA"))
    return shipped, Wheel(files, Parser().parsestr(metadata.decode()))


def project(shipped: Shipped) -> dict[str, Any]:
    """The project's own table."""
    table: dict[str, Any] = tomllib.loads((ROOT / shipped.folder / "pyproject.toml").read_text())["project"]
    return table


def sources(shipped: Shipped) -> Iterator[Path]:
    """The Python files that are shipped."""
    for package in shipped.packages:
        folder = ROOT / ("session-protocol" if package == "session_protocol" else shipped.folder)
        yield from (folder / package).rglob("*.py")


def imported(file: Path) -> set[str]:
    """The top-level modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found


@functools.cache
def providers(module: str) -> frozenset[str]:
    """The distributions that bring a module; one of ours that is not installed has its own name."""
    return frozenset(distributions(installed().get(module, [module])))


@functools.cache
def installed() -> Mapping[str, list[str]]:
    """Which distributions each module of this environment is of."""
    return packages_distributions()


def provided(file: Path) -> set[str]:
    """The distributions that bring what a file imports."""
    return {each for name in imported(file) - sys.stdlib_module_names for each in providers(name)}


def distributions(requirements: list[str]) -> set[str]:
    """The normalised names in a list of requirements."""
    return {re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", line)[0]).lower() for line in requirements}


def test_it_has_the_projects_version(built: tuple[Shipped, Wheel]) -> None:
    """There is one version, in the root's project file."""
    shipped, wheel = built

    assert (VERSION, project(shipped)["name"]) == (wheel.metadata["Version"], wheel.metadata["Name"])


def test_it_has_the_shared_package_and_nobody_elses_code(built: tuple[Shipped, Wheel]) -> None:
    """It needs no second wheel of ours, and the operator's holds no runner."""
    shipped, wheel = built

    assert set(shipped.packages) == {name.split("/")[0] for name in wheel.files if ".dist-info/" not in name}


def test_all_of_a_packages_files_are_in_it(built: tuple[Shipped, Wheel]) -> None:
    """Scripts of the page, licences and documents too, byte for byte; nothing that a run of the program left."""
    shipped, wheel = built
    here: dict[str, bytes] = {}
    for package in shipped.packages:
        folder = ROOT / ("session-protocol" if package == "session_protocol" else shipped.folder)
        files = [file for file in (folder / package).rglob("*") if file.is_file() and "__pycache__" not in file.parts]
        here |= {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}

    assert here == {name: content for name, content in wheel.files.items() if ".dist-info/" not in name}


def test_it_is_typed_and_licensed(built: tuple[Shipped, Wheel]) -> None:
    """Type checkers take the packages' own types; the licence goes where the wheel goes."""
    shipped, wheel = built
    [licence] = (content for name, content in wheel.files.items() if name.endswith(".dist-info/licenses/LICENSE"))

    assert all(f"{package}/py.typed" in wheel.files for package in shipped.packages)
    assert wheel.metadata["License-Expression"] == "Apache-2.0"
    assert licence == (ROOT / "LICENSE").read_bytes()


@each
def test_its_commands_are_there(shipped: Shipped) -> None:
    """Each script of the project names a function that exists."""
    for place in project(shipped)["scripts"].values():
        module, _, function = place.partition(":")
        [file] = (file for file in sources(shipped) if module.replace(".", "/") in str(file.with_suffix("")))

        assert function in {node.name for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)}


@each
def test_it_declares_what_it_imports(shipped: Shipped) -> None:
    """Who installs the wheel alone can start it: each import is the standard library's, ours, or of a dependency."""
    foreign = {
        name
        for file in sources(shipped)
        if not str(file).endswith(DEVELOPMENT_ONLY)
        for name in imported(file) - sys.stdlib_module_names - set(shipped.packages)
    }
    declared = distributions(project(shipped)["dependencies"])

    assert set() == {name for name in foreign if not providers(name) & declared}


@pytest.mark.parametrize("folder", ["operator", "session-runner", "plugin", "devtools", "local-cluster"])
def test_a_project_declares_nothing_that_it_does_not_import(folder: str) -> None:
    """What nobody uses any more goes, from the images too."""
    shared = ROOT / "session-protocol" if folder in {"operator", "session-runner"} else ROOT / folder
    files = {*(ROOT / folder).rglob("*.py"), *shared.rglob("*.py")}
    dependencies = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]["dependencies"]

    assert set() == distributions(dependencies) - {each for file in files for each in provided(file)}


def test_the_standins_image_has_what_it_imports_and_no_more() -> None:
    """Its authority is made where the tests and the demo run, so trustme is not in it."""
    group = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["standin"]
    foreign = {each for file in (ROOT / "tests/standin").rglob("*.py") for each in provided(file)}

    assert distributions(group) == foreign - {"standin", "trustme"}


@each
def test_its_lock_has_what_it_declares(shipped: Shipped) -> None:
    """A dependency that was added and not locked would be missing in the image."""
    lock = (ROOT / "requirements" / f"{shipped.folder.removeprefix('session-')}.txt").read_text()
    locked = distributions(re.findall(r"^[\w.-]+(?===)", lock, re.MULTILINE))

    assert set() == distributions(project(shipped)["dependencies"]) - locked


def test_the_plugins_wheel_has_the_projects_version(tmp_path: Path) -> None:
    """Its version is not a second one that somebody forgets to raise."""
    subprocess.run([sys.executable, *WHEEL, tmp_path, ROOT / "plugin"], check=True, timeout=50)

    assert [f"kubectl_whatsapp-{VERSION}-py3-none-any.whl"] == [file.name for file in tmp_path.iterdir()]


def test_the_root_says_what_to_install_instead() -> None:
    """It is the development environment: `pip install .` would bring nothing that starts."""
    done = subprocess.run(
        [sys.executable, "-c", "import not_installable"],
        cwd=ROOT / "scripts",
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert done.returncode == 1
    assert "pip install ./operator" in done.stderr


def test_the_wheels_are_built_by_what_is_locked() -> None:
    """The image builds have the backend from requirements/build.txt, in a version that the projects accept."""
    lock = (ROOT / "requirements/build.txt").read_text()
    [locked] = re.findall(r"^hatchling==([\d.]+)", lock, re.MULTILINE)

    for shipped in SHIPPED:
        system = tomllib.loads((ROOT / shipped.folder / "pyproject.toml").read_text())["build-system"]
        [least] = re.findall(r"^hatchling>=([\d.]+)$", "\n".join(system["requires"]))
        assert tuple(map(int, least.split("."))) <= tuple(map(int, locked.split(".")))
