"""The operator beside a tool that applies sessions from git: each has its own fields, and neither undoes the other."""

import json
from typing import Any

import pytest
import yaml
from integration.operator.conftest import OperatorHarness
from session_protocol.vocabulary import RunnerState

Json = dict[str, Any]

TOOLS = {
    "kustomize-controller": ("--server-side", "--force-conflicts", "--field-manager=kustomize-controller"),
    "argocd-controller": ("--field-manager=argocd-controller",),
}


class Git:
    """One session in git, and the tool that applies it."""

    def __init__(self, harness: OperatorHarness, tool: str) -> None:
        self._kubectl = harness.cluster.kubectl
        self._namespace = harness.namespace
        self._how = TOOLS[tool]

    def apply(self, **spec: str) -> str:
        """Apply the session, and return whether a second time is any different."""
        metadata = {"name": "sales", "namespace": self._namespace, "labels": {"team": "sales"}}
        obj = {
            "apiVersion": "wasession.dev/v1alpha1",
            "kind": "WhatsAppSession",
            "metadata": metadata,
            "spec": {"quotaName": self._namespace, **spec},
        }
        manifest = yaml.safe_dump(obj)
        self._kubectl("apply", *self._how, "--filename=-", input=manifest)
        return self._kubectl("diff", *self._how, "--filename=-", input=manifest)

    def stored(self) -> Json:
        """Return the session as it is stored."""
        found: Json = json.loads(
            self._kubectl("get", "was/sales", "-n", self._namespace, "-o", "json", "--show-managed-fields")
        )
        return found


@pytest.mark.parametrize("tool", TOOLS)
async def test_no_tool_fights_with_the_operator(harness: OperatorHarness, tool: str) -> None:
    """Through a session's whole life: applied again nothing differs, and the operator owns the status and nothing else."""
    git = Git(harness, tool)
    await harness.quota()
    await harness.operator()
    differences = [git.apply()]
    await harness.wait_for_state("sales", "QRPending")
    differences.append(git.apply())
    (await harness.runner("sales")).report(RunnerState.CONNECTED)
    await harness.wait_for_state("sales", "Connected")
    before = git.stored()
    differences.append(git.apply())
    after = git.stored()
    differences.append(git.apply(operatingMode="Suspended"))
    await harness.wait_for_condition("sales", "Suspended", status="True")
    differences.append(git.apply(operatingMode="Suspended"))
    differences.append(git.apply(operatingMode="Running"))
    await harness.wait_for_state("sales", "QRPending")

    assert [""] * 6 == differences
    assert before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]
    fields = {entry["manager"]: entry for entry in git.stored()["metadata"]["managedFields"]}
    others = set(fields) - {tool}
    assert {"status"} == {fields[manager].get("subresource") for manager in others}
    assert {"f:status"} == {field for manager in others for field in fields[manager]["fieldsV1"]}
