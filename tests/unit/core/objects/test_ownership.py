"""Whose an object is, read out of its JSON in one place."""

import re
from pathlib import Path
from typing import Any

import pytest
import whatsapp_operator
from whatsapp_operator.core.model import KeyID, Seal, SealedKind, SessionUID
from whatsapp_operator.core.objects import ownership
from whatsapp_operator.core.objects.ownership import Proof, prove

OPERATOR = Path(whatsapp_operator.__file__).parent
MANAGED = {"app.kubernetes.io/managed-by": "whatsapp-session-operator"}


def obj(*, owners: list[dict[str, Any]] | None = None, **metadata: Any) -> dict[str, Any]:
    """Return an object named a with this metadata."""
    return {"metadata": {"name": "a", "ownerReferences": owners or [], **metadata}}


def owner(uid: str, *, name: str = "a", kind: str = "WhatsAppSession", **more: Any) -> dict[str, Any]:
    """Return an owner reference."""
    return {"apiVersion": "wasession.dev/v1alpha1", "kind": kind, "name": name, "uid": uid, **more}


def proof(pod: dict[str, Any], *, listed: dict[str, str] | None = None, seal: Seal | None = None) -> Proof | None:
    """Return whose a pod is where `u-1` is listed in shop, or these sessions are, and the pod bears this seal."""
    sessions = {SessionUID(uid): namespace for uid, namespace in (listed or {"u-1": "shop"}).items()}
    return prove(pod, SealedKind.POD, namespace_of=sessions.get, read_seal=lambda _obj, _kind: seal)


def seal_for(uid: str) -> Seal:
    """Return what a seal says that was made for this session."""
    return Seal(key_id=KeyID("k"), session_uid=SessionUID(uid), quota="default", memory=1)


@pytest.mark.parametrize(
    "metadata", [None, 7, {}, {"labels": None, "annotations": [], "ownerReferences": {"uid": "u"}}]
)
def test_an_object_of_odd_shape_is_nobodys(metadata: Any) -> None:
    """Reading never fails."""
    odd = {"metadata": metadata}

    assert (False, "", None, None) == (
        ownership.is_managed(odd),
        ownership.instance(odd),
        proof(odd),
        ownership.controller_uid(odd),
    )
    assert (False, None, (), set()) == (
        ownership.is_named_after_its_session(odd),
        ownership.key_id(odd),
        ownership.owner_references(odd),
        ownership.possible_session_names(odd),
    )


def test_a_listed_owner_of_the_same_namespace_proves() -> None:
    """It brings no amounts: whoever may create pods there can name it."""
    assert Proof(SessionUID("u-1"), None) == proof(obj(owners=[owner("u-1", controller=True)], namespace="shop"))


@pytest.mark.parametrize(
    "owners",
    [
        [],
        [owner("u-1")],
        [owner("u-1", controller="true")],
        [owner("u-2", controller=True)],
        [owner("u-1", controller=True, kind="WhatsAppSessionQuota")],
        [owner("u-1", controller=True) | {"apiVersion": "wasession.example/v1alpha1"}],
        [owner("u-1", controller=True) | {"apiVersion": "wasession.dev.example/v1"}],
        [owner("u-1", controller=True) | {"apiVersion": None}],
        [owner("u-1", controller=True), owner("u-2", controller=True)],
        [owner("u-1", controller=True), owner("u-1", controller=True)],
        [owner("", controller=True)],
    ],
    ids=[
        "none",
        "no controller",
        "an odd controller",
        "not listed",
        "another kind",
        "another group",
        "a group that begins like ours",
        "no group",
        "two controllers",
        "the same twice",
        "no uid",
    ],
)
def test_what_only_looks_like_an_owner_proves_nothing(owners: list[dict[str, Any]]) -> None:
    """Nor do labels beside it."""
    labels = {**MANAGED, "wasession.dev/session": "a", "wasession.dev/session-uid": "u-1"}

    assert proof(obj(owners=owners, namespace="shop", labels=labels)) is None


@pytest.mark.parametrize("namespace", ["elsewhere", "", None, 7])
def test_an_owner_in_another_namespace_proves_nothing(namespace: Any) -> None:
    """An owner reference cannot reach over a namespace's edge."""
    pod = obj(owners=[owner("u-1", controller=True)], namespace=namespace)

    assert proof(pod) is None
    assert proof(pod, listed={"u-1": ""}) is None


def test_a_seal_proves_without_an_owner() -> None:
    """The session may be gone."""
    assert Proof(SessionUID("gone"), seal_for("gone")) == proof(obj(namespace="shop"), seal=seal_for("gone"))


def test_an_owner_that_is_there_comes_before_a_seal() -> None:
    """One that says the same adds the amounts; one of another session says nothing of this."""
    pod = obj(owners=[owner("u-1", controller=True)], namespace="shop")

    assert Proof(SessionUID("u-1"), seal_for("u-1")) == proof(pod, seal=seal_for("u-1"))
    assert Proof(SessionUID("u-1"), None) == proof(pod, seal=seal_for("gone"))


def test_a_pod_of_another_name_is_a_persons() -> None:
    """The operator names a pod after its session."""
    assert ownership.is_named_after_its_session(obj(owners=[owner("u-1", controller=True)]))
    assert not ownership.is_named_after_its_session(obj(owners=[owner("u-1", name="b", controller=True)]))


def test_managed_for_a_session_needs_both_labels() -> None:
    """Its name alone is anybody's."""
    assert ownership.is_managed_for(obj(labels={**MANAGED, "wasession.dev/session": "a"}), "a")
    assert not ownership.is_managed_for(obj(labels={**MANAGED, "wasession.dev/session": "b"}), "a")
    assert not ownership.is_managed_for(obj(labels={"wasession.dev/session": "a"}), "a")


def test_every_sign_of_a_session_is_followed() -> None:
    """A label, a name and an owner may each be the only one: they say whom to look at, and prove nothing."""
    pod = obj(
        owners=[owner("u-1", name="b"), owner("u-2", name="c", kind="Job")],
        labels={"wasession.dev/session": "d", "wasession.dev/session-uid": "u-3"},
    )

    assert ownership.possible_session_names(pod) == {"a", "b", "d"}


def test_nothing_else_reads_ownership_out_of_json() -> None:
    """A second reader would decide differently one day."""
    reads = re.compile(r"""["'](?:labels|annotations|ownerReferences)["'][\])]""")
    readers = {
        str(path.relative_to(OPERATOR))
        for path in OPERATOR.rglob("*.py")
        if any(reads.search(line) for line in path.read_text(encoding="utf-8").splitlines())
    }

    # Two others complete a manifest that they have just built, and one drops what nobody reads.
    completing = {"core/objects/pod.py", "core/objects/pvc.py"}
    assert {"core/objects/ownership.py", "runtime/kube/slimming.py", *completing} == readers


@pytest.mark.parametrize(
    ("level", "expected"), [("restricted", True), ("baseline", True), ("privileged", False), ("", False)]
)
def test_a_namespace_enforces_pod_security_by_its_label(level: str, *, expected: bool) -> None:
    """`privileged` allows everything, so it enforces nothing."""
    namespace = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": level}}}

    assert expected is ownership.enforces_pod_security(namespace)


def test_without_keys_no_seal_is_believed() -> None:
    """Whatever the object bears."""
    assert ownership.no_seal({"metadata": {"annotations": {"wasession.dev/seal": "1:k:u"}}}, SealedKind.POD) is None
