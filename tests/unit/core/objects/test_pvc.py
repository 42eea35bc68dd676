"""The profile's claim: made, grown, handed over, never lost."""

import dataclasses
from typing import Any

import pytest
from support.facts import T0
from whatsapp_operator.api.session import ObjectMeta, SessionSpec, WhatsAppSession
from whatsapp_operator.core.model import PVCFacts
from whatsapp_operator.core.objects import names
from whatsapp_operator.core.objects.pvc import pvc_manifest, review_pvc

UID = "session-1"
GI = 2**30
BACKUP = {"apiVersion": "backup.example/v1", "kind": "Backup", "name": "nightly", "uid": "b"}


def session(**profile: Any) -> WhatsAppSession:
    """Return a session with this profile."""
    metadata = ObjectMeta(name="sales", namespace="shop", uid=UID)
    return WhatsAppSession(metadata=metadata, spec=SessionSpec.model_validate({"profile": profile}))


def pvc(**facts: Any) -> PVCFacts:
    """Return the facts of a claim of ours, of 1 Gi."""
    return dataclasses.replace(PVCFacts(name="sales-profile", ours=True, requested=GI, resource_version="7"), **facts)


def ours(uid: str = UID) -> dict[str, Any]:
    """Return a session's owner reference."""
    return names.owner_reference(session()) | {"uid": uid}


def test_the_default_claim() -> None:
    """1 Gi of the cluster's default class, for one pod, without an owner."""
    manifest = pvc_manifest(session())

    assert {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "sales-profile", "namespace": "shop", "labels": names.labels(session())},
        "spec": {"accessModes": ["ReadWriteOncePod"], "resources": {"requests": {"storage": "1Gi"}}},
    } == manifest


def test_size_class_and_mode_are_the_persons() -> None:
    """As they wrote them; an empty class means none, and is not the same as no word."""
    manifest = pvc_manifest(session(size="1500Mi", storageClassName="", accessMode="ReadWriteOnce"))

    assert manifest is not None
    assert {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1500Mi"}},
        "storageClassName": "",
    } == manifest["spec"]


def test_with_retention_delete_it_goes_with_the_session() -> None:
    """By an owner reference, from the start."""
    manifest = pvc_manifest(session(retention="Delete"))

    assert manifest is not None
    assert [names.owner_reference(session())] == manifest["metadata"]["ownerReferences"]


def test_an_existing_claim_is_neither_made_nor_patched() -> None:
    """It is the person's."""
    assert pvc_manifest(session(existingClaim="theirs")) is None
    assert review_pvc(session(existingClaim="theirs"), pvc()).patch is None


@pytest.mark.parametrize("profile", [{}, {"size": "1Gi"}, {"size": "1024Mi"}, {"size": "500Mi"}])
def test_a_claim_that_is_large_enough_is_left_alone(profile: dict[str, str]) -> None:
    """However the amount is written; a volume never shrinks."""
    assert review_pvc(session(**profile), pvc()).patch is None


def test_a_claim_grows() -> None:
    """Only its size is sent, with the version that it was seen at."""
    patch = review_pvc(session(size="2Gi"), pvc()).patch

    assert patch is not None
    assert {
        "metadata": {"resourceVersion": "7"},
        "spec": {"resources": {"requests": {"storage": "2Gi"}}},
    } == patch.patch
    assert ("sales-profile", "grow from 1Gi to 2Gi") == (patch.name, patch.reason)


def test_retain_takes_our_reference_away() -> None:
    """The claim then outlives its session; other owners stay."""
    alone = review_pvc(session(), pvc(owners=(ours(),))).patch
    beside = review_pvc(session(), pvc(owners=(BACKUP, ours()))).patch

    assert alone is not None
    assert {"metadata": {"ownerReferences": None, "resourceVersion": "7"}} == alone.patch
    assert beside is not None
    assert [BACKUP] == beside.patch["metadata"]["ownerReferences"]


def test_delete_adds_our_reference() -> None:
    """Beside the others; an object has one controller, so ours is none where there is one."""
    alone = review_pvc(session(retention="Delete"), pvc()).patch
    beside = review_pvc(session(retention="Delete"), pvc(owners=(BACKUP | {"controller": True},))).patch

    assert alone is not None
    assert [ours()] == alone.patch["metadata"]["ownerReferences"]
    assert beside is not None
    assert [BACKUP | {"controller": True}, ours() | {"controller": False}] == beside.patch["metadata"][
        "ownerReferences"
    ]


def test_size_and_owner_are_one_patch() -> None:
    """One request, not two."""
    patch = review_pvc(session(size="2Gi", retention="Delete"), pvc()).patch

    assert patch is not None
    assert {"spec", "metadata"} == patch.patch.keys()
    assert "grow from 1Gi to 2Gi, delete it with the session" == patch.reason


@pytest.mark.parametrize(
    ("facts", "doomed"),
    [
        ({}, False),
        ({"owners": (ours(),)}, False),
        ({"owners": (BACKUP,)}, False),
        ({"deletion": T0}, True),
        ({"owners": (ours("a-former-session"),)}, True),
    ],
)
def test_a_claim_is_doomed_when_it_goes_or_belongs_to_a_former_session(facts: dict[str, Any], *, doomed: bool) -> None:
    """Garbage collection will take it; a login on it would be lost under a running browser."""
    assert doomed == review_pvc(session(), pvc(**facts)).will_be_deleted
    assert not doomed or review_pvc(session(size="9Gi"), pvc(**facts)).patch is None


def test_a_foreign_claim_is_never_patched() -> None:
    """It only has the name."""
    assert review_pvc(session(size="2Gi", retention="Delete"), pvc(ours=False)).patch is None
