"""WhatsAppSession: reading what the API server stored never fails, and what is written reads back the same."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import strategies
from hypothesis import given
from pydantic import ValidationError
from session_protocol.quantities import GI, MI
from whatsapp_operator.api.session import (
    AccessMode,
    AdmissionStatus,
    InvalidObject,
    LinkMethod,
    ObjectKey,
    ObjectMeta,
    OnLogout,
    OperatingMode,
    Problem,
    Retention,
    SessionSpec,
    SessionStatus,
    WhatsAppSession,
)


def parse_spec(spec: Any) -> WhatsAppSession:
    """A session of which only the spec matters."""
    return WhatsAppSession.parse({"metadata": {"name": "sales", "namespace": "shop"}, "spec": spec})


def test_an_empty_spec_has_the_contracts_defaults() -> None:
    """What a person leaves out is what the reference says."""
    spec = parse_spec({}).spec

    assert (OperatingMode.RUNNING, 1, "default", 0) == (
        spec.operating_mode,
        spec.replicas,
        spec.quota_name,
        spec.priority,
    )
    assert (None, AccessMode.READ_WRITE_ONCE_POD, Retention.RETAIN, GI) == (
        spec.profile.storage_class_name,
        spec.profile.access_mode,
        spec.profile.retention,
        spec.profile.wanted_size,
    )
    assert (LinkMethod.QR, 5, OnLogout.RELINK) == (spec.link.method, spec.link.max_rounds, spec.link.on_logout)
    assert (5, timedelta(seconds=5), timedelta(minutes=10)) == (
        spec.recovery.max_attempts,
        spec.recovery.base_delay,
        spec.recovery.healthy_after,
    )
    timeouts = spec.timeouts
    assert [60, 30, 60, 30, 45] == [
        each.total_seconds()
        for each in (
            timeouts.startup,
            timeouts.launch,
            timeouts.protocol,
            timeouts.connection_check,
            timeouts.health_check,
        )
    ]


def test_metadata_is_read() -> None:
    """Identity, age and deletion are what decisions need of it."""
    stored = {
        "metadata": {
            "name": "sales",
            "namespace": "shop",
            "uid": "u-1",
            "generation": 3,
            "resourceVersion": "77",
            "creationTimestamp": "2026-01-31T12:00:00Z",
            "deletionTimestamp": "2026-01-31T13:00:00Z",
            "annotations": {"a": "b"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Shop", "name": "s", "uid": "o-1", "controller": True}],
            "managedFields": [{"manager": "kubectl"}],
        }
    }

    metadata = WhatsAppSession.parse(stored).metadata

    assert ObjectKey("shop", "sales") == metadata.key
    assert str(metadata.key) == "shop/sales"
    assert ("u-1", 3, "77") == (metadata.uid, metadata.generation, metadata.resource_version)
    assert metadata.creation_timestamp == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert metadata.deletion_timestamp == datetime(2026, 1, 31, 13, tzinfo=UTC)
    assert metadata.owner_references[0].uid == "o-1"


def test_a_claim_that_exists_has_no_size_to_make() -> None:
    """With existingClaim nothing is made, so nothing has a size."""
    assert parse_spec({"profile": {"existingClaim": "mine"}}).spec.profile.wanted_size is None
    assert parse_spec({"profile": {"size": "2Gi"}}).spec.profile.wanted_size == 2 * GI


@pytest.mark.parametrize(
    ("spec", "field", "reason"),
    [
        (
            {"operatingMode": "Draining"},
            "spec.operatingMode",
            "should be 'Running' or 'Suspended', but it is 'Draining'",
        ),
        (
            {"resources": {"limits": {"memory": "lots"}}},
            "spec.resources.limits.memory",
            "should be a quantity such as 384Mi, 1Gi, 500m or 2, but it is 'lots'",
        ),
        (
            {"timeouts": {"launch": "5 days"}},
            "spec.timeouts.launch",
            "should be a duration such as 30s, 5m or 1h30m, but it is '5 days'",
        ),
        ({"pod": {"imagePullSecrets": [{}]}}, "spec.pod.imagePullSecrets[0].name", "Field required"),
        ({"link": None}, "spec.link", "should be a valid dictionary or instance of LinkSpec"),
        ("text", "spec", "should be a valid dictionary or instance of SessionSpec, but it is 'text'"),
    ],
)
def test_a_spec_that_cannot_be_used_is_a_problem_not_a_failure(spec: Any, field: str, reason: str) -> None:
    """Reading succeeds, the problem names field and reason, and asking for the spec raises them."""
    session = parse_spec(spec)

    assert (Problem(field, reason),) == session.problems
    assert session.key == ObjectKey("shop", "sales")
    with pytest.raises(InvalidObject) as caught:
        _ = session.spec
    assert caught.value.problems == session.problems
    assert str(caught.value) == f"{field}: {reason}"


def test_all_problems_of_a_spec_are_reported_at_once() -> None:
    """Somebody who mends one finds no second one behind it."""
    session = parse_spec({"operatingMode": "Off", "timeouts": {"startup": "x", "launch": "y"}})

    assert ["spec.operatingMode", "spec.timeouts.startup", "spec.timeouts.launch"] == [
        problem.field for problem in session.problems
    ]


def test_a_long_bad_value_is_shown_short() -> None:
    """The problem becomes a condition's message, and that has its limits."""
    [problem] = parse_spec({"operatingMode": "x" * 10_000}).problems

    assert len(problem.reason) < 150


def test_very_many_problems_fit_a_conditions_message() -> None:
    """The first are told, then how many more there are; however long the fields' names are."""
    labels = {f"{number}" + "x" * 10_000: 5 for number in range(500)}

    problems = parse_spec({"pod": {"labels": labels}}).problems

    assert problems[-1] == Problem("spec", "480 more fields cannot be used")
    assert len(str(InvalidObject(problems))) < 32768


def test_what_this_version_does_not_know_is_ignored() -> None:
    """After a rollback the newer version's fields are still stored."""
    session = parse_spec({"newField": {"a": 1}, "link": {"method": "QR", "newer": True}})

    assert () == session.problems
    assert SessionSpec() == session.spec


def test_an_unusable_spec_does_not_hide_what_the_session_holds() -> None:
    """Its reservation still counts, and its pod is still known."""
    session = WhatsAppSession.parse(
        {
            "metadata": {"uid": "u"},
            "spec": {"operatingMode": 5},
            "status": {"podName": "sales", "admission": {"quotaName": "default", "memory": "768Mi"}},
        }
    )

    assert session.status.pod_name == "sales"
    assert session.status.admission is not None
    assert session.status.admission.memory == 768 * MI


def test_a_status_field_that_cannot_be_used_counts_as_absent() -> None:
    """Each bad field alone; its neighbours are kept."""
    status = SessionStatus.from_stored(
        {
            "state": "not a word",
            "replicas": "many",
            "podName": "sales",
            "link": {"linkedTime": "yesterday", "round": 2},
            "admission": {"quotaName": "default", "memory": "lots"},
            "recovery": "none",
            "conditions": [
                {"type": "Ready"},
                "text",
                {"type": "Linked", "status": "Maybe", "reason": "Odd"},
                {"type": "Admitted", "status": "True", "reason": "Admitted", "lastTransitionTime": "bad"},
            ],
        }
    )

    assert (None, 0, "sales") == (status.state, status.replicas, status.pod_name)
    assert status.link is not None
    assert (None, 2) == (status.link.linked_time, status.link.round)
    assert AdmissionStatus(quota_name="default") == status.admission
    assert (status.admission and status.admission.memory) is None
    assert status.recovery is None
    assert ["Admitted"] == [condition.type for condition in status.conditions]
    assert status.conditions[0].last_transition_time is None


def test_a_session_that_nobody_has_seen_has_an_empty_status() -> None:
    """What the API server writes for other tools is no generation, so nothing counts as edited."""
    session = WhatsAppSession.parse(
        {"metadata": {"name": "sales", "generation": 1}, "spec": {}, "status": {"observedGeneration": -1}}
    )

    assert SessionStatus() == session.status
    assert not session.is_edited


def test_an_unknown_state_is_kept() -> None:
    """A newer runner's word is shown as it is."""
    assert SessionStatus.from_stored({"state": "Teleporting"}).state == "Teleporting"


def test_code_cannot_construct_a_bad_status() -> None:
    """Tolerance is for what is stored; a mistake of ours shows where it is made."""
    with pytest.raises(ValidationError):
        SessionStatus(state="not a word")


def test_a_status_is_written_as_the_api_server_keeps_it() -> None:
    """camelCase, times with Z and without fractions, quantities as texts, nothing absent."""
    status = SessionStatus(
        state="Connected",
        pod_uid="p-1",
        admission=AdmissionStatus(
            quota_name="default",
            reserved_at=datetime(2026, 1, 31, 12, 0, 0, 5, tzinfo=UTC),
            memory=Decimal(768 * 2**20),
        ),
    )

    assert {
        "state": "Connected",
        "podUID": "p-1",
        "conditions": [],
        "replicas": 0,
        "admission": {"quotaName": "default", "reservedAt": "2026-01-31T12:00:00Z", "memory": "768Mi"},
        "handledRequests": {},
    } == status.to_dict()


def test_a_session_is_made_in_code_without_a_manifest() -> None:
    """Tests and decisions construct sessions by Python's names."""
    session = WhatsAppSession(
        metadata=ObjectMeta(name="sales", namespace="shop", uid="u"), spec=SessionSpec(priority=5)
    )

    assert session.spec.priority == 5
    assert session.with_status(SessionStatus(state="Queued")).status.state == "Queued"
    assert session.status.state is None


def test_a_session_cannot_be_changed_in_place() -> None:
    """What a decision was given stays what it was given."""
    with pytest.raises(ValidationError, match="frozen"):
        setattr(WhatsAppSession().status, "state", "Queued")  # noqa: B010 - what the type checker would forbid


@given(strategies.session_manifests())
def test_every_accepted_manifest_is_usable(manifest: dict[str, Any]) -> None:
    """What the API server accepts has no problems, and its own manifest says the same spec."""
    session = WhatsAppSession.parse(manifest)

    assert session.problems == ()
    assert session.spec == WhatsAppSession.parse(session.to_dict()).spec


@given(strategies.session_statuses())
def test_a_written_status_reads_back(status: SessionStatus) -> None:
    """What the operator compares with what it reads is equal, so that it does not write again."""
    assert status == SessionStatus.from_stored(status.to_dict())


@given(strategies.stored_objects())
def test_reading_never_fails(stored: dict[str, Any]) -> None:
    """Whatever is stored under whatever schema: a session with a usable spec, or with problems that name fields of it."""
    session = WhatsAppSession.parse(stored)

    if session.problems:
        with pytest.raises(InvalidObject):
            _ = session.spec
        assert all(problem.field.startswith("spec") and problem.reason for problem in session.problems)
    else:
        assert session.spec.replicas == 1
    assert isinstance(session.status.to_dict(), dict)


@given(strategies.stored_objects())
def test_a_tolerated_status_is_a_sound_one(stored: dict[str, Any]) -> None:
    """What is left of a damaged status can be written again as it is."""
    status = WhatsAppSession.parse(stored).status

    assert status == SessionStatus.model_validate(status.to_dict())
