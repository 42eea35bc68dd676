"""Which changes of sessions call for a round of admission."""

from typing import Any

import pytest
from whatsapp_operator.runtime.kube.resources import PODS, SESSIONS
from whatsapp_operator.runtime.kube.store import Change
from whatsapp_operator.runtime.reconcile.triggers import affects_admission, newcomer

SMALL, LARGE = {"quotaName": "default", "memory": "512Mi"}, {"quotaName": "default", "memory": "1Gi"}


def session(*, admission: dict[str, str] | None = None, mode: str = "Running", **metadata: Any) -> dict[str, Any]:
    """Return a session."""
    status = {} if admission is None else {"admission": admission}
    named = {"name": "a", "namespace": "shop", "uid": "u", "generation": 1}
    return {"metadata": named | metadata, "spec": {"operatingMode": mode}, "status": status}


@pytest.mark.parametrize(
    ("before", "after", "rounds"),
    [(None, SMALL, 0), (SMALL, SMALL, 0), (SMALL, None, 1), (LARGE, SMALL, 1)],
)
def test_a_reservation_that_is_stored_frees_nothing(
    before: dict[str, str] | None, after: dict[str, str] | None, rounds: int
) -> None:
    """It was counted when it was given; one that goes or changes may have made room."""
    change = Change(session(admission=before), session(admission=after))

    assert rounds == affects_admission(SESSIONS, change)


def test_a_new_session_that_wants_to_run_asks_by_coming() -> None:
    """Before its worker has looked at it."""
    new = session()

    assert new is newcomer(SESSIONS, Change(None, new))


@pytest.mark.parametrize(
    ("resource", "change"),
    [
        (PODS, Change(None, session())),
        (SESSIONS, Change(session(), session())),
        (SESSIONS, Change(session(), None)),
        (SESSIONS, Change(None, session(mode="Suspended"))),
        (SESSIONS, Change(None, session(admission=SMALL))),
        (SESSIONS, Change(None, session(deletionTimestamp="2026-01-01T00:00:00Z"))),
    ],
)
def test_nothing_else_does(resource: Any, change: Change) -> None:
    """One that is known, does not want to run, has its place or is on its way out."""
    assert newcomer(resource, change) is None
