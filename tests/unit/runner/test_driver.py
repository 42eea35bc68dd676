"""What the preload does to Playwright's driver, tried with the driver's own Node and its real bundles."""

import asyncio
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from playwright._impl._driver import compute_driver_executable
from session_runner.page.driver import PRELOAD, logged_stderr, tune_driver
from support.waiting import async_until

ROOT = Path(__file__).parents[3]
NODE, CLI = (Path(part) for part in compute_driver_executable())
BUNDLES = CLI.parent / "lib"
SECTION = re.compile(r"^// ((?:packages|node_modules)/\S+)$", re.MULTILINE)
VERSION: str = json.loads((CLI.parent / "package.json").read_text())["version"]
SLIM = """
const fs = require('fs');
const { known, slim } = require(process.argv[1]);
const bundles = Object.fromEntries(process.argv.slice(3).map((name) => [name, fs.readFileSync(process.argv[2] + '/' + name, 'utf8')]));
console.log(JSON.stringify({
  known: known(VERSION, bundles['coreBundle.js']),
  slimmed: Object.fromEntries(Object.entries(bundles).map(([name, source]) => [name, slim(name, source)])),
}));
"""

LOOK = """
process.on('exit', () => {
  const bundle = (name) => Object.values(require.cache).find((module) => module.filename.endsWith(name));
  const [core, utils] = [bundle('coreBundle.js'), bundle('utilsBundle.js')];
  let found = 'left out';
  try {
    found = typeof utils.exports.z;
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
  }
  console.error(`an agent's schemas: ${found}`);
  const early = process.moduleLoadList.includes('NativeModule tls') ? 'at once' : 'later';
  console.error(`TLS: ${early}, as ${typeof core.require('tls').connect}`);
});
"""
""" Tells at the end of the driver what it has loaded. """
CUT = "an agent's schemas: left out\nTLS: later, as function\n"
""" What that is. """

CANCELLED = """
import asyncio, pathlib, threading
from session_runner.page import driver

driver.START_SECONDS = 45  # on a machine that is used by others

async def main():
    children = pathlib.Path(f"/proc/self/task/{threading.get_native_id()}/children")
    starting = asyncio.create_task(driver.start_driver())
    while not (found := children.read_text().split()):
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)  # asyncio has its pipes; it says its first word later
    starting.cancel()
    try:
        await starting
    except asyncio.CancelledError:
        print("cancelled", [child for child in found if pathlib.Path("/proc", child).exists()])

asyncio.run(main())
"""
""" Asks for the driver, and takes that back as soon as it has a process and pipes. """
ENDED = """
import asyncio
from session_runner.page.driver import start_driver
from session_runner.page.errors import LaunchError

try:
    asyncio.run(start_driver())
except LaunchError as error:
    print(error)
"""


def _slimmed(folder: Path = BUNDLES, *, version: str = VERSION) -> Any:
    code = SLIM.replace("VERSION", json.dumps(version))
    command = [str(NODE), "--eval", code, str(PRELOAD), str(folder), "coreBundle.js", "utilsBundle.js"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=50).stdout)


@pytest.fixture(scope="module")
def slimmed() -> dict[str, str]:
    """Both bundles as the driver gets them."""
    answer = _slimmed()
    assert answer["known"]
    bundles: dict[str, str] = answer["slimmed"]
    return bundles


def test_the_bundles_of_this_playwright_are_known_and_lose_what_the_driver_never_uses(slimmed: dict[str, str]) -> None:
    """Another version that is made in another way fails here, and not by taking more memory unseen."""
    for name, gone in (
        ("coreBundle.js", "packages/playwright-core/src/tools/"),
        ("utilsBundle.js", "node_modules/zod/"),
    ):
        before = SECTION.findall((BUNDLES / name).read_text())
        after = SECTION.findall(slimmed[name])

        assert any(section.startswith(gone) for section in before)
        assert [section for section in after if section.startswith(gone)] == []
        assert len(after) > len(before) / 2
        assert len(slimmed[name]) < 0.9 * (BUNDLES / name).stat().st_size


def test_no_client_gets_the_list_of_devices(slimmed: dict[str, str]) -> None:
    """It would look at all fields of 140 of them, at each start."""
    [given] = re.findall(r"^ +deviceDescriptors: (\w+)\n", slimmed["coreBundle.js"], re.MULTILINE)

    assert f"const {given} = [];\n" in slimmed["coreBundle.js"]


def test_the_driver_is_pinned_to_the_build_that_was_looked_through() -> None:
    """A range would let an installation have a driver that the preload leaves whole, at 16 MB a session."""
    project = tomllib.loads((ROOT / "session-runner/pyproject.toml").read_text())["project"]
    [pin] = [line for line in project["dependencies"] if line.startswith("playwright")]
    locks = [(ROOT / f"requirements/{name}.txt").read_text() for name in ("runner", "dev")]

    assert pin == f"playwright=={version('playwright')}"
    assert all(f"\n{pin} " in lock for lock in locks)


def test_what_stays_initializes_nothing_that_goes(slimmed: dict[str, str]) -> None:
    """Every module that a kept one begins or requires is kept; but for the list that begins all, which is not called."""
    for source in slimmed.values():
        working = re.sub(r"var init_coreBundle = __esm\(\{.*?\n\}\);\n", "", source, flags=re.DOTALL)
        used = set(re.findall(r"\b((?:init|require)_\w+)\(\)", working))
        declared = set(re.findall(r"^var ((?:init|require)_\w+) = ", working, re.MULTILINE))

        assert used - declared == set()
        assert len(used) > 100


def test_what_the_core_takes_from_the_other_bundle_is_still_there(slimmed: dict[str, str]) -> None:
    """The names it asks for are the bundle's own, and their makers were kept."""
    core, utils = slimmed["coreBundle.js"], slimmed["utilsBundle.js"]
    asked = set(re.findall(r'require\("\./utilsBundle"\)\.(\w+)', core))
    asked |= set(re.findall(r'\(\{ (\w+)(?:: \w+)? \} = require\("\./utilsBundle"\)\)', core))
    exported = dict(re.findall(r"^  (\w+): \(\) => (\w+)(?:\.\w+)*,?$", utils, re.MULTILINE))

    assert {"debug", "mime", "wsServer", "yauzl"} <= asked
    for name in asked:
        made_by = exported[name]
        assert re.search(rf"^(?:var|let|const|class|function) (?:[\w$]+, )*{made_by}\b", utils, re.MULTILINE), name


def test_bundles_of_another_make_are_left_alone(tmp_path: Path) -> None:
    """One without the places that must be known, or with one of them twice, is not cut."""
    (tmp_path / "utilsBundle.js").write_text("")
    core = (BUNDLES / "coreBundle.js").read_text()
    for other in ("", core.replace("function runDriver() {", "function run() {"), core + "\ninit_coreBundle();\n"):
        (tmp_path / "coreBundle.js").write_text(other)

        assert not _slimmed(tmp_path)["known"]


def test_bundles_of_another_version_are_left_alone() -> None:
    """Nobody has looked through them; an update of Playwright costs memory until somebody has."""
    assert not _slimmed(version="1.66.0")["known"]


def test_a_clone_may_lie_in_a_folder_with_blanks(tmp_path: Path) -> None:
    """Node splits its options at blanks that are not quoted."""
    preload = tmp_path / "a folder" / PRELOAD.name
    preload.parent.mkdir()
    preload.write_text(PRELOAD.read_text())
    options = _tuned()["NODE_OPTIONS"].replace(str(PRELOAD), str(preload))
    result = subprocess.run(
        [NODE, "--eval", "console.log(1)"],
        env={"NODE_OPTIONS": options},
        check=True,
        capture_output=True,
        text=True,
        timeout=50,
    )

    assert (result.stdout, result.stderr) == ("1\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("by_link", [False, True])
def test_the_driver_runs_slim_by_whatever_path_it_is_called(tmp_path: Path, *, by_link: bool) -> None:
    """Node knows a module by its real path, the command line may have come by a link."""
    (tmp_path / "package").symlink_to(CLI.parent)
    (tmp_path / "look.js").write_text(LOOK)
    cli = tmp_path / "package" / CLI.name if by_link else CLI
    result = subprocess.run(
        [NODE, "--require", tmp_path / "look.js", cli, "run-driver"],
        env=_tuned(),
        input="",  # the driver ends with its input
        check=True,
        capture_output=True,
        text=True,
        timeout=50,
    )

    assert ("", CUT) == (result.stdout, result.stderr)


@pytest.mark.slow
def test_a_driver_that_was_prepared_runs_the_same(tmp_path: Path) -> None:
    """The build of the image cuts and compiles it; a later start takes that, and says so if its V8 cannot use it."""
    folder = tmp_path / "prepared"
    folder.mkdir()
    (tmp_path / "look.js").write_text(LOOK)

    assert CUT == _run(tmp_path / "look.js", prepared=folder, DRIVER_PREPARE="1")
    names = {
        f"{VERSION}-{name}{suffix}" for name in ("coreBundle.js", "utilsBundle.js") for suffix in ("", ".compiled")
    }
    assert names == {path.name for path in folder.iterdir()}
    assert CUT == _run(tmp_path / "look.js", prepared=folder)

    source = folder / f"{VERSION}-coreBundle.js"
    source.write_bytes(source.read_bytes() + b"\n")
    assert f"coreBundle.js was compiled by another V8, and is compiled anew at each start\n{CUT}" == _run(
        tmp_path / "look.js", prepared=folder
    )


def _run(look: Path, *, prepared: Path, **more: str) -> str:
    """Start the driver and let it end at once; returns what it says on standard error."""
    environment = {"PATH": os.environ["PATH"], **more}
    tune_driver(environment, prepared=prepared)
    command = [str(NODE), "--require", str(look), str(CLI), "run-driver"]
    result = subprocess.run(command, env=environment, input="", check=True, capture_output=True, text=True, timeout=50)
    assert "" == result.stdout
    return str(result.stderr)


@pytest.mark.slow
def test_a_start_that_is_cancelled_leaves_no_driver_and_no_pipes() -> None:
    """Nobody else knows of it: what is left of one, Python may complain of at the end, in the middle of the log."""
    python = [sys.executable, "-W", "always::ResourceWarning"]
    result = subprocess.run(
        [*python, "-c", CANCELLED], env=_tuned(), check=True, capture_output=True, text=True, timeout=50
    )

    assert ("cancelled []\n", "") == (result.stdout, result.stderr)


@pytest.mark.slow
def test_a_driver_that_ends_at_its_start_is_a_launch_that_failed() -> None:
    """Killed for want of memory, say: that is looked for where a launch has failed, and nowhere else."""
    environment = _tuned() | {"PLAYWRIGHT_NODEJS_PATH": "/bin/false"}
    result = subprocess.run(
        [sys.executable, "-c", ENDED], env=environment, check=True, capture_output=True, text=True, timeout=50
    )

    assert result.stdout.startswith("The browser's driver did not start: ")


def _tuned() -> dict[str, str]:
    environment = {"PATH": os.environ["PATH"]}
    tune_driver(environment)
    return environment


@pytest.mark.slow
def test_other_commands_of_playwright_work_with_the_preload() -> None:
    """Only the driver's own command is cut down: somebody in the container may still ask for the version."""
    result = subprocess.run(
        [NODE, CLI, "--version"], env=_tuned(), check=True, capture_output=True, text=True, timeout=50
    )

    assert re.fullmatch(r"Version \d+\.\d+\.\d+\S*\n", result.stdout)
    assert result.stderr == ""


async def test_what_the_driver_writes_to_standard_error_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """By whoever takes `sys.stderr` for its child, as Playwright does; the log's own stream stays what it was."""
    before = sys.stderr
    code = "process.emitWarning('too old'); console.error('done')"
    async with logged_stderr():
        child = await asyncio.create_subprocess_exec(str(NODE), "--eval", code, stderr=sys.stderr.fileno())
    await child.wait()
    await async_until("both are logged", lambda: _texts(caplog), lambda texts: "done" in texts and "too old" in texts)

    assert before is sys.stderr
    assert {("WARNING", "The browser's driver reported something")} == {
        (record.levelname, record.message) for record in caplog.records
    }


async def _texts(caplog: pytest.LogCaptureFixture) -> str:
    return " ".join(str(record.__dict__["text"]) for record in caplog.records)
