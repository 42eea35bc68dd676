"""`kubectl whatsapp` through the real kubectl, with a real API server's rights, against the runner's own HTTP API."""

import json
import re
import signal
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import segno
from integration.plugin.conftest import ADMINISTRATOR, LINKER, MESSAGING, PLUGIN, READER, SECRET, SENDER, PluginHarness
from kubectl_whatsapp.drawing import draw
from local_cluster.light import LightCluster, Programs
from session_protocol.vocabulary import RunnerState, StateReason, WebhookEvent
from session_runner.messages.events import Event, StateChange
from session_runner.outbox import deliveries

CODE = "2@" + "abcdefgh" * 25
LATER = "2@" + "hgfedcba" * 25


def report(harness: PluginHarness, state: RunnerState, *, linked: bool = False, round: int = 1) -> None:  # noqa: A002
    """Let the runner say a state."""
    time = datetime.now(UTC) if linked else None
    harness.store.publish(
        state=state,
        reason=StateReason.AS_EXPECTED,
        message="",
        linked_time=time,
        durable_time=None,
        round=round,
        linked=linked,
    )


def condition(kind: str, status: str, reason: str, message: str = "") -> dict[str, Any]:
    """A condition of the session."""
    time = "2026-01-01T00:00:00Z"
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": time}


async def test_kubectl_finds_the_plugin(harness: PluginHarness) -> None:
    """With the plugin's folder on the PATH kubectl lists it, and nothing of kubectl's own is shadowed."""
    listed = await harness.kubectl("plugin", "list")

    assert str(PLUGIN / "kubectl-whatsapp") in listed.out
    assert "overshadowed" not in listed.out + listed.err


async def test_draws_what_the_runner_shows(harness: PluginHarness) -> None:
    """The drawing is the code that the page shows, fetched with a right to one Secret and no more."""
    report(harness, RunnerState.QR_PENDING)
    harness.store.show_code(CODE, lifetime=20)

    ended = await harness.kubectl("whatsapp", "qr", "sales", "-n", harness.namespace, rights=LINKER)

    assert (0, f"{draw(CODE, columns=80, colours=False)}\n") == (ended.status, ended.out)
    assert f"session {harness.namespace}/sales, round 1: valid until" in ended.err


async def test_pictures_hold_the_code(harness: PluginHarness, tmp_path: Path) -> None:
    """A PNG is the code's picture, module by module."""
    harness.store.show_code(CODE, lifetime=20)
    target = tmp_path / "sales.png"

    await harness.kubectl("whatsapp", "qr", "sales", "-n", harness.namespace, "-o", "png", str(target), rights=LINKER)

    wanted = tmp_path / "wanted.png"
    segno.make_qr(CODE, error="l").save(str(wanted), scale=8, border=4)
    assert wanted.read_bytes() == target.read_bytes()


async def test_watches_until_linked(harness: PluginHarness) -> None:
    """Each code of the page is shown as it comes, and linking ends the watch."""
    report(harness, RunnerState.QR_PENDING)
    harness.store.show_code(CODE, lifetime=60)
    arguments = ["whatsapp", "qr", "sales", "-n", harness.namespace, "--watch", "-o", "text"]

    watching = await harness.start(*arguments, rights=LINKER)
    assert watching.stdout is not None
    assert f"{CODE}\n" == (await watching.stdout.readline()).decode()
    harness.store.show_code(LATER, lifetime=60)
    report(harness, RunnerState.QR_PENDING, round=2)
    assert f"{LATER}\n" == (await watching.stdout.readline()).decode()
    harness.store.show_code(None, lifetime=0)
    report(harness, RunnerState.SYNCING, linked=True)
    out, err = await watching.communicate()

    assert (0, b"") == (watching.returncode, out)
    assert f"session {harness.namespace}/sales is linked (Syncing)\n" in err.decode()


async def test_reading_sessions_is_not_enough(harness: PluginHarness) -> None:
    """Without the right to the Secret there is no code, and the message says what is missing."""
    harness.store.show_code(CODE, lifetime=20)

    ended = await harness.kubectl("whatsapp", "qr", "sales", "-n", harness.namespace, rights=READER)

    expected = f"error: you may not read Secret {SECRET} in namespace {harness.namespace}, which holds the token"
    assert (1, "", expected) == (ended.status, ended.out, ended.err[: len(expected)])


async def test_no_such_session(harness: PluginHarness) -> None:
    """The API server's refusal becomes a sentence."""
    ended = await harness.kubectl("whatsapp", "qr", "nobody", "-n", harness.namespace)

    expected = f"error: there is no session nobody in namespace {harness.namespace}; "
    assert (1, expected) == (ended.status, ended.err[: len(expected)])


async def test_status_of_a_namespace(harness: PluginHarness) -> None:
    """The table has the session's words, and the use of a quota that the API server keeps."""
    quota = """{"apiVersion": "wasession.dev/v1alpha1", "kind": "WhatsAppSessionQuota",
        "metadata": {"name": "plugin"}, "spec": {"sessions": 3, "memory": "8Gi", "storage": "10Gi"}}"""
    harness.cluster.kubectl("apply", "--filename=-", input=quota)
    status = {"admitted": 1, "waiting": 0, "memoryReserved": "768Mi", "storageReserved": "1Gi"}
    patch = f"--patch={json.dumps({'status': status})}"
    harness.cluster.kubectl("patch", "wasq", "plugin", "--subresource=status", "--type=merge", patch)
    harness.set_status(state="Connected", conditions=[condition("Ready", "True", "Connected")])

    ended = await harness.kubectl("whatsapp", "status", "-n", harness.namespace)

    lines = [line.split() for line in ended.out.splitlines()]
    assert ["NAME", "STATE", "READY", "QUOTA", "RESTARTS", "SINCE", "REASON"] == lines[0]
    assert ["sales", "Connected", "True", "plugin", "0"] == lines[1][:5]
    assert ["plugin", "1", "of", "3", "768Mi", "of", "8Gi", "1Gi", "of", "10Gi", "unlimited", "0"] == lines[4]


async def test_status_without_a_right_to_quotas(harness: PluginHarness) -> None:
    """Sessions are shown to whoever may see them; the quota's use is not, and that is said."""
    ended = await harness.kubectl("whatsapp", "status", "-n", harness.namespace, rights=READER)

    assert (0, "you may not read quotas, so their use is not shown\n") == (ended.status, ended.err)
    assert ["sales", "Starting"] == ended.out.splitlines()[1].split()[:2]


async def test_a_cluster_without_the_operator(light_programs: Programs, harness: PluginHarness, tmp_path: Path) -> None:
    """Where the CRDs are not installed, that is what is said."""
    with LightCluster.start(programs=light_programs, parent_folder=tmp_path) as empty:
        elsewhere = PluginHarness(
            cluster=empty, namespace="default", store=harness.store, folder=harness.folder, outbox=harness.outbox
        )
        ended = await elsewhere.kubectl("whatsapp", "status")

    assert 1 == ended.status
    assert "The operator's API is not installed in this cluster; check the context\n" in ended.err


async def test_kubectl_completes_behind_the_plugin(harness: PluginHarness) -> None:
    """Its own completion finds the program beside the plugin, and the session through itself."""
    commands = await harness.kubectl("__complete", "whatsapp", "")
    sessions = await harness.kubectl("__complete", "whatsapp", "qr", "-n", harness.namespace, "s")
    namespaces = await harness.kubectl("__complete", "whatsapp", "status", "--namespace", harness.namespace[:-1])

    assert ["qr", "pair", "account", "send", "dead-letters", "status", ":4"] == [
        line.partition("\t")[0] for line in commands.out.splitlines()
    ]
    assert ["sales", ":4"] == sessions.out.splitlines()
    assert harness.namespace in namespaces.out.splitlines()


async def test_watches_sessions(harness: PluginHarness) -> None:
    """A line for each change, from the real kubectl's events; Ctrl-C ends it."""
    watching = await harness.start("whatsapp", "status", "-n", harness.namespace, "--watch")
    assert watching.stdout is not None
    before = [(await watching.stdout.readline()).split()[:2] for _ in range(2)]

    harness.set_status(state="Connected", conditions=[condition("Ready", "True", "Connected")])
    linked = (await watching.stdout.readline()).decode().split()
    harness.cluster.kubectl("delete", "whatsappsession", "sales", f"--namespace={harness.namespace}")
    deleted = (await watching.stdout.readline()).decode().split()
    watching.send_signal(signal.SIGINT)
    _, err = await watching.communicate()

    assert [[b"NAME", b"STATE"], [b"sales", b"Starting"]] == before
    assert (["sales", "Connected", "True"], ["sales", "Deleted"]) == (linked[:3], deleted[:2])
    assert (130, b"") == (watching.returncode, err)


async def test_a_selector_and_an_impersonated_reader(harness: PluginHarness) -> None:
    """The options of kubectl do what they do for kubectl."""
    place = ["-n", harness.namespace]
    harness.cluster.kubectl("label", "whatsappsession", "sales", "team=shop", f"--namespace={harness.namespace}")

    found = await harness.kubectl("whatsapp", "status", *place, "-l", "team=shop", "-o", "name")
    none = await harness.kubectl("whatsapp", "status", *place, "-l", "team=other")
    nobody = await harness.kubectl("whatsapp", "status", *place, "--as", "nobody")

    assert (0, "whatsappsession.wasession.dev/sales\n") == (found.status, found.out)
    assert (0, "", "no sessions with labels team=other in this namespace; -A lists all namespaces\n") == (
        none.status,
        none.out,
        none.err,
    )
    assert 1 == nobody.status
    assert 'User "nobody" cannot list resource "whatsappsessions"' in nobody.err


async def test_sends_with_a_right_to_one_secret(harness: PluginHarness) -> None:
    """The message is on the session's volume when its id is printed; what is not sent yet is no failure."""
    report(harness, RunnerState.CONNECTED, linked=True)
    arguments = ["send", "sales", "-n", harness.namespace, "--to", "+1 555 010 0777", "Hello"]

    ended = await harness.kubectl("whatsapp", *arguments, "--wait", "0", rights=SENDER)
    waits = await harness.kubectl("whatsapp", *arguments, "--wait", "1", rights=SENDER)

    assert (0, "") == (ended.status, ended.err)
    assert re.fullmatch(r"3EB0[0-9A-F]{18}\n", ended.out)
    assert (1, 1) == (waits.status, waits.out.count("\n"))
    assert "is still accepted after 1 s, which is no failure" in waits.err


def refuse_one(database: Connection) -> None:
    """Let a webhook have refused an event."""
    event = Event(
        id="EV1",
        type=WebhookEvent.STATE,
        time=datetime.now(UTC),
        data=StateChange(state="Offline", reason="AsExpected"),
    )
    deliveries.add(database, event, 1, webhook="bot", body=b"{}")
    deliveries.died(database, 1, webhook="bot", now=event.time.timestamp(), problem="The receiver answered 404.")


async def test_dead_letters_are_sent_again_with_a_right_to_one_secret(harness: PluginHarness) -> None:
    """They are shown first, and are none any more then."""
    await harness.outbox.run(refuse_one)
    arguments = ["dead-letters", "sales", "-n", harness.namespace]

    shown = await harness.kubectl("whatsapp", *arguments, rights=ADMINISTRATOR)
    again = await harness.kubectl("whatsapp", *arguments, "--redrive", rights=ADMINISTRATOR)
    left = await harness.outbox.run(deliveries.dead_letters, webhook=None, most=1)

    assert ["EV1", "bot", "state", "1"] == shown.out.splitlines()[1].split()[:4]
    assert shown.out.endswith("The receiver answered 404.\n")
    assert (0, "sent again: 1\n") == (again.status, again.out)
    assert [] == left


async def test_who_may_link_may_not_send(harness: PluginHarness) -> None:
    """Each is a right of its own."""
    report(harness, RunnerState.CONNECTED, linked=True)
    arguments = ["send", "sales", "-n", harness.namespace, "--to", "+1 555 010 0777", "Hello"]

    ended = await harness.kubectl("whatsapp", *arguments, rights=LINKER)

    expected = f"error: you may not read Secret {MESSAGING} in namespace {harness.namespace}, which holds the token"
    assert (1, "", expected) == (ended.status, ended.out, ended.err[: len(expected)])


async def test_a_session_without_a_phone_refuses_what_is_sent(harness: PluginHarness) -> None:
    """By the Cloud API's code, and with neither number nor text."""
    report(harness, RunnerState.QR_PENDING)
    arguments = ["send", "sales", "-n", harness.namespace, "--to", "+1 555 010 0777", "Hello"]

    ended = await harness.kubectl("whatsapp", *arguments, rights=SENDER)

    assert (1, "") == (ended.status, ended.out)
    assert "133010" in ended.err
    assert "0777" not in ended.err
