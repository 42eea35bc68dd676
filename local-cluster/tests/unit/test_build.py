"""Which programs are built, and when anew."""

import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from local_cluster import build
from local_cluster.build import downloads, programs, versions
from session_devtools.build.cache import files_of
from session_devtools.errors import BuildError


@pytest.fixture(autouse=True)
def _default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the person who runs the tests has chosen."""
    monkeypatch.delenv(versions.VARIABLE, raising=False)
    monkeypatch.delenv(downloads.VARIABLE, raising=False)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("", "v1.35.4"),
        ("1.35", "v1.35.4"),
        ("v1.35.4", "v1.35.4"),
        ("1.37", "v1.37.2"),
        (" 1.37.2 ", "v1.37.2"),
    ],
)
def test_a_release_is_chosen_by_its_first_numbers(wanted: str, expected: str) -> None:
    """Each is stated in one go.mod; the first is the default."""
    assert expected == versions.chosen({versions.VARIABLE: wanted}).version


@pytest.mark.parametrize("wanted", ["2", "1.3", "1.36", "1.35.9", "latest", "x" * 500, "../kube"])
def test_a_release_that_is_not_known_is_refused_with_those_that_are(wanted: str) -> None:
    """Half a number is no release."""
    with pytest.raises(
        BuildError, match=r"is none of those that the local cluster knows: 1\.35\.4, 1\.37\.2$"
    ) as raised:
        versions.chosen({versions.VARIABLE: wanted})
    assert len(str(raised.value)) < 150


def test_a_module_without_the_program_is_refused() -> None:
    """A go.mod that lost its requirement is named, instead of an empty version in the binary."""
    with pytest.raises(BuildError, match=r"requires no release of k8s\.io/kubernetes"):
        versions.required_version("module x\n", versions.KUBERNETES)


@pytest.mark.parametrize(
    ("variable", "value"), [(versions.VARIABLE, "1.37"), (downloads.VARIABLE, "https://dl.k8s.io")]
)
def test_another_choice_is_another_entry(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs of another release, or from another place, never answer for these."""
    before = build.plans()[0].entry
    monkeypatch.setenv(variable, value)

    assert before != build.plans()[0].entry


def test_what_only_tests_read_makes_no_other_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The go.mod of the other release neither."""
    before = build.plans()[0].entry
    files = files_of(versions.GO_MODULES / "kube")
    monkeypatch.setattr(programs, "files_of", lambda _: {**files, "x_test.go": b"", "1.37/go.mod": b"changed"})

    assert before == build.plans()[0].entry


def test_released_programs_are_taken_where_somebody_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Kubernetes does not publish is built all the same, without the rest."""
    built: list[object] = []

    def go_build(_: Path, output: Path, *, tags: str, **__: object) -> None:
        built.append(tags)
        output.write_text("ours")

    def fetch(base: str, version: str, name: str, target: Path, **_: object) -> None:
        target.write_text(f"{base} {version} {name}")

    monkeypatch.setenv(downloads.VARIABLE, "http://127.0.0.1:1/")
    monkeypatch.setattr(programs, "go_build", go_build)
    monkeypatch.setattr(downloads, "fetch", fetch)
    folder = build.kubernetes(cache=tmp_path)

    assert built == ["released"]
    assert (folder / "kubelet").read_text() == "http://127.0.0.1:1 v1.35.4 kubelet"
    assert (folder / "etcd").read_text() == "ours"
    assert {*programs.COMPONENTS, "kube"} == {path.name for path in folder.iterdir()}


def test_the_runtime_is_four_programs_and_runc_alone_is_linked_with_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with the release that its go.mod requires in it."""
    built: dict[str, dict[str, Any]] = {}

    def go_build(_: Path, output: Path, **options: Any) -> None:
        built[output.name] = options

    monkeypatch.setattr(programs, "go_build", go_build)
    folder = build.runtime(cache=tmp_path)

    assert list(built) == ["containerd", "containerd-shim-runc-v2", "ctr", "runc"]
    assert [name for name, options in built.items() if options.get("cgo")] == ["runc"]
    assert built["containerd"]["flags"].endswith("version.Version=v2.4.2")
    assert folder.name.startswith("runtime-v2.4.2-")


def test_what_enforces_network_policies_is_a_program_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No cluster is built of it unless it is told to; where it is, the entry names its release."""
    monkeypatch.setattr(programs, "go_build", lambda _, output, **__: output.write_text("program"))
    program = build.network_policies(cache=tmp_path)

    assert program.name == "kube-network-policies"
    assert program.parent.name.startswith("kube-network-policies-v0.8.0-")
    assert build.network_policies_plan().entry not in {plan.entry for plan in build.plans()}


@pytest.mark.parametrize(
    ("variable", "value"), [(versions.VARIABLE, "1.37"), (downloads.VARIABLE, "https://dl.k8s.io")]
)
def test_a_program_that_shares_nothing_with_what_is_compiled_takes_longer(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most of what enforces network policies is the default's Kubernetes client."""
    beside = build.network_policies_plan()
    monkeypatch.setenv(variable, value)
    alone = build.network_policies_plan()

    assert beside.minutes < alone.minutes
    assert beside.entry == alone.entry


def test_it_stands_on_the_packages_that_kubernetes_is_compiled_with() -> None:
    """Every module that both require is of one release, or minutes of compiling are done twice."""
    ours, kubes = (
        _required((versions.GO_MODULES / name / "go.mod").read_text()) for name in ("network-policies", "kube")
    )

    assert len(ours.keys() & kubes.keys()) > 40
    assert {name: kubes[name] for name in ours.keys() & kubes.keys()} == {
        name: version for name, version in ours.items() if name in kubes
    }


def _required(go_mod: str) -> dict[str, str]:
    """The modules that a go.mod requires; one that it replaces by a release is of that."""
    found = dict(re.findall(r"^\t(\S+) (v\S+)", go_mod, re.MULTILINE))
    return found | dict(re.findall(r"^\t(\S+) => \S+ (v\S+)", go_mod, re.MULTILINE))


def test_a_program_is_not_built_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second call finds the first one's result by its content alone."""
    built: list[Path] = []

    def go_build(_: Path, output: Path, **__: object) -> None:
        built.append(output)
        output.write_text("program")

    monkeypatch.setattr(programs, "go_build", go_build)

    first = build.kubernetes(cache=tmp_path)
    second = build.kubernetes(cache=tmp_path)

    assert first == second
    assert len(built) == 1
    assert sorted(path.name for path in first.iterdir()) == sorted(["kube", *programs.COMPONENTS])
    assert all((first / name).read_text() == "program" for name in programs.COMPONENTS)


def test_the_pause_program_is_static_and_ends_when_asked(tmp_path: Path) -> None:
    """It runs in an image that holds nothing else, and a pod's deletion does not wait for it."""
    program = build.pause(cache=tmp_path)
    with subprocess.Popen([program]) as process:
        process.terminate()
        status = process.wait(20)

    assert b"/lib64/ld-linux" not in program.read_bytes()
    assert status in {0, -signal.SIGTERM}  # the latter when the signal comes before the program has asked for it
