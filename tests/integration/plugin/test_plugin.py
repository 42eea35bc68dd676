"""`kubectl whatsapp` through the real kubectl, with a real API server's rights, against the runner's own HTTP API."""

import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import segno
from integration.plugin.conftest import LINKER, PLUGIN, READER, SECRET, Stage
from kubectl_whatsapp.drawing import draw
from local_cluster.light import LightCluster, Programs
from session_protocol.vocabulary import RunnerState, StateReason

CODE = "2@" + "abcdefgh" * 25
LATER = "2@" + "hgfedcba" * 25


def say(stage: Stage, state: RunnerState, *, linked: bool = False, round: int = 1) -> None:  # noqa: A002
    """Let the runner say a state."""
    time = datetime.now(UTC) if linked else None
    stage.store.publish(
        state=state, reason=StateReason.AS_EXPECTED, message="", linked_time=time, durable_time=None, round=round
    )


def condition(kind: str, status: str, reason: str, message: str = "") -> dict[str, Any]:
    """A condition of the session."""
    time = "2026-01-01T00:00:00Z"
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": time}


async def test_kubectl_finds_the_plugin(stage: Stage) -> None:
    """With the plugin's folder on the PATH kubectl lists it, and nothing of kubectl's own is shadowed."""
    listed = await stage.kubectl("plugin", "list")

    assert str(PLUGIN / "kubectl-whatsapp") in listed.out
    assert "overshadowed" not in listed.out + listed.notes


async def test_draws_what_the_runner_shows(stage: Stage) -> None:
    """The drawing is the code that the page shows, fetched with a right to one Secret and no more."""
    say(stage, RunnerState.QR_PENDING)
    stage.store.show_code(CODE, lifetime=20)

    ended = await stage.kubectl("whatsapp", "qr", "sales", "-n", stage.namespace, rights=LINKER)

    assert (0, f"{draw(CODE, columns=80, colours=False)}\n") == (ended.status, ended.out)
    assert f"session {stage.namespace}/sales, round 1: valid until" in ended.notes


async def test_pictures_hold_the_code(stage: Stage, tmp_path: Path) -> None:
    """A PNG is the code's picture, module by module."""
    stage.store.show_code(CODE, lifetime=20)
    target = tmp_path / "sales.png"

    await stage.kubectl("whatsapp", "qr", "sales", "-n", stage.namespace, "-o", "png", str(target), rights=LINKER)

    wanted = tmp_path / "wanted.png"
    segno.make_qr(CODE, error="l").save(str(wanted), scale=8, border=4)
    assert wanted.read_bytes() == target.read_bytes()


async def test_watches_until_linked(stage: Stage) -> None:
    """Each code of the page is shown as it comes, and linking ends the watch."""
    say(stage, RunnerState.QR_PENDING)
    stage.store.show_code(CODE, lifetime=60)
    words = ["whatsapp", "qr", "sales", "-n", stage.namespace, "--watch", "-o", "text"]

    watching = await stage.start(*words, rights=LINKER)
    assert watching.stdout is not None
    assert f"{CODE}\n" == (await watching.stdout.readline()).decode()
    stage.store.show_code(LATER, lifetime=60)
    say(stage, RunnerState.QR_PENDING, round=2)
    assert f"{LATER}\n" == (await watching.stdout.readline()).decode()
    stage.store.show_code(None, lifetime=0)
    say(stage, RunnerState.SYNCING, linked=True)
    out, notes = await watching.communicate()

    assert (0, b"") == (watching.returncode, out)
    assert f"session {stage.namespace}/sales is linked (Syncing)\n" in notes.decode()


async def test_reading_sessions_is_not_enough(stage: Stage) -> None:
    """Without the right to the Secret there is no code, and the message says what is missing."""
    stage.store.show_code(CODE, lifetime=20)

    ended = await stage.kubectl("whatsapp", "qr", "sales", "-n", stage.namespace, rights=READER)

    expected = f"error: you may not read Secret {SECRET} in namespace {stage.namespace}, which holds the token"
    assert (1, "", expected) == (ended.status, ended.out, ended.notes[: len(expected)])


async def test_no_such_session(stage: Stage) -> None:
    """The API server's refusal becomes a sentence."""
    ended = await stage.kubectl("whatsapp", "qr", "nobody", "-n", stage.namespace)

    expected = f"error: there is no session nobody in namespace {stage.namespace}; "
    assert (1, expected) == (ended.status, ended.notes[: len(expected)])


async def test_status_of_a_namespace(stage: Stage) -> None:
    """The table has the session's words, and the use of a quota that the API server keeps."""
    quota = """{"apiVersion": "wasession.dev/v1alpha1", "kind": "WhatsAppSessionQuota",
        "metadata": {"name": "plugin"}, "spec": {"sessions": 3, "memory": "8Gi"}}"""
    stage.cluster.kubectl("apply", "--filename=-", input=quota)
    patch = '--patch={"status": {"admitted": 1, "waiting": 0, "memoryReserved": "768Mi"}}'
    stage.cluster.kubectl("patch", "wasq", "plugin", "--subresource=status", "--type=merge", patch)
    stage.set_status(state="Connected", conditions=[condition("Ready", "True", "Connected")])

    ended = await stage.kubectl("whatsapp", "status", "-n", stage.namespace)

    lines = [line.split() for line in ended.out.splitlines()]
    assert ["NAME", "STATE", "READY", "QUOTA", "RESTARTS", "SINCE", "REASON"] == lines[0]
    assert ["sales", "Connected", "True", "plugin", "0"] == lines[1][:5]
    assert ["plugin", "1", "of", "3", "768Mi", "of", "8Gi", "unlimited", "0"] == lines[4]


async def test_status_without_a_right_to_quotas(stage: Stage) -> None:
    """Sessions are shown to whoever may see them; the quota's use is not, and that is said."""
    ended = await stage.kubectl("whatsapp", "status", "-n", stage.namespace, rights=READER)

    assert (0, "you may not read quotas, so their use is not shown\n") == (ended.status, ended.notes)
    assert ["sales", "Starting"] == ended.out.splitlines()[1].split()[:2]


async def test_a_cluster_without_the_operator(light_programs: Programs, stage: Stage, tmp_path: Path) -> None:
    """Where the CRDs are not installed, that is what is said."""
    with LightCluster.start(programs=light_programs, parent_folder=tmp_path) as empty:
        elsewhere = Stage(cluster=empty, namespace="default", store=stage.store, folder=stage.folder)
        ended = await elsewhere.kubectl("whatsapp", "status")

    assert 1 == ended.status
    assert "The operator's API is not installed in this cluster, or the context is another one\n" in ended.notes


async def test_kubectl_completes_behind_the_plugin(stage: Stage) -> None:
    """Its own completion finds the program beside the plugin, and the session through itself."""
    commands = await stage.kubectl("__complete", "whatsapp", "")
    sessions = await stage.kubectl("__complete", "whatsapp", "qr", "-n", stage.namespace, "s")
    namespaces = await stage.kubectl("__complete", "whatsapp", "status", "--namespace", stage.namespace[:-1])

    assert ["qr", "status", ":4"] == [line.partition("\t")[0] for line in commands.out.splitlines()]
    assert ["sales", ":4"] == sessions.out.splitlines()
    assert stage.namespace in namespaces.out.splitlines()


async def test_watches_sessions(stage: Stage) -> None:
    """A line for each change, from the real kubectl's events; Ctrl-C ends it."""
    watching = await stage.start("whatsapp", "status", "-n", stage.namespace, "--watch")
    assert watching.stdout is not None
    before = [(await watching.stdout.readline()).split()[:2] for _ in range(2)]

    stage.set_status(state="Connected", conditions=[condition("Ready", "True", "Connected")])
    linked = (await watching.stdout.readline()).decode().split()
    stage.cluster.kubectl("delete", "whatsappsession", "sales", f"--namespace={stage.namespace}")
    deleted = (await watching.stdout.readline()).decode().split()
    watching.send_signal(signal.SIGINT)
    _, notes = await watching.communicate()

    assert [[b"NAME", b"STATE"], [b"sales", b"Starting"]] == before
    assert (["sales", "Connected", "True"], ["sales", "Deleted"]) == (linked[:3], deleted[:2])
    assert (130, b"") == (watching.returncode, notes)


async def test_a_selector_and_an_impersonated_reader(stage: Stage) -> None:
    """The options of kubectl do what they do for kubectl."""
    place = ["-n", stage.namespace]
    stage.cluster.kubectl("label", "whatsappsession", "sales", "team=shop", f"--namespace={stage.namespace}")

    found = await stage.kubectl("whatsapp", "status", *place, "-l", "team=shop", "-o", "name")
    none = await stage.kubectl("whatsapp", "status", *place, "-l", "team=other")
    nobody = await stage.kubectl("whatsapp", "status", *place, "--as", "nobody")

    assert (0, "whatsappsession.wasession.dev/sales\n") == (found.status, found.out)
    assert (0, "", "no sessions with labels team=other in this namespace; -A lists all namespaces\n") == (
        none.status,
        none.out,
        none.notes,
    )
    assert 1 == nobody.status
    assert 'User "nobody" cannot list resource "whatsappsessions"' in nobody.notes
