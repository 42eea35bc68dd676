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
from integration.operator.admin import Admin, Audit, Json
from integration.operator.node import Node, ScriptedRunner
from integration.operator.process import ACCOUNT, NAMESPACE, ROOT, OperatorProcess
from local_cluster.light import LightCluster
from session_demo.cast import CRDS
from session_devtools.errors import NotInTime
from session_devtools.waiting import async_wait_until

T = TypeVar("T")

MANIFESTS = [
    *(ROOT / "crds" / f"wasession.dev_whatsapp{kind}.yaml" for kind in ("sessions", "sessionquotas")),
    *(ROOT / "manifests/base/operator" / f"{name}.yaml" for name in ("namespace", "service-account")),
    *(ROOT / "manifests/base/operator" / f"{name}.yaml" for name in ("cluster-role", "role")),
]


PATIENCE = 60.0
""" Seconds that a test waits for something to become true. Long, for a loaded machine: nothing waits longer than it
must, and a deadline that is missed by a little proves nothing. Where a time is promised, the test says which. """


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder more time than a unit test has."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def operator_cluster(light_cluster: LightCluster) -> LightCluster:
    """The light cluster with the CRDs, and the operator's account with its rights."""
    files = [argument for path in MANIFESTS for argument in ("--filename", str(path))]
    light_cluster.kubectl("apply", "--server-side", *files)
    light_cluster.kubectl.wait_established(*CRDS)
    return light_cluster


@pytest.fixture(scope="session")
def operator_kubeconfig(operator_cluster: LightCluster) -> Path:
    """Credentials of the operator's account."""
    return operator_cluster.kubeconfig_for(ACCOUNT, "system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}")


@dataclass
class Bench:
    """One test's part of the cluster: a namespace, a quota of the same name, a node, and its operators."""

    cluster: LightCluster
    kubeconfig: Path
    namespace: str
    admin: Admin
    node: Node
    audit: Audit
    folder: Path
    operators: list[OperatorProcess] = field(default_factory=list)

    async def operator(self, **settings: str) -> OperatorProcess:
        """Start an operator for this namespace alone, and wait until it acts."""
        return await self.standby(**settings).acts()

    def standby(self, **settings: str) -> OperatorProcess:
        """Start an operator for this namespace alone."""
        log = self.folder / f"operator-{len(self.operators) + 1}.log"
        given = {"WATCH_NAMESPACES": self.namespace, **settings}
        process = OperatorProcess(kubeconfig=self.kubeconfig, log=log, settings=given)
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
        conditions = (await self.status(name)).get("conditions") or []
        return next((found for found in conditions if found["type"] == kind), {})

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
            return self.node.runners.get(pod["metadata"]["uid"]) if pod is not None else None

        found = await self.until(running, f"a runner of {name}")
        if found is None:
            raise AssertionError("unreachable")
        return found

    async def reaches(self, name: str, state: str, *, within: float = PATIENCE) -> Json:
        """Wait for a session's state; return its status."""

        async def there() -> Json | None:
            status = await self.status(name)
            return status if status.get("state") == state else None

        return await self.until(there, f"{name} to be {state}", within=within) or {}

    async def holds(self, name: str, kind: str, *, within: float = PATIENCE, **wanted: str) -> Json:
        """Wait until a condition has these fields; return it."""

        async def there() -> Json | None:
            found = await self.condition(name, kind)
            return found if found and all(found.get(part) == value for part, value in wanted.items()) else None

        return await self.until(there, f"{kind} of {name} to be {wanted}", within=within) or {}

    async def replaced(self, name: str, uid: str, *, within: float = PATIENCE) -> Json:
        """Wait for a session's pod to be another than that; return it."""

        async def there() -> Json | None:
            pod = await self.pod(name)
            return pod if pod is not None and pod["metadata"]["uid"] != uid else None

        return await self.until(there, f"another pod of {name}", within=within) or {}

    async def tells(self, name: str, pod: Json) -> Json:
        """Wait until a session's status is about this pod and its runner's first word; return it."""

        async def there() -> Json | None:
            status = await self.status(name)
            told = status.get("podUID") == pod["metadata"]["uid"] and status.get("state") == "QRPending"
            return status if told else None

        return await self.until(there, f"{name} to tell of its new pod") or {}

    async def gone(self, name: str, *, within: float = PATIENCE) -> None:
        """Wait for a session's pod to be gone."""

        async def there() -> bool:
            return await self.pod(name) is None

        await self.until(there, f"the pod of {name} to be gone", within=within)

    async def until(self, look: Callable[[], Awaitable[T | None]], what: str, *, within: float = PATIENCE) -> T:
        """Wait for something to be true; return what was seen."""
        try:
            return await async_wait_until(what, look, within=within)
        except NotInTime as late:
            tails = "\n".join(operator.tail() for operator in self.operators)
            raise AssertionError(f"{late}\n{tails}") from late

    async def stays(self, look: Callable[[], Awaitable[bool]], what: str, *, during: float) -> None:
        """Hold that something stays true for a while."""
        deadline = time.monotonic() + during
        while time.monotonic() < deadline:
            if not await look():
                raise AssertionError(f"did not stay: {what}")
            await asyncio.sleep(0.1)


@pytest.fixture
async def bench(operator_cluster: LightCluster, operator_kubeconfig: Path, tmp_path: Path) -> AsyncIterator[Bench]:
    """A namespace with a node. Afterwards no request of any operator may have been refused for a missing right."""
    admin = Admin(ApiClient(operator_cluster))
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    await admin.create("namespaces", "", {"metadata": {"name": namespace}})
    node = Node(admin, namespace, tmp_path)
    bench = Bench(operator_cluster, operator_kubeconfig, namespace, admin, node, Audit(operator_cluster), tmp_path)
    kubelet = asyncio.create_task(node.run())
    try:
        yield bench
        refused = bench.audit.refused()
        dead = kubelet.exception() if kubelet.done() else None
    finally:
        for operator in bench.operators:
            operator.kill()
        kubelet.cancel()
        await asyncio.gather(kubelet, return_exceptions=True)
        await node.close_all()
        await _clean_up(admin, namespace)
    assert ([], None) == (refused, dead)


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
                "subjects": [{"kind": "ServiceAccount", "name": "whatsapp-operator", "namespace": NAMESPACE}],
            },
        ),
    ):
        metadata = {"name": name, "namespace": NAMESPACE}
        obj = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, **rest}
        kubectl("apply", "--filename", "-", input=json.dumps(obj))
    yield
    kubectl("delete", f"role/{name}", f"rolebinding/{name}", "--namespace", NAMESPACE)


async def _clean_up(admin: Admin, namespace: str) -> None:
    for name in (
        "whatsapp-operator",
        "whatsapp-operator-demo",
    ):  # a killed operator's Lease would keep the next test waiting
        with contextlib.suppress(LookupError):
            await admin.delete("leases", NAMESPACE, name)
    with contextlib.suppress(LookupError):
        await admin.delete("whatsappsessionquotas", "", namespace)
    for session in await admin.list("whatsappsessions", namespace):
        await admin.delete("whatsappsessions", namespace, session["metadata"]["name"])
    await admin.delete("namespaces", "", namespace)
