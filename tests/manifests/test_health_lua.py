"""Argo CD's health check, run by the Lua that Argo CD uses."""

from pathlib import Path
from typing import Any

import pytest
from local_cluster.light import LightCluster
from manifests.conftest import run
from manifests.rendering import MANIFESTS
from session_protocol.states import OperatorState
from session_protocol.vocabulary import RunnerState
from whatsapp_operator.api.conditions import ConditionType

HEALTH = MANIFESTS / "gitops" / "health.lua"
DRIVER = """
obj = {object}
local health = dofile("{health}")
print(health.status .. "|" .. health.message)
"""


def lua(value: Any) -> str:
    """A Python value as a Lua expression."""
    match value:
        case dict():
            return "{" + ", ".join(f"[{lua(key)}] = {lua(item)}" for key, item in value.items()) + "}"
        case list():
            return "{" + ", ".join(lua(item) for item in value) + "}"
        case bool():
            return str(value).lower()
        case None:
            return "nil"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def health(glua: Path, folder: Path, session: dict[str, Any]) -> tuple[str, str]:
    """Status and message for a session."""
    driver = folder / "driver.lua"
    driver.write_text(DRIVER.replace("{object}", lua(session)).replace("{health}", str(HEALTH)))
    done = run(glua, driver)
    assert 0 == done.returncode, done.stderr
    status, _, message = done.stdout.strip().partition("|")
    return status, message


def session(state: str, *, generation: int = 2, observed: int = 2, **conditions: str) -> dict[str, Any]:
    """A session in a state; conditions by type, with their status."""
    found = [
        {"type": kind, "status": status, "reason": "X", "message": f"{kind} is {status}"}
        for kind, status in conditions.items()
    ]
    return {
        "metadata": {"name": "sales", "generation": generation},
        "status": {"state": state, "observedGeneration": observed, "conditions": found},
    }


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"metadata": {"name": "sales"}}, "Progressing"),
        ({"metadata": {"name": "sales"}, "status": {"state": "Pending"}}, "Progressing"),
        (session("Connected", Ready="True"), "Healthy"),
        (session("Connected", Ready="True", observed=1), "Progressing"),
        (session("Queued", Ready="False"), "Progressing"),
        (session("Unreachable", Ready="Unknown"), "Progressing"),
        (session("QRPending", Ready="False"), "Suspended"),
        (session("PasskeyRequired", Ready="False"), "Suspended"),
        (session("Suspended", Ready="False"), "Suspended"),
        (session("Conflict", Ready="False", Stalled="True"), "Degraded"),
        (session("LoggedOut", Ready="False"), "Degraded"),
        (session("Connected", Ready="True", Stalled="True"), "Degraded"),
        (session("Connected", Ready="True", Stalled="False"), "Healthy"),
        (session("WordOfTheFuture", Ready="False"), "Progressing"),
    ],
)
def test_health(glua: Path, tmp_path: Path, found: dict[str, Any], expected: str) -> None:
    """Waiting for a person is Suspended, what only a person can mend is Degraded, the rest is on its way."""
    assert expected == health(glua, tmp_path, found)[0]


SAYS_NOTHING_OF_HEALTH = [kind for kind in ConditionType if kind not in (ConditionType.READY, ConditionType.STALLED)]


@pytest.mark.parametrize("kind", SAYS_NOTHING_OF_HEALTH)
@pytest.mark.parametrize("status", ["True", "False", "Unknown"])
def test_a_condition_beside_ready_and_stalled_changes_nothing(
    glua: Path, tmp_path: Path, kind: str, status: str
) -> None:
    """Neither one that is True only while something is wrong nor one that was not reached yet; wherever it stands."""
    beside: Any = {kind: status}

    up = [session("Connected", Ready="True", **beside), session("Connected", **beside, Ready="True")]
    queued = [session("Queued", Ready="False", **beside), session("Queued", **beside, Ready="False")]

    assert {("Healthy", "Connected: Ready is True")} == {health(glua, tmp_path, found) for found in up}
    assert {("Progressing", "Queued: Ready is False")} == {health(glua, tmp_path, found) for found in queued}


def test_the_message_is_for_people(glua: Path, tmp_path: Path) -> None:
    """State and the message of Ready, or why the session is stalled."""
    ready = health(glua, tmp_path, session("QRPending", Ready="False"))
    stalled = health(glua, tmp_path, session("Stalled", Ready="False", Stalled="True"))

    assert ("QRPending: Ready is False", "Stalled is True") == (ready[1], stalled[1])


def test_every_state_and_reason_in_the_check_is_ours() -> None:
    """A state that nobody says any more would never match."""
    text = HEALTH.read_text()
    lists = [line for line in text.splitlines() if line.count(" = true,")]
    states = {state.strip() for line in lists for state in line.replace(" = true", "").split(",") if state.strip()}

    assert len(states) > 8
    assert states <= {*map(str, RunnerState), *map(str, OperatorState)}


def test_how_the_documentation_installs_it(light_cluster: LightCluster) -> None:
    """The command of docs/operations/install.md adds one key to Argo CD's ConfigMap and leaves the others alone."""
    key = "resource.customizations.health.wasession.dev_WhatsAppSession"
    light_cluster.kubectl("create", "namespace", "argocd")
    light_cluster.kubectl("create", "configmap", "argocd-cm", "--namespace=argocd", "--from-literal=url=https://x")

    made = light_cluster.kubectl(
        "create", "configmap", "argocd-cm", "--namespace=argocd", f"--from-file={key}={HEALTH}", "--dry-run=client",
        "--output=yaml",
    )  # fmt: skip
    light_cluster.kubectl(
        "apply", "--server-side", "--field-manager=whatsapp-session-operator", "--filename=-", input=made
    )

    escaped = key.replace(".", "\\.")
    stored = light_cluster.kubectl(
        "get", "configmap", "argocd-cm", "--namespace=argocd", f"--output=jsonpath={{.data.url}}|{{.data.{escaped}}}"
    )
    light_cluster.kubectl("delete", "namespace", "argocd", "--wait=false")
    assert f"https://x|{HEALTH.read_text()}" == stored
