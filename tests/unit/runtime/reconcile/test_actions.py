"""Carrying out actions: what is there already, what is gone already, what is refused, and what is somebody else's."""

import base64
from contextlib import nullcontext

import pytest
from session_protocol.vocabulary import TokenPurpose
from unit.runtime.fakes import FakeClock
from unit.runtime.memory_api import Fault, Json, MemoryApi
from whatsapp_operator.api.constants import MANAGED_BY, MANAGED_BY_LABEL
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.decision import CreatePod, CreatePVC, CreateSecret, CreateService, DeletePod, PatchPVC
from whatsapp_operator.core.model import KeyID, Manifest, PodUID, Seal, SealedKind, SessionUID, TokenSource
from whatsapp_operator.core.objects.tokens import secret_entries
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import (
    Forbidden,
    Refused,
    ServerError,
    TooManyRequests,
    Unprocessable,
    Unreachable,
)
from whatsapp_operator.runtime.kube.existing_claims import ExistingClaimReader
from whatsapp_operator.runtime.kube.foreign_objects import FIRST_REREAD, ForeignObjects
from whatsapp_operator.runtime.kube.resources import PODS, PVCS, SERVICES, SESSIONS, Resource
from whatsapp_operator.runtime.kube.store import Store
from whatsapp_operator.runtime.process.keys import KeyRing
from whatsapp_operator.runtime.process.seals import Seals
from whatsapp_operator.runtime.reconcile.executor import ActionContext, Executor, Requeue
from whatsapp_operator.runtime.reconcile.observer import no_index_keys, pod_index_keys

KEY = ObjectKey("shop", "a")
UID = SessionUID("s1")
KEY_BYTES = b"k" * 32
NAMES = ((PODS, KEY),)
OURS = {MANAGED_BY_LABEL: MANAGED_BY}


class ExecutorHarness:
    """An executor over an API server in memory."""

    def __init__(self, *, extra_ca: str = "") -> None:
        self.clock = FakeClock()
        self.api = MemoryApi(now=self.clock.now)
        self.kube = Kube(self.api, timeout=30)
        self.store = Store(
            {PODS: pod_index_keys, PVCS: no_index_keys, SERVICES: no_index_keys, SESSIONS: no_index_keys}
        )
        self.foreign_objects = ForeignObjects(self.kube, self.store, self.clock)
        self.pvc = ExistingClaimReader(self.kube, self.clock)
        self.work = ActionContext(key=KEY, uid=UID, foreign_objects=self.foreign_objects, existing_claim=self.pvc)
        encoded = {"current": b"k1", "k1": KEY_BYTES}
        data = {name: base64.b64encode(value).decode() for name, value in encoded.items()}
        secrets = MemoryApi(now=self.clock.now)  # of its own: what the tests count has no key Secret in it
        secrets.put("secrets", {"metadata": {"name": "keys", "namespace": "ops"}, "data": data})
        self.keys = KeyRing(kube=Kube(secrets, timeout=30), clock=self.clock, namespace="ops", name="keys")
        self.executor = Executor(
            kube=self.kube,
            store=self.store,
            key=self.keys.key,
            seals=Seals(self.keys),
            creating=lambda _resource, _manifest: nullcontext(),
            extra_ca=extra_ca,
        )


def manifest(name: str = "a", *, labels: dict[str, str] | None = None) -> Manifest:
    """Return some object of ours."""
    return Manifest({"metadata": {"name": name, "namespace": "shop", "labels": OURS if labels is None else labels}})


@pytest.fixture
async def harness() -> ExecutorHarness:
    """An empty cluster."""
    harness = ExecutorHarness()
    await harness.keys.load()
    return harness


CREATIONS = [
    (CreatePod(manifest=manifest()), PODS),
    (CreatePVC(manifest=manifest()), PVCS),
    (CreateService(manifest=manifest()), SERVICES),
]


@pytest.mark.parametrize(("action", "resource"), CREATIONS)
async def test_what_is_created_is_known_at_once(
    harness: ExecutorHarness, action: CreatePod | CreatePVC | CreateService, resource: Resource
) -> None:
    """Without waiting for the watch: the next decision sees it."""
    await harness.executor.execute(action, harness.work)
    assert harness.store.get(resource, KEY) == harness.api.get(resource.plural, "shop", "a")


async def test_a_pod_is_sealed_as_it_is_created(harness: ExecutorHarness) -> None:
    """With the key that the decision names; nothing else of the manifest changes."""
    content = Seal(key_id=KeyID("k1"), session_uid=UID, quota="default", memory=7)
    made = manifest()
    made["metadata"]["annotations"] = {"other": "stays"}

    await harness.executor.execute(CreatePod(manifest=made, seal=content), harness.work)

    created = harness.api.get("pods", "shop", "a") or {}
    assert content == Seals(harness.keys).read(created, SealedKind.POD)
    assert "stays" == created["metadata"]["annotations"]["other"]
    assert {"other": "stays"} == made["metadata"]["annotations"]


@pytest.mark.parametrize(("action", "resource"), CREATIONS)
async def test_what_is_there_already_is_looked_at(
    harness: ExecutorHarness, action: CreatePod | CreatePVC | CreateService, resource: Resource
) -> None:
    """A predecessor created it and died before it heard the answer: ours, so it goes to the store."""
    harness.api.put(resource.plural, dict(manifest()))

    with pytest.raises(Requeue):
        await harness.executor.execute(action, harness.work)

    assert harness.store.get(resource, KEY) is not None
    assert harness.foreign_objects.get(resource, KEY) is None


@pytest.mark.parametrize(("action", "resource"), CREATIONS)
async def test_a_foreign_object_is_remembered(
    harness: ExecutorHarness, action: CreatePod | CreatePVC | CreateService, resource: Resource
) -> None:
    """It is told, not adopted: it never enters the store."""
    harness.api.put(resource.plural, dict(manifest(labels={})))

    with pytest.raises(Requeue):
        await harness.executor.execute(action, harness.work)

    assert harness.store.get(resource, KEY) is None
    assert harness.foreign_objects.get(resource, KEY) is not None


async def test_a_foreign_object_is_read_again_until_it_is_gone(harness: ExecutorHarness) -> None:
    """Now and then, by reading alone."""
    harness.api.put("pods", dict(manifest(labels={})))
    await harness.foreign_objects.read(PODS, KEY)
    harness.api.remove("pods", "shop", "a")
    await harness.foreign_objects.refresh(NAMES)
    early = harness.foreign_objects.get(PODS, KEY)
    await harness.clock.advance(FIRST_REREAD)

    await harness.foreign_objects.refresh(NAMES)

    assert early is not None
    assert harness.foreign_objects.get(PODS, KEY) is None
    assert [] == harness.api.writes


async def test_a_foreign_object_that_becomes_ours_goes_to_the_store(harness: ExecutorHarness) -> None:
    """The foreign one was deleted and ours made, while nobody looked."""
    harness.api.put("pods", dict(manifest(labels={})))
    await harness.foreign_objects.read(PODS, KEY)
    harness.api.remove("pods", "shop", "a")
    harness.api.put("pods", dict(manifest()))
    await harness.clock.advance(FIRST_REREAD)

    await harness.foreign_objects.refresh(NAMES)

    assert harness.foreign_objects.get(PODS, KEY) is None
    assert harness.store.get(PODS, KEY) is not None


def _create_secret(purpose: TokenPurpose | None = None, *, key_id: str = "k1") -> CreateSecret:
    source = TokenSource(key_id=KeyID(key_id), renewal="r1")
    return CreateSecret(manifest=manifest("was-s1-x"), source=source, purpose=purpose)


@pytest.mark.parametrize("purpose", [None, *TokenPurpose])
async def test_a_secret_holds_what_its_purpose_needs(harness: ExecutorHarness, purpose: TokenPurpose | None) -> None:
    """Made from the key and the renewal that the action names; the extra CA only where there is one."""
    await harness.executor.execute(_create_secret(purpose), harness.work)

    data = {name: base64.b64decode(value).decode() for name, value in _secret(harness)["data"].items()}
    assert secret_entries(KEY_BYTES, session_uid=UID, renewal="r1", purpose=purpose) == data


async def test_the_extra_ca_goes_into_the_secret() -> None:
    """The runner finds it beside its tokens."""
    harness = ExecutorHarness(extra_ca="-----BEGIN CERTIFICATE-----")
    await harness.keys.load()
    await harness.executor.execute(_create_secret(), harness.work)

    assert b"-----BEGIN CERTIFICATE-----" == base64.b64decode(_secret(harness)["data"]["extra-ca.crt"])


async def test_the_extra_ca_goes_into_no_other_secret() -> None:
    """People's Secrets hold tokens alone."""
    harness = ExecutorHarness(extra_ca="-----BEGIN CERTIFICATE-----")
    await harness.keys.load()
    await harness.executor.execute(_create_secret(TokenPurpose.OBSERVING), harness.work)

    assert ["state"] == list(_secret(harness)["data"])


async def test_an_existing_secret_is_fine_and_not_read(harness: ExecutorHarness) -> None:
    """Its name says what it holds; there is no right to look."""
    action = _create_secret()
    await harness.executor.execute(action, harness.work)

    await harness.executor.execute(action, harness.work)
    assert ["POST", "POST"] == [request.method for request in harness.api.requests]


async def test_a_key_that_is_gone_is_a_refusal(harness: ExecutorHarness) -> None:
    """No Secret is made from another key than the decision named, and the session is decided about as ever."""
    with pytest.raises(Refused, match="k2") as refused:
        await harness.executor.execute(_create_secret(key_id="k2"), harness.work)

    assert [] == harness.api.writes
    assert "UnknownKey" == refused.value.reason


async def test_a_deleted_pod_that_stays_for_a_while_is_known_to_be_going(harness: ExecutorHarness) -> None:
    """The answer carries the deletion; it is not deleted twice."""
    pod = harness.api.put("pods", {**manifest(), "spec": {"nodeName": "n"}})
    harness.store.put(PODS, pod)

    await harness.executor.execute(_deletion(pod), harness.work)

    known = harness.store.get(PODS, KEY)
    assert known is not None
    assert "deletionTimestamp" in known["metadata"]


async def test_a_deleted_pod_without_a_node_is_gone(harness: ExecutorHarness) -> None:
    """Nobody has to end it."""
    pod = harness.api.put("pods", dict(manifest()))
    harness.store.put(PODS, pod)

    await harness.executor.execute(_deletion(pod), harness.work)

    assert harness.store.get(PODS, KEY) is None


async def test_a_pod_that_is_gone_already_is_deleted(harness: ExecutorHarness) -> None:
    """Not found is success."""
    pod = harness.api.put("pods", dict(manifest()))
    harness.store.put(PODS, pod)
    harness.api.remove("pods", "shop", "a")

    await harness.executor.execute(_deletion(pod), harness.work)
    assert harness.store.get(PODS, KEY) is None


async def test_the_next_pod_of_that_name_is_not_deleted(harness: ExecutorHarness) -> None:
    """The UID is the precondition; what is there now goes to the store."""
    pod = harness.api.put("pods", dict(manifest()))
    harness.store.put(PODS, pod)
    harness.api.remove("pods", "shop", "a")
    newer = harness.api.put("pods", dict(manifest()))

    with pytest.raises(Requeue):
        await harness.executor.execute(_deletion(pod), harness.work)

    assert newer == harness.store.get(PODS, KEY) == harness.api.get("pods", "shop", "a")


async def test_a_claim_that_changed_is_looked_at_again(harness: ExecutorHarness) -> None:
    """A patch on an older version would undo what somebody else just did."""
    harness.api.put("persistentvolumeclaims", dict(manifest()))
    patch = {"metadata": {"resourceVersion": "1"}, "spec": {"x": 1}}

    with pytest.raises(Requeue):
        await harness.executor.execute(PatchPVC(name="a", patch=patch, reason="grow"), harness.work)

    assert harness.store.get(PVCS, KEY) is not None


async def test_a_patched_claim_is_known_at_once(harness: ExecutorHarness) -> None:
    """The decision that follows does not patch again."""
    pvc = harness.api.put("persistentvolumeclaims", dict(manifest()))
    patch = {"metadata": {"resourceVersion": pvc["metadata"]["resourceVersion"]}, "spec": {"x": 1}}

    await harness.executor.execute(PatchPVC(name="a", patch=patch, reason="grow"), harness.work)

    assert {"x": 1} == (harness.store.get(PVCS, KEY) or {})["spec"]


@pytest.mark.parametrize("status", [404, 409])
async def test_a_deletion_that_is_refused_as_if_the_pod_were_gone_fails(harness: ExecutorHarness, status: int) -> None:
    """A webhook may answer with any status: the pod of that UID is looked up, and it is there."""
    pod = harness.api.put("pods", dict(manifest()))
    harness.store.put(PODS, pod)
    harness.api.fault = lambda request, _: Fault(status=status) if request.method == "DELETE" else None

    with pytest.raises(Refused):
        await harness.executor.execute(_deletion(pod), harness.work)

    assert pod == harness.store.get(PODS, KEY)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(), Unreachable),
        (Fault(status=500), ServerError),
        (Fault(status=429), TooManyRequests),
        (Fault(status=403), Forbidden),
        (Fault(status=422), Unprocessable),
        (Fault(status=413), Refused),
    ],
)
async def test_a_failure_is_the_callers(harness: ExecutorHarness, fault: Fault, error: type[Exception]) -> None:
    """It records the failure, and tells when to try again."""
    harness.api.fault = lambda _request, _number: fault

    with pytest.raises(error):
        await harness.executor.execute(CreatePod(manifest=manifest()), harness.work)


def _deletion(pod: Json) -> DeletePod:
    return DeletePod(name="a", uid=PodUID(pod["metadata"]["uid"]), reason="test")


def _secret(harness: ExecutorHarness) -> Json:
    (secret,) = harness.api.all("secrets")
    return dict(secret)
