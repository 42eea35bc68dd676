"""What of an object is kept: what the operator reads of it, and no more."""

import copy
import json
import tracemalloc
from typing import Any

from largest import largest
from whatsapp_operator.api.crd.definitions import SESSION, root_schema
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import Defaults, KeyID
from whatsapp_operator.core.objects.facts import pod_facts
from whatsapp_operator.core.objects.pod import pod_manifest
from whatsapp_operator.runtime.kube.resources import NAMESPACES, PODS, SESSIONS
from whatsapp_operator.runtime.kube.slimming import slim
from whatsapp_operator.runtime.kube.store import Store

OURS = {"wasession.dev/restart-at": "2026-01-01T00:00:00Z"}
THEIRS = {"kubectl.kubernetes.io/last-applied-configuration": "x" * 1000, "note": "y"}


def session(name: str = "a", **spec: Any) -> dict[str, Any]:
    """A session as the API server sends it."""
    metadata = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": "5"}
    extra = {"annotations": OURS | THEIRS, "labels": {"team": "x"}, "managedFields": [{"manager": "kubectl"}]}
    return {"metadata": metadata | extra, "spec": spec}


def test_annotations_of_others_are_dropped() -> None:
    """managedFields, last-applied and other annotations go; requests, spec and status stay."""
    given = session(operatingMode="Running")
    before = copy.deepcopy(given)

    kept = slim(SESSIONS, given)

    assert (OURS, {}, False) == (
        kept["metadata"]["annotations"],
        kept["metadata"]["labels"],
        "managedFields" in kept["metadata"],
    )
    assert given["spec"] == kept["spec"]
    assert before == given


def test_labels_of_a_namespace_are_kept() -> None:
    """They tell the instance and the Pod Security."""
    given = {"metadata": {"name": "shop", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}

    assert given == slim(NAMESPACES, given)


def test_a_pods_facts_are_the_same() -> None:
    """Whatever is dropped of a pod, no decision knows it, whatever the settings have put into it."""
    asked: dict[str, Any] = {"pod": {"nodeSelector": {"a": "b"}, "tolerations": [{"operator": "Exists"}]}}
    found = WhatsAppSession.parse(session(**asked))
    settings = Defaults(
        runner_image="r:1",
        key_id=KeyID("k"),
        browser_sandbox=True,
        browser_seccomp_profile="operator/chromium.json",
        user_namespaces=True,
    )
    pod = dict(pod_manifest(found, settings))

    kept = slim(PODS, pod)

    assert "operator/chromium.json" == pod_facts(kept).seccomp_profile
    assert pod_facts(pod) == pod_facts(kept)
    assert len(json.dumps(kept)) < len(json.dumps(pod)) / 2


def test_what_cannot_be_read_is_no_error() -> None:
    """An odd shape stays for those who read it."""
    odd: dict[str, Any] = {"metadata": {"name": "x", "annotations": None}, "spec": {"containers": ["?", {"env": 1}]}}

    assert {"containers": ["?", {}]} == slim(PODS, odd)["spec"]


def test_112_of_the_largest_sessions_fit() -> None:
    """With half a megabyte of others' words each they take less than 32 MB."""
    spec = json.dumps(largest(root_schema(SESSION)["properties"]["spec"]))
    store = Store({SESSIONS: lambda _: ()})
    tracemalloc.start()
    try:
        for number in range(112):
            obj = session(f"s{number}", **json.loads(spec))
            obj["metadata"]["annotations"] = {f"note-{each}": "x" * 4096 for each in range(128)}
            store.put(SESSIONS, obj)
        del obj
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert 112 == len(store.keys(SESSIONS))
    assert taken < 32 * 1024 * 1024, taken
