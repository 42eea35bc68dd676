"""Changes to a stored session: what stays as it was, what may only grow, and what is free."""

import uuid
from typing import Any

import pytest
from api_client import ApiClient, Refusal

CLASS = "storageClassName cannot be changed: create a new session, or restore the old value"
MODE = "accessMode cannot be changed: create a new session, or restore the old value"
PVC = "existingClaim cannot be changed: create a new session, or restore the old value"
QUOTA = (
    "quotaName cannot be changed while the session is admitted: set operatingMode to Suspended, wait until "
    "status.admission is gone, change it, and set operatingMode to Running"
)


def a_name() -> str:
    """A session's name that no other test has."""
    return f"t-{uuid.uuid4().hex[:10]}"


def shrunk(least: str) -> str:
    """The text for a smaller volume."""
    return f"size may only grow: a volume cannot shrink, so write {least} or more"


@pytest.mark.parametrize(
    ("before", "after", "field", "text"),
    [
        ({"storageClassName": "fast"}, {"storageClassName": "slow"}, "storageClassName", CLASS),
        ({"storageClassName": "fast"}, {"storageClassName": None}, "storageClassName", CLASS),
        ({"storageClassName": "fast"}, {"storageClassName": ""}, "storageClassName", CLASS),
        ({}, {"storageClassName": "fast"}, "storageClassName", CLASS),
        (None, {"storageClassName": ""}, "storageClassName", CLASS),
        ({"storageClassName": "fast"}, None, "storageClassName", CLASS),
        ({"accessMode": "ReadWriteOnce"}, {"accessMode": "ReadWriteOncePod"}, "accessMode", MODE),
        ({"accessMode": "ReadWriteOnce"}, {"accessMode": None}, "accessMode", MODE),
        ({"accessMode": "ReadWriteOnce"}, None, "accessMode", MODE),
        (None, {"accessMode": "ReadWriteOnce"}, "accessMode", MODE),
        ({"existingClaim": "mine"}, {"existingClaim": "yours"}, "existingClaim", PVC),
        ({"existingClaim": "mine"}, {"existingClaim": None}, "existingClaim", PVC),
        ({}, {"existingClaim": "mine"}, "existingClaim", PVC),
        (None, {"existingClaim": "mine"}, "existingClaim", PVC),
        ({"size": "2Gi"}, {"size": "1Gi"}, "size", shrunk("2Gi")),
        ({"size": "2Gi"}, {"size": "2047Mi"}, "size", shrunk("2Gi")),
        ({"size": 2147483648}, {"size": "2G"}, "size", shrunk("2147483648")),
        ({"size": "2Gi"}, {"size": None}, "size", shrunk("2Gi")),
        ({"size": "2Gi"}, None, "size", shrunk("2Gi")),
        (None, {"size": "1023Mi"}, "size", shrunk("1Gi")),
    ],
)
def test_a_change_that_would_lose_the_login_is_refused(
    api: ApiClient, before: dict[str, Any] | None, after: dict[str, Any] | None, field: str, text: str
) -> None:
    """Another volume is another profile: fields are neither changed, nor added, nor dropped, nor dropped with their block."""
    with api.stored_session({} if before is None else {"profile": before}, name=a_name()) as path:
        answer = api.patch(path, {"spec": {"profile": after}})

    [refusal] = answer.refusals
    assert (f"spec.profile.{field}", True) == (refusal.field, refusal.message.endswith(text)), refusal


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"size": "1Gi"}, {"size": "2Gi"}),
        ({"size": "1Gi"}, {"size": 1073741825}),
        ({"size": "1Gi"}, {"size": "1024Mi"}),
        ({"size": "1Gi"}, {"size": None}),
        (None, {"size": "2Gi"}),
        (None, {"accessMode": "ReadWriteOncePod"}),
        ({"accessMode": "ReadWriteOncePod"}, None),
        (None, {"retention": "Delete"}),
        ({"retention": "Delete"}, {"retention": "Retain"}),
        ({"storageClassName": "fast"}, {"storageClassName": "fast", "size": "5Gi"}),
        ({"existingClaim": "mine"}, {"existingClaim": "mine", "retention": "Retain"}),
    ],
)
def test_a_change_that_keeps_the_volume_is_free(
    api: ApiClient, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> None:
    """Growing, retention, and writing a default out or leaving it out."""
    with api.stored_session({} if before is None else {"profile": before}, name=a_name()) as path:
        answer = api.patch(path, {"spec": {"profile": after}})

    assert answer.refusals == []
    assert answer.accepted, answer.body


def test_the_quota_stays_while_the_session_is_admitted(api: ApiClient) -> None:
    """The place is taken in one quota; changing the name would free it in nobody's books."""
    with api.stored_session({"quotaName": "first"}, name=a_name()) as path:
        admission = {"quotaName": "first", "reservedAt": "2026-01-31T12:00:00Z", "memory": "768Mi"}
        assert api.patch(f"{path}/status", {"status": {"admission": admission}}).accepted

        refused = api.patch(path, {"spec": {"quotaName": "second"}})
        dropped = api.patch(path, {"spec": {"quotaName": None}})
        other = api.patch(path, {"spec": {"priority": 7}})
        assert api.patch(f"{path}/status", {"status": {"admission": None}}).accepted
        freed = api.patch(path, {"spec": {"quotaName": "second"}})

    assert [Refusal("spec.quotaName", f"Invalid value: {QUOTA}")] == refused.refusals
    assert [Refusal("spec.quotaName", f"Invalid value: {QUOTA}")] == dropped.refusals
    assert other.accepted
    assert freed.accepted


def test_everything_else_may_change(api: ApiClient) -> None:
    """Edits are free; most reach the pod when it is made anew."""
    change = {
        "operatingMode": "Suspended",
        "quotaName": "other",
        "priority": 9,
        "resources": {"limits": {"memory": "1Gi"}},
        "link": {"method": "PairingCode", "maxRounds": 9, "onLogout": "Wait"},
        "recovery": {"maxAttempts": 1},
        "timeouts": {"startup": "2m"},
        "pod": {"image": "example.com/runner:2", "labels": {"team": "a"}},
    }
    with api.stored_session({}, name=a_name()) as path:
        answer = api.patch(path, {"spec": change})

    assert answer.accepted, answer.body
    assert answer.body["metadata"]["generation"] == 2


def test_a_status_write_cannot_touch_the_spec_and_a_spec_write_not_the_status(api: ApiClient) -> None:
    """Two owners, two doors."""
    with api.stored_session({}, name=a_name()) as path:
        api.patch(f"{path}/status", {"spec": {"priority": 5}, "status": {"state": "Queued"}})
        answer = api.patch(path, {"spec": {"priority": 6}, "status": {"state": "Connected"}})

    assert (6, "Queued") == (answer.body["spec"]["priority"], answer.body["status"]["state"])
    assert answer.body["metadata"]["generation"] == 2


@pytest.mark.parametrize("state", ["Teleporting", "X", "A" * 63, "Qr2"])
def test_a_state_that_nobody_knows_can_be_stored(api: ApiClient, state: str) -> None:
    """A newer runner's word is shown, not refused."""
    with api.stored_session({}, name=a_name()) as path:
        assert api.patch(f"{path}/status", {"status": {"state": state}}).accepted


@pytest.mark.parametrize("state", ["", "connected", "Not Linked", "A" * 64, "État"])
def test_a_state_is_camel_case(api: ApiClient, state: str) -> None:
    """The pattern keeps sentences and numbers out."""
    with api.stored_session({}, name=a_name()) as path:
        [refusal] = api.patch(f"{path}/status", {"status": {"state": state}}).refusals

    assert refusal.field == "status.state"
