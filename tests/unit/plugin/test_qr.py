"""`kubectl whatsapp qr`: one look at a session's QR code, through a scripted kubectl and a scripted runner."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kubectl_whatsapp.cli import main
from kubectl_whatsapp.code_output import validity
from kubectl_whatsapp.drawing import draw
from unit.plugin.plugin_harness import ConsoleHarness, ScriptedKubectl, ScriptedRunner, session_json


def run(harness: ConsoleHarness, *arguments: str) -> int:
    """One command on the test's console."""
    return main(arguments, console=harness.console)


@pytest.mark.usefixtures("session_cluster")
def test_draws_the_code(harness: ConsoleHarness) -> None:
    """The drawing goes to standard output and nothing else does."""
    status = run(harness, "qr", "sales", "-n", "shop")

    assert (0, f"{draw('2@code-1', columns=120, colours=False)}\n") == (status, harness.out.getvalue())


@pytest.mark.usefixtures("session_cluster")
def test_says_until_when_the_code_is_valid(harness: ConsoleHarness) -> None:
    """The notes name session, round and the seconds that are left."""
    run(harness, "qr", "sales", "-n", "shop")

    first = harness.err.getvalue().splitlines()[0]
    assert first.startswith("session shop/sales, round 2: valid until ")
    assert first.endswith("(18 s left)")


@pytest.mark.parametrize(
    ("seconds", "expected"), [(10, "(10 s left)"), (9, "(9 s left; --watch shows the next one)"), (0, ": ask again")]
)
def test_a_code_that_ends_soon_says_how_to_see_the_next(seconds: int, expected: str) -> None:
    """Codes change every 20 s, and a phone is not out of a pocket so soon."""
    now = datetime(2026, 11, 30, tzinfo=UTC)

    assert validity(now + timedelta(seconds=seconds), now=now).endswith(expected)


@pytest.mark.usefixtures("session_cluster")
def test_each_request_has_the_token_of_its_scope(scripted_runner: ScriptedRunner, harness: ConsoleHarness) -> None:
    """The QR code is asked for with the link token out of the session's Secret."""
    run(harness, "qr", "sales", "-n", "shop")

    assert [("/v1/qr", "link-token")] == scripted_runner.tokens


def test_the_chosen_cluster_is_used_for_every_step(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """--kubeconfig and --context reach every kubectl that is started."""
    run(harness, "qr", "sales", "-n", "shop", "--kubeconfig", "/tmp/some-config", "--context", "blue")

    assert [["--kubeconfig=/tmp/some-config", "--context=blue"]] * 3 == [call[:2] for call in session_cluster.calls()]


def test_without_a_namespace_kubectl_decides(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """The session is looked up where the person's context points, all else in the namespace that it was found in."""
    run(harness, "qr", "sales")

    session, secret, forward = session_cluster.calls()
    assert not any("namespace" in argument for argument in session)
    assert "--namespace=shop" in secret
    assert "--namespace=shop" in forward


@pytest.mark.usefixtures("session_cluster")
def test_a_name_may_have_its_kind(harness: ConsoleHarness) -> None:
    """What `kubectl get was --output=name` prints is understood."""
    assert 0 == run(harness, "qr", "whatsappsession.wasession.dev/sales", "-n", "shop")


@pytest.mark.usefixtures("session_cluster")
def test_writes_a_picture_for_its_owner_alone(harness: ConsoleHarness, tmp_path: Path) -> None:
    """A file holds the whole picture, is readable by nobody else, and the person is told to delete it."""
    target = tmp_path / "sales.png"

    run(harness, "qr", "sales", "-n", "shop", "-o", "png", str(target))

    assert b"\x89PNG" == target.read_bytes()[:4]
    assert 0o600 == stat.S_IMODE(target.stat().st_mode)
    assert f"wrote {target}: whoever sees it can link a phone" in harness.err.getvalue()
    assert [] == [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.usefixtures("session_cluster")
def test_text_down_a_pipe(harness: ConsoleHarness) -> None:
    """`-o text` prints what the code says, for a program that draws it itself."""
    run(harness, "qr", "sales", "-n", "shop", "-o", "text")

    assert b"2@code-1\n" == harness.raw.getvalue()


@pytest.mark.usefixtures("session_cluster")
def test_json_down_a_pipe(harness: ConsoleHarness) -> None:
    """`-o json` has the text, the round and the end."""
    run(harness, "qr", "sales", "-n", "shop", "-o", "json")

    expected = {"text": "2@code-1", "expiryTime": "2026-11-22T14:00:18Z", "round": 2}
    assert expected == json.loads(harness.raw.getvalue())


@pytest.mark.usefixtures("session_cluster")
def test_a_folder_that_is_not_there(harness: ConsoleHarness, tmp_path: Path) -> None:
    """A file that can not be written is named with the reason."""
    status = run(harness, "qr", "sales", "-n", "shop", "-o", "svg", str(tmp_path / "no" / "sales.svg"))

    assert (1, f"error: {tmp_path}/no/sales.svg cannot be written: No such file or directory\n") == (
        status,
        harness.err.getvalue(),
    )


def test_no_such_session(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """The message names session and namespace, and how to find the right one."""
    output = 'Error from server (NotFound): whatsappsessions.wasession.dev "sales" not found\n'
    scripted_kubectl.answer_to("get", "sales", err=output, status=1)

    status = run(harness, "qr", "sales", "-n", "shop")

    assert (1, "error: there is no session sales in namespace shop; `kubectl whatsapp status -A` lists all that ") == (
        status,
        harness.err.getvalue().removesuffix("you may read\n"),
    )


def test_connected(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """A linked session has no code: said from the status alone, without a look into Secrets."""
    session_cluster.answer_to("get", "whatsappsessions.wasession.dev", out=session_json(state="Connected"))

    status = run(harness, "qr", "sales", "-n", "shop")

    assert 1 == status
    assert "error: session shop/sales is linked (Connected), so it shows no QR code." in harness.err.getvalue()
    assert "wasession.dev/relink-at=" in harness.err.getvalue()
    assert 1 == len(session_cluster.calls())


@pytest.mark.usefixtures("session_cluster")
def test_linked_a_moment_ago(scripted_runner: ScriptedRunner, harness: ConsoleHarness) -> None:
    """Where the status is behind, the runner's own word is what counts."""
    scripted_runner.steps = [("Syncing", None)]

    status = run(harness, "qr", "sales", "-n", "shop")

    assert 1 == status
    assert "session shop/sales is linked (Syncing)" in harness.err.getvalue()
    assert [("/v1/qr", "link-token"), ("/v1/state", "state-token")] == scripted_runner.tokens


def test_no_pod_yet(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """A session that waits for its quota says so."""
    message = "Maximum concurrent sessions limit reached (3). Please terminate some sessions first."
    waiting = session_json(state="Queued", replicas=0)
    waiting["status"]["conditions"][0]["message"] = message
    session_cluster.answer_to("get", "whatsappsessions.wasession.dev", out=waiting)

    status = run(harness, "qr", "sales", "-n", "shop")

    hint = "(`kubectl whatsapp status -A` shows which sessions are)"
    expected = f"shows no QR code yet: it waits to be admitted by its quota {hint}: {message}\n"
    assert (1, f"error: session shop/sales {expected}") == (status, harness.err.getvalue())


def test_no_right_to_read_the_secret(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """The message names the Secret, why it is needed, and the role that has the right."""
    session_cluster.answer_to(
        "get", "secrets", err='Error from server (Forbidden): secrets "x" is forbidden\n', status=1
    )

    status = run(harness, "qr", "sales", "-n", "shop")

    assert 1 == status
    assert "you may not read Secret was-sales-linking-0123abcd in namespace shop" in harness.err.getvalue()
    assert "or for the role `edit`" in harness.err.getvalue()


def test_a_secret_without_our_keys(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """A Secret of another shape is named, and shown to nobody."""
    session_cluster.answer_to("get", "secrets", out={"kind": "Secret", "data": {"link": "not base64!"}})

    run(harness, "qr", "sales", "-n", "shop")

    expected = "error: Secret was-sales-linking-0123abcd holds no token of the scopes link and state\n"
    assert expected == harness.err.getvalue()


@pytest.mark.usefixtures("session_cluster")
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (401, "the runner does not accept the token of the session's Secret"),
        (500, "the runner answered with status 500"),
    ],
)
def test_a_runner_that_refuses(
    scripted_runner: ScriptedRunner, harness: ConsoleHarness, fault: int, expected: str
) -> None:
    """A refusal is told in words; the token is not."""
    scripted_runner.fault = fault

    status = run(harness, "qr", "sales", "-n", "shop")

    assert (1, f"error: {expected}\n") == (status, harness.err.getvalue())


def test_a_runner_that_does_not_answer(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """A forwarded port behind which nobody listens is a message, not a traceback."""
    session_cluster.answer_to("port-forward", out="Forwarding from 127.0.0.1:1 -> 8080\n", keeps_running=True)

    status = run(harness, "qr", "sales", "-n", "shop")

    expected = "error: the runner does not answer: its pod may be starting or ending\n"
    assert (1, expected) == (status, harness.err.getvalue())


@pytest.mark.usefixtures("scripted_runner")
def test_a_pod_that_cannot_start_is_reported_by_its_session(
    session_cluster: ScriptedKubectl, harness: ConsoleHarness
) -> None:
    """Nobody can forward to it; why, and what to do, stands in the session's own status."""
    message = 'Back-off pulling image "registry.example.com/x"'
    ready = {"type": "Ready", "status": "False", "reason": "ImagePullBackOff", "message": message}
    session_cluster.answer_to(
        "get", "whatsappsessions.wasession.dev", out=session_json(state="Pending", conditions=[ready])
    )
    session_cluster.answer_to(
        "port-forward", err="error: unable to forward port because pod is not running\n", status=1
    )

    status = run(harness, "qr", "sales", "-n", "shop")

    expected = (
        f"error: session shop/sales shows no QR code yet: its pod does not run yet: {message}\n"
        "(kubectl port-forward: unable to forward port because pod is not running)\n"
    )
    assert (1, expected) == (status, harness.err.getvalue())


def test_a_name_may_begin_with_a_digit(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """Or be one: names are no numbers to the command line."""
    session_cluster.answer_to("get", "whatsappsessions.wasession.dev", out=session_json("2nd-floor"))
    session_cluster.answer_to(
        "get", "secrets", "was-2nd-floor-0123abcd", err="Error from server (Forbidden): no\n", status=1
    )

    statuses = [run(harness, "qr", name, "-n", "shop") for name in ("2nd-floor", "007")]

    asked = [call[2] for call in session_cluster.calls() if call[1] == "whatsappsessions.wasession.dev"]
    assert ([1, 1], ["2nd-floor", "007"]) == (statuses, asked)
