"""The plugin installed by itself, as `pipx install ./plugin` does it: from the folder and from a wheel."""

import subprocess
import sys
from pathlib import Path

import pytest
from integration.plugin.conftest import PLUGIN
from unit.plugin.plugin_harness import ScriptedKubectl, session_json

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
shares_wheel = pytest.mark.xdist_group("wheel")
""" For those that share an environment. """


def run(*command: str | Path, path: str = "/usr/bin:/bin", folder: Path) -> str:
    """Run a program in a folder where nothing of the project lies, and return what it printed."""
    environment = {"PATH": path, "HOME": str(folder), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def environment_with(what: Path, *, folder: Path) -> Path:
    """A fresh environment with the plugin in it, and nothing that the plugin does not ask for; returns its programs."""
    run(sys.executable, "-m", "venv", folder / "venv", folder=folder)
    programs = folder / "venv" / "bin"
    run(programs / "python", "-m", "pip", "install", "--quiet", what, folder=folder)
    return programs


def assert_works(programs: Path, *, folder: Path) -> None:
    """Both programs do what they are for, and the code is drawn."""
    kubectl = ScriptedKubectl(folder)
    kubectl.install()
    kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=session_json(state="Connected"))
    kubectl.answer_to(
        "get", "whatsappsessions.wasession.dev", "--output=name", out="whatsappsession.wasession.dev/sales\n"
    )
    kubectl.answer_to("get", "whatsappsessionquotas.wasession.dev", out="")
    path = f"{folder}:{programs}:/usr/bin:/bin"

    table = run(programs / "kubectl-whatsapp", "status", path=path, folder=folder)
    document = run(programs / "kubectl-whatsapp", "status", "-o", "yaml", path=path, folder=folder)
    choices = run(programs / "kubectl_complete-whatsapp", "qr", "sa", path=path, folder=folder)
    draw = "from kubectl_whatsapp.drawing import draw; print(draw('2@x', columns=None, colours=False))"
    drawing = run(programs / "python", "-c", draw, folder=folder)

    assert ["sales", "Connected", "True", "demo", "2"] == table.splitlines()[1].split()[:5]
    assert "lastTransitionTime: '2026-11-22T13:42:00Z'\n" in document
    assert "sales\n:4\n" == choices
    assert len(drawing.splitlines()) > 10


def test_from_the_folder(tmp_path: Path) -> None:
    """Nothing but the folder of the clone is needed, and nothing is left in it."""
    before = sorted(path for path in PLUGIN.rglob("*") if "__pycache__" not in path.parts)

    assert_works(environment_with(PLUGIN, folder=tmp_path), folder=tmp_path)

    assert before == sorted(path for path in PLUGIN.rglob("*") if "__pycache__" not in path.parts)


@pytest.fixture(scope="module")
def from_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the plugin's wheel in it."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder / "wheels", PLUGIN, folder=folder)
    (wheel,) = (folder / "wheels").iterdir()
    return environment_with(wheel, folder=folder)


@shares_wheel
def test_from_a_wheel(from_wheel: Path, tmp_path: Path) -> None:
    """The wheel holds all that the plugin shares with operator and runner, and neither of those."""
    assert_works(from_wheel, folder=tmp_path)
    (installed,) = (from_wheel.parent / "lib").glob("python*/site-packages")
    assert {"kubectl_whatsapp", "session_protocol"} == {
        path.name for path in installed.iterdir() if path.name.startswith(("kubectl_", "session_", "whatsapp_"))
    } - {path.name for path in installed.glob("*.dist-info")}


@shares_wheel
def test_every_module_of_the_wheel_can_be_loaded(from_wheel: Path, tmp_path: Path) -> None:
    """What is shared asks for nothing that is not installed."""
    load = (
        "import importlib, pkgutil, kubectl_whatsapp, session_protocol\n"
        "for package in (kubectl_whatsapp, session_protocol):\n"
        "    for found in pkgutil.iter_modules(package.__path__, package.__name__ + '.'):\n"
        "        if not found.name.endswith('__main__'):\n"
        "            importlib.import_module(found.name)\n"
    )

    run(from_wheel / "python", "-c", load, folder=tmp_path)
