"""A real API server with our CRDs and rights, a scripted node, and the operator as a process."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from api_client import ApiClient
from integration.operator.admin import Admin, Audit, Json, Refused
from integration.operator.node import Node, ScriptedRunner
from integration.operator.process import OperatorProcess
from local_cluster.light import LightCluster
from session_devtools.installation.constants import OPERATOR_NAMESPACE
from support import operator_process
from support.sessions import AsyncSessionWaits, condition, in_pod
from support.waiting import async_until

T = TypeVar("T")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder more time than a unit test has."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def operator_cluster(light_cluster: LightCluster) -> LightCluster:
    """The light cluster with the CRDs, and the operator's account with its rights."""
    operator_process.install(light_cluster)
    return light_cluster


@pytest.fixture(scope="session")
def operator_kubeconfig(operator_cluster: LightCluster) -> Path:
    """Credentials of the operator's account."""
    return operator_process.operator_kubeconfig(operator_cluster)


@dataclass
class OperatorHarness(AsyncSessionWaits):
    """One test's part of the cluster: a namespace, a quota of the same name, a node, and its operators."""

    cluster: LightCluster
    kubeconfig: Path
    namespace: str
    admin: Admin
    node: Node
    audit: Audit
    folder: Path
    operators: list[OperatorProcess] = field(default_factory=list)
    timeout = 60.0

    async def operator(self, **settings: str) -> OperatorProcess:
        """Start an operator for this namespace alone, and wait until it acts."""
        return await self.standby(**settings).wait_until_acting()

    def standby(self, **settings: str) -> OperatorProcess:
        """Start an operator for this namespace alone."""
        return self._start(operator_process.OPERATOR, settings)

    def blockable(self, seconds: int, **settings: str) -> OperatorProcess:
        """Start one whose event loop can be blocked for so long, see `support.blocked_operator`."""
        return self._start(operator_process.BLOCKED, {"BLOCK_SECONDS": str(seconds), **settings})

    def _start(self, program: tuple[str, ...], settings: dict[str, str]) -> OperatorProcess:
        log = self.folder / f"operator-{len(self.operators) + 1}.log"
        given = {"WATCH_NAMESPACES": self.namespace, **settings}
        process = OperatorProcess(kubeconfig=self.kubeconfig, log=log, settings=given, program=program)
        self.operators.append(process)
        return process

    async def quota(self, **spec: Any) -> None:
        """Create the quota, or change its limits."""
        obj = {"apiVersion": "wasession.dev/v1alpha1", "kind": "WhatsAppSessionQuota"}
        try:
            await self.admin.patch("whatsappsessionquotas", "", self.namespace, {"spec": spec})
        except LookupError:
            await self.admin.create(
                "whatsappsessionquotas", "", {**obj, "metadata": {"name": self.namespace}, "spec": spec}
            )

    async def session(self, name: str, *, namespace: str = "", **spec: Any) -> None:
        """Create a session that names the quota."""
        await self.admin.create(
            "whatsappsessions",
            namespace or self.namespace,
            {
                "apiVersion": "wasession.dev/v1alpha1",
                "kind": "WhatsAppSession",
                "metadata": {"name": name},
                "spec": {"quotaName": self.namespace, **spec},
            },
        )

    async def edit(self, name: str, patch: Json) -> None:
        """Change a session as a person would."""
        await self.admin.patch("whatsappsessions", self.namespace, name, patch)

    async def ask(self, name: str, request: str) -> str:
        """Set a request's annotation to the time; return it."""
        value = f"2026-01-01T00:00:{time.monotonic_ns() // 10**6 % 60:02}Z"
        await self.edit(name, {"metadata": {"annotations": {f"wasession.dev/{request}": value}}})
        return value

    async def status(self, name: str) -> Json:
        """Return a session's status."""
        session = await self.admin.get("whatsappsessions", self.namespace, name)
        status: Json = session.get("status") or {}
        return status

    async def condition(self, name: str, kind: str) -> Json:
        """Return one condition of a session, or an empty one."""
        return condition(await self.status(name), kind)

    async def pod(self, name: str) -> Json | None:
        """Return a session's pod."""
        try:
            return await self.admin.get("pods", self.namespace, name)
        except LookupError:
            return None

    async def runner(self, name: str) -> ScriptedRunner:
        """Return the runner of a session's running pod."""

        async def running() -> ScriptedRunner | None:
            pod = await self.pod(name)
            has_status = pod is not None and "containerStatuses" in pod["status"]  # it answers a moment before
            return self.node.runners.get(pod["metadata"]["uid"]) if pod is not None and has_status else None

        return await self.until(f"a runner of {name}", running)

    async def wait_for_new_pod(self, name: str, uid: str, *, within: float | None = None) -> Json:
        """Wait for a session's pod to be another than that; return it."""

        async def read() -> Json | None:
            pod = await self.pod(name)
            return pod if pod is not None and pod["metadata"]["uid"] != uid else None

        return await self.until(f"another pod of {name}", read, within=within)

    async def wait_for_report(self, name: str, pod: Json) -> Json:
        """Wait until a session's status is about this pod and its runner's first report; return it."""
        return await self.wait_for(name, in_pod(pod["metadata"]["uid"], "QRPending"))

    async def wait_for_pod_gone(self, name: str, *, within: float | None = None) -> None:
        """Wait for a session's pod to be gone."""

        async def read() -> bool:
            return await self.pod(name) is None

        await self.until(f"the pod of {name} to be gone", read, within=within)

    async def until(self, what: str, read: Callable[[], Awaitable[T | None]], *, within: float | None = None) -> T:
        """Wait for something else to be true; return what was seen."""
        return await async_until(what, read, within=self.timeout if within is None else within, log=self.log)

    def log(self) -> str:
        """The ends of the operators' logs."""
        return "\n".join(operator.tail() for operator in self.operators)

    async def check_stays(self, look: Callable[[], Awaitable[bool]], what: str, *, during: float) -> None:
        """Hold that something stays true for a while."""
        deadline = time.monotonic() + during
        while time.monotonic() < deadline:
            if not await look():
                raise AssertionError(f"did not stay: {what}")
            await asyncio.sleep(0.1)


@pytest.fixture
async def harness(
    operator_cluster: LightCluster, operator_kubeconfig: Path, tmp_path: Path
) -> AsyncIterator[OperatorHarness]:
    """A namespace with a node. Afterwards no request of any operator was refused for a missing right, and its log is in the schema."""
    admin = Admin(ApiClient(operator_cluster))
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    await admin.create("namespaces", "", {"metadata": {"name": namespace}})
    node = Node(admin, namespace, tmp_path)
    harness = OperatorHarness(
        operator_cluster, operator_kubeconfig, namespace, admin, node, Audit(operator_cluster), tmp_path
    )
    kubelet = asyncio.create_task(node.run())
    try:
        yield harness
        refused = harness.audit.refused()
        dead = kubelet.exception() if kubelet.done() else None
    finally:
        for operator in harness.operators:
            operator.kill()
        kubelet.cancel()
        await asyncio.gather(kubelet, return_exceptions=True)
        await node.close_all()
        await _clean_up(admin, namespace)
    assert ([], None) == (refused, dead)
    assert [] == [fault for operator in harness.operators for fault in operator_process.log_faults(operator.log)]


@pytest.fixture
async def instance_rights(operator_cluster: LightCluster) -> AsyncIterator[None]:
    """The rights that an operator with INSTANCE=demo has in its own namespace, given to the same account."""
    name = "whatsapp-operator-demo"
    role = [
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [f"{name}-keys"], "verbs": ["get", "update"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "resourceNames": [name],
            "verbs": ["get", "update"],
        },
    ]
    kubectl = operator_cluster.kubectl
    for kind, rest in (
        ("Role", {"rules": role}),
        (
            "RoleBinding",
            {
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
                "subjects": [{"kind": "ServiceAccount", "name": "whatsapp-operator", "namespace": OPERATOR_NAMESPACE}],
            },
        ),
    ):
        metadata = {"name": name, "namespace": OPERATOR_NAMESPACE}
        obj = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, **rest}
        kubectl("apply", "--filename", "-", input=json.dumps(obj))
    # The same account plays both operators here, and the policy would hold it to the namespaces of the first.
    kubectl("delete", "validatingadmissionpolicybinding/whatsapp-operator-account")
    yield
    kubectl("delete", f"role/{name}", f"rolebinding/{name}", "--namespace", OPERATOR_NAMESPACE)
    operator_process.install(operator_cluster)


async def _clean_up(admin: Admin, namespace: str) -> None:
    for name in (
        "whatsapp-operator",
        "whatsapp-operator-demo",
    ):  # a killed operator's Lease would keep the next test waiting
        with contextlib.suppress(LookupError):
            await admin.delete("leases", OPERATOR_NAMESPACE, name)
    with contextlib.suppress(LookupError):  # a test rotated the keys, and the next one would find two
        await admin.delete("secrets", OPERATOR_NAMESPACE, "whatsapp-operator-keys")
    with contextlib.suppress(LookupError):
        await admin.delete("whatsappsessionquotas", "", namespace)
    for session in await admin.list("whatsappsessions", namespace):
        await admin.delete("whatsappsessions", namespace, session["metadata"]["name"])
    with contextlib.suppress(Refused):  # a test deleted it, and nobody empties it here
        await admin.delete("namespaces", "", namespace)
