"""From what a person types to the right command: make's variables, the arguments, faults as one message."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from session_demo import __main__ as command_line
from session_demo import current, kube_context
from session_demo.current import Options, Target
from session_demo.drawing import draw_qr
from session_demo.errors import DemoError
from session_demo.image_delivery import RegistryDelivery
from session_demo.next_steps import shell_exports
from session_demo.report import Observation, Report
from session_devtools.errors import MachineError
from session_devtools.kubectl import Kubectl
from unit.demo.test_preflight import FIT

ROOT = Path(__file__).parents[3]
CONTEXT = kube_context.KubeContext(
    name="blue", server="https://x", version="v1.35.4", kubectl=Kubectl(program="kubectl")
)
TARGET = Target(context=CONTEXT, found=FIT, delivery=RegistryDelivery(repository="a.b/c"))


def typed(target: str, *variables: str) -> list[str]:
    """The words that make would run for a target."""
    done = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", target, *variables],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-1].replace("'", "").split()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ([], "play --cluster local --name demo"),
        (["DEMO_MODE=modern"], "play --cluster local --name demo --mode modern"),
        (["CLUSTER=current", "REGISTRY=a.b/c"], "play --cluster current --name demo --registry a.b/c"),
        (
            ["CLUSTER=current", "REGISTRY=a.b/c", "REGISTRY_INSECURE=1"],
            "play --cluster current --name demo --registry a.b/c --registry-insecure",
        ),
        (
            ["CLUSTER=current", "REGISTRY=a.b/c", "REGISTRY_INSECURE=0"],
            "play --cluster current --name demo --registry a.b/c",
        ),
        (["CLUSTER=current", "KIND=blue"], "play --cluster current --name demo --kind blue"),
        (["ALERTS=1"], "play --cluster local --name demo --alerts"),
        (["MESSAGES=1", "ALERTS=1"], "play --cluster local --name demo --messages --alerts"),
        (["CLUSTER=current", "KIND=blue", "MESSAGES=1"], "play --cluster current --name demo --kind blue --messages"),
        (["ALERTS=0"], "play --cluster local --name demo"),
        (
            ["CLUSTER=current", "KIND=blue", "STORAGE_CLASS=fast", "ACCESS_MODE=ReadWriteOnce"],
            "play --cluster current --name demo --kind blue --storage-class fast --access-mode ReadWriteOnce",
        ),
    ],
)
def test_makes_variables_are_the_programs_arguments(variables: list[str], expected: str) -> None:
    """What a person types after `make demo` arrives, and what they do not type stays at its default."""
    arguments = typed("demo", *variables)

    assert ["-m", "session_demo", *expected.split()] == arguments[1:]
    command_line._parser().parse_args(arguments[3:])


def test_demo_down_knows_which_cluster() -> None:
    """It is told so, and wants no registry."""
    assert ["down", "--cluster", "current", "--name", "demo"] == typed("demo-down", "CLUSTER=current")[3:]


@pytest.mark.parametrize(
    "arguments",
    [["play", "--cluster", "other"], ["play", "--access-mode", "ReadWriteMany"], ["down", "--registry", "x"], []],
)
def test_what_cannot_be_meant_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With the choices that there are."""
    with pytest.raises(SystemExit) as caught:
        command_line.main(arguments)

    assert 2 == caught.value.code
    assert "usage:" in capsys.readouterr().err


@pytest.fixture(name="asked")
def current_cluster(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The current context's cluster, which notes what is asked of it."""
    asked: dict[str, Any] = {}

    def check(report: Report, options: Options, context: kube_context.KubeContext) -> Target:
        del report, context
        asked["options"] = options
        return TARGET

    monkeypatch.setattr(kube_context, "current", lambda: CONTEXT)
    monkeypatch.setattr(current, "check", check)
    monkeypatch.setattr(current, "prepare", lambda *given: asked.update(prepared=given) or "client")
    monkeypatch.setattr(current, "remove", lambda *given: asked.update(cleared=given))
    monkeypatch.setattr(command_line, "run_scenario", lambda _, client: asked.update(played=client))
    return asked


def test_the_options_reach_the_cluster(asked: dict[str, Any]) -> None:
    """All of them, and then the scenario runs on the prepared cluster."""
    arguments = "--registry a.b/c --registry-insecure --storage-class fast --access-mode ReadWriteOnce --mode modern"

    status = command_line.main(["play", "--cluster", "current", *arguments.split()])

    expected = Options(
        registry="a.b/c", insecure=True, storage_class="fast", access_mode="ReadWriteOnce", mode="modern"
    )
    assert (0, expected, "client") == (status, asked["options"], asked["played"])


def test_the_end_says_what_remains_and_how_to_go_on(asked: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """What is left, how it goes, and the lines to look around with."""
    command_line.main(["play", "--cluster", "current", "--registry", "a.b/c"])

    output = capsys.readouterr().out
    assert asked["played"]
    assert all(line in output for line in current.describe_result(TARGET))
    assert "in context blue" in output
    assert "kubectl whatsapp qr returns -n whatsapp-demo" in output


def test_a_missed_step_is_an_exit_status(asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a cluster of somebody else's."""

    def run_scenario(report: Report, _: object) -> None:
        report.expect("it appears", lambda: Observation(ok=False, text="nothing"), within=0)

    monkeypatch.setattr(command_line, "run_scenario", run_scenario)

    assert command_line.main(["play", "--cluster", "current", "--registry", "a.b/c"]) == 1
    assert "options" in asked


def test_a_play_that_breaks_off_is_summed_up(
    asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was missed before, why it ended, what is left in the cluster and how it goes."""

    def run_scenario(report: Report, _: object) -> None:
        report.expect("it appears", lambda: Observation(ok=False, text="nothing"), within=0)
        raise DemoError("session sales has no pod")

    monkeypatch.setattr(command_line, "run_scenario", run_scenario)

    status = command_line.main(["play", "--cluster", "current", "--registry", "a.b/c"])

    output = capsys.readouterr().out
    assert (1, True) == (status, "options" in asked)
    assert "2 of 2 steps did not show what they promise" in output
    assert "  ✗ it appears; seen: nothing\n  ✗ the demo ended early: session sales has no pod\n" in output
    assert all(line in output for line in current.describe_result(TARGET))


def test_demo_down_clears_the_current_cluster(asked: dict[str, Any]) -> None:
    """The one that kubectl points at now."""
    status = command_line.main(["down", "--cluster", "current"])

    assert 0 == status
    assert CONTEXT is asked["cleared"][1]
    assert "wish" not in asked


def raising(error: BaseException) -> Callable[..., Any]:
    """Make a function that fails."""

    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


def no_cluster_of_ours(monkeypatch: pytest.MonkeyPatch, fault: BaseException) -> None:
    """Bringing up our own cluster fails in this way; the real one is not even loaded."""
    # Under another name than the command line's this would replace nothing, and as root the real demo would be played.
    assert find_spec("local_cluster.provision") is not None
    stub = SimpleNamespace(provision=SimpleNamespace(up=raising(fault), down=raising(fault)))
    monkeypatch.setitem(sys.modules, "local_cluster", stub)


@pytest.mark.parametrize("error", [DemoError("no such context"), MachineError("no such machine")])
def test_an_expected_fault_is_one_message(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And never a traceback."""
    monkeypatch.setattr(kube_context, "current", raising(error))

    assert command_line.main(["play", "--cluster", "current"]) == 1
    assert f"demo: {error}\n" == capsys.readouterr().err


def test_an_unexpected_fault_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """A programming error shows where it is."""
    monkeypatch.setattr(kube_context, "current", raising(ZeroDivisionError()))

    with pytest.raises(ZeroDivisionError):
        command_line.main(["play", "--cluster", "current"])


def test_ctrl_c_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With the exit status that shells give it."""
    monkeypatch.setattr(kube_context, "current", raising(KeyboardInterrupt()))

    assert command_line.main(["down", "--cluster", "current"]) == 130
    output = "`make demo CLUSTER=current` begins anew, `make demo-down CLUSTER=current` cleans up"
    assert output in capsys.readouterr().err
    no_cluster_of_ours(monkeypatch, KeyboardInterrupt())
    assert command_line.main(["play"]) == 130
    assert "`make demo` begins anew, `make demo-down` cleans up" in capsys.readouterr().err


def test_a_registry_without_a_cluster_is_remarked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who names one and forgets CLUSTER=current hears of it before a cluster is built on this machine."""
    no_cluster_of_ours(monkeypatch, DemoError("that far"))

    command_line.main(["play", "--registry", "a.b/c"])
    with_registry = capsys.readouterr().out
    command_line.main(["play"])
    without = capsys.readouterr().out

    assert "(without effect here: REGISTRY; for a cluster of yours add CLUSTER=current)\n" in with_registry
    assert "without effect" not in without


@pytest.mark.parametrize(("columns", "fits"), [(80, True), (40, False)])
def test_the_windows_width_counts(columns: int, *, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A code that the window would break over lines is not drawn; down a pipe it always is."""
    code = "2@" + "x" * 240
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(isatty=lambda: True))
    with nullcontext() if fits else pytest.raises(DemoError, match="61 columns wide and the terminal has 40"):
        assert draw_qr(code)
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(isatty=lambda: False))

    assert draw_qr(code)


@pytest.fixture(name="folder")
def search_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that programs are looked for in; empty."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(folder: Path) -> None:
    """Put a program named kubectl there."""
    (folder / "kubectl").touch(mode=0o755)


def test_the_farewell_is_a_line_for_the_shell(folder: Path) -> None:
    """The cluster's kubeconfig, and kubectl itself where the machine has none."""
    ours = Kubectl(program="/cache/kubernetes/kubectl", kubeconfig="/state/admin.kubeconfig")
    plugin = ROOT / "plugin"

    without = shell_exports(ours)
    install(folder)
    having = shell_exports(ours)

    assert f"export KUBECONFIG=/state/admin.kubeconfig PATH=/cache/kubernetes:{plugin}:$PATH" == without
    assert f"export KUBECONFIG=/state/admin.kubeconfig PATH={plugin}:$PATH" == having


def test_the_farewell_holds_where_a_folder_has_a_blank(folder: Path) -> None:
    """A person's home may be called anything; the shell must read one word."""
    assert folder.exists()
    ours = Kubectl(program="/my cache/kubectl", kubeconfig="/my state/admin.kubeconfig")
    line = shell_exports(ours)
    script = f'{line}; printf "%s\\n%s" "$KUBECONFIG" "$PATH"'
    output = subprocess.run(["/bin/bash", "-c", script], capture_output=True, text=True, check=True).stdout.splitlines()

    assert "/my state/admin.kubeconfig" == output[0]
    assert output[1].startswith("/my cache:")


def test_the_farewell_leaves_the_persons_own_configuration_alone(folder: Path) -> None:
    """With CLUSTER=current only the plugin is new."""
    install(folder)

    output = shell_exports(Kubectl(program="/usr/bin/kubectl", flags=("--context=blue",)))

    assert f"export PATH={ROOT / 'plugin'}:$PATH" == output


def test_a_reader_that_goes_ends_the_demo_without_a_traceback() -> None:
    """`make demo | head`: the demo stops as other programs do, by the number of the signal for a broken pipe."""
    code = (
        "from session_demo import __main__ as it; from session_demo.report import Report\n"
        "it._COMMANDS = {('play', 'local'): lambda given: [Report().info('line') for _ in range(100_000)] and 0}\n"
        "raise SystemExit(it.main(['play', '--cluster', 'local', '--name', 'demo']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "line\n" == process.stdout.readline()
        process.stdout.close()
        output = process.stderr.read()
        status = process.wait(50)

    assert (141, "demo: stopped in the middle of play, as nobody reads on\n") == (status, output)
