"""What is read from the API server and what is written to it."""

import copy
import datetime as dt
from typing import Any

import pytest
from local_cluster.provisioner.actions import Provision
from local_cluster.provisioner.manifests import manifests
from local_cluster.provisioner.names import CLASS, FINALIZER, PROVISIONER, USER, VolumeName
from local_cluster.provisioner.objects import event, persistent_volume
from local_cluster.provisioner.observed import Claim, StorageClass, Volume
from local_cluster.provisioner.quantities import GIB
from unit.provisioner.fakes import LAYOUT, NODE, NOW, raw_claim

CLAIM = Claim.parse(raw_claim())
OUR_CLASS = StorageClass(name=CLASS)
VOLUME = persistent_volume(Provision(claim=CLAIM, storage_class=OUR_CLASS, size=GIB), layout=LAYOUT, node=NODE)


def changed(raw: dict[str, Any], part: str, **fields: Any) -> dict[str, Any]:
    """A copy of an object with some fields of one part replaced; None removes a field."""
    made = copy.deepcopy(raw)
    made[part] = {key: value for key, value in {**made[part], **fields}.items() if value is not None}
    return made


def test_a_claim_is_read() -> None:
    """All that the plan needs."""
    expected = Claim(
        uid=CLAIM.uid,
        namespace="shop",
        name="claim-u1",
        class_name=CLASS,
        size=GIB,
        access_modes=("ReadWriteOncePod",),
        node=NODE,
    )

    assert expected == CLAIM


@pytest.mark.parametrize(
    ("part", "fields", "attribute", "expected"),
    [
        ("metadata", {"annotations": None}, "node", ""),
        ("metadata", {"deletionTimestamp": "2026-01-02T03:04:05Z"}, "deleting", True),
        ("spec", {"volumeName": "pvc-u1"}, "volume", "pvc-u1"),
        ("spec", {"storageClassName": None}, "class_name", ""),
        ("spec", {"volumeMode": "Block"}, "volume_mode", "Block"),
        ("spec", {"selector": {"matchLabels": {"a": "b"}}}, "has_selector", True),
        ("spec", {"dataSource": {"kind": "VolumeSnapshot"}}, "has_source", True),
        ("spec", {"dataSourceRef": {"kind": "Other"}}, "has_source", True),
    ],
)
def test_each_field_of_a_claim_counts(part: str, fields: dict[str, Any], attribute: str, expected: object) -> None:
    """Absent, or as it is."""
    assert getattr(Claim.parse(changed(raw_claim(), part, **fields)), attribute) == expected


def test_our_own_class_is_read() -> None:
    """The one that the cluster ships waits for its consumer and deletes what is released."""
    assert StorageClass.parse(manifests()[0]) == OUR_CLASS


def test_a_class_of_ours_may_be_another() -> None:
    """A person may add one that retains, binds at once, or has parameters that we then refuse."""
    raw = {
        **manifests()[0],
        "reclaimPolicy": "Retain",
        "volumeBindingMode": "Immediate",
        "parameters": {"b": "1", "a": "2"},
    }

    expected = StorageClass(name=CLASS, reclaim_policy="Retain", waits_for_consumer=False, parameters=("a", "b"))
    assert StorageClass.parse(raw) == expected


def test_a_class_of_others_is_not_ours() -> None:
    """By its provisioner's name."""
    assert StorageClass.parse({**manifests()[0], "provisioner": "rancher.io/local-path"}) is None


def test_a_volume_of_ours_is_known_again() -> None:
    """What we wrote is read as ours; the controller manager adds its phase later."""
    assert Volume.parse(VOLUME, LAYOUT) == Volume(name=VolumeName("pvc-u1"), phase="Pending")
    assert Volume.parse({**VOLUME, "status": {"phase": "Released"}}, LAYOUT) == Volume(
        name=VolumeName("pvc-u1"), phase="Released"
    )


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        ("metadata", {"annotations": {}}),
        ("metadata", {"annotations": {"pv.kubernetes.io/provisioned-by": "other"}}),
        ("spec", {"local": {"path": "/elsewhere/mounts/pvc-u1/data"}}),
        ("spec", {"local": None, "hostPath": {"path": "/state/mounts/pvc-u1/data"}}),
    ],
)
def test_a_volume_of_others_is_left_alone(part: str, fields: dict[str, Any]) -> None:
    """Another provisioner's, another state folder's, another kind."""
    assert Volume.parse(changed(VOLUME, part, **fields), LAYOUT) is None


def test_a_volume_is_bound_to_its_claim_and_node() -> None:
    """By UID, so that a new claim of the same name never gets old data; and held until its file was dealt with."""
    assert VOLUME["spec"]["claimRef"]["uid"] == "u1"
    assert VOLUME["metadata"]["finalizers"] == [FINALIZER]
    assert VOLUME["spec"]["local"] == {"path": "/state/mounts/pvc-u1/data"}
    assert VOLUME["spec"]["capacity"] == {"storage": "1Gi"}
    assert VOLUME["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
    assert NODE in str(VOLUME["spec"]["nodeAffinity"])


def test_a_repeated_event_has_one_name() -> None:
    """Whatever its words; another reason or another claim is another event."""

    def name(reason: str, message: str, claim: Claim = CLAIM) -> str:
        made = event(claim, reason=reason, message=message, warning=True, now=NOW, count=1)
        return str(made["metadata"]["name"])

    other = Claim.parse(raw_claim("u2"))
    assert name("Failed", "1.2 GiB left") == name("Failed", "1.1 GiB left")
    assert name("Failed", "x") != name("Succeeded", "x")
    assert name("Failed", "x") != name("Failed", "x", other)


@pytest.mark.parametrize("hours", [0, 5])
def test_an_event_has_the_apis_time(hours: int) -> None:
    """In UTC with whole seconds, whatever zone the clock has."""
    now = NOW.astimezone(dt.timezone(dt.timedelta(hours=hours)))

    made = event(CLAIM, reason="Failed", message="x", warning=True, now=now, count=1)

    assert made["firstTimestamp"] == made["lastTimestamp"] == "2026-01-02T03:04:05Z"


def test_a_long_message_is_cut() -> None:
    """The API server would refuse the whole event."""
    made = event(CLAIM, reason="Failed", message="x" * 5000, warning=False, now=NOW, count=1)

    assert len(made["message"]) == 1024
    assert made["type"] == "Normal"


def test_the_class_is_the_clusters_default() -> None:
    """A claim without a class gets it, once a pod uses the claim; there is no expansion."""
    made = manifests()[0]

    assert made["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
    assert made["provisioner"] == PROVISIONER
    assert made["volumeBindingMode"] == "WaitForFirstConsumer"
    assert "allowVolumeExpansion" not in made


def test_the_rights_have_no_wildcard() -> None:
    """Each right is named, and the account is the one that the certificate is made for."""
    role, binding = manifests()[1:]

    assert all("*" not in words for rule in role["rules"] for words in rule.values())
    assert binding["subjects"] == [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USER}]
    assert {"secrets", "pods", "nodes"}.isdisjoint({name for rule in role["rules"] for name in rule["resources"]})
