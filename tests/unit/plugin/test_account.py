"""`kubectl whatsapp account`: whose account a session is linked to, through a scripted kubectl and a scripted runner."""

from typing import Any

import pytest
from kubectl_whatsapp.cli import main
from unit.plugin.plugin_harness import ConsoleHarness, ScriptedKubectl, ScriptedRunner, session_json


def run(harness: ConsoleHarness) -> int:
    """The command on the test's console."""
    return main(["account", "sales", "-n", "shop"], console=harness.console)


@pytest.mark.usefixtures("session_cluster")
def test_prints_the_number_and_nothing_else(harness: ConsoleHarness, scripted_runner: ScriptedRunner) -> None:
    """With the token for linking: it is for who could link another account."""
    scripted_runner.account = {"phoneNumber": "+15550100000", "accountRevision": 1}

    assert 0 == run(harness)
    assert ("+15550100000\n", "") == (harness.out.getvalue(), harness.err.getvalue())
    assert [("/v1/account", "link-token")] == scripted_runner.tokens


@pytest.mark.usefixtures("session_cluster")
def test_an_account_that_is_not_known_is_an_error(harness: ConsoleHarness) -> None:
    """With the state, which says why."""
    assert 1 == run(harness)
    assert "" == harness.out.getvalue()
    assert "shop/sales does not know whose account is linked, if one is; it is QRPending" in harness.err.getvalue()


def test_a_session_without_a_pod_has_nobody_to_ask(session_cluster: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """Its number is nowhere else."""
    stored = session_json(state="Suspended", replicas=0)
    session_cluster.answer_to("get", "whatsappsessions.wasession.dev", "sales", out=stored)

    assert 1 == run(harness)
    assert "shop/sales has no pod that could be asked; it is Suspended" in harness.err.getvalue()


@pytest.mark.usefixtures("session_cluster")
@pytest.mark.parametrize("number", [None, 15550100000, "15550100000", "+1555\x1b[2J", "+15550100000\n", "+1" * 40])
def test_what_is_no_number_is_not_shown(harness: ConsoleHarness, scripted_runner: ScriptedRunner, number: Any) -> None:
    """A runner is not trusted with the terminal."""
    scripted_runner.account = {"phoneNumber": number}

    assert 1 == run(harness)
    assert "" == harness.out.getvalue()
    assert "without a telephone number" in harness.err.getvalue()
