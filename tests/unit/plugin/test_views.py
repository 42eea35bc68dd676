"""Sessions and quotas are read from any JSON, and the words the plugin shares with the operator are the operator's."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubectl_whatsapp import views
from kubectl_whatsapp.views import QuotaView, SessionView, read_time
from unit.plugin.plugin_harness import session_json
from whatsapp_operator.api import constants

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["metadata", "spec", "status", "conditions", "admission", "recovery", "replicas", "quotaName", "state", "memory"]
)


def test_the_views_use_the_operators_terms() -> None:
    """The plugin is installed alone, so it repeats a few words; they must never differ."""
    expected = (
        f"{constants.SESSION_PLURAL}.{constants.GROUP}",
        f"{constants.QUOTA_PLURAL}.{constants.GROUP}",
        constants.RESTART_AT,
        constants.RELINK_AT,
        constants.RUNNER_PORT,
    )
    assert expected == (views.SESSIONS, views.QUOTAS, views.RESTART_AT, views.RELINK_AT, views.RUNNER_PORT)


def test_a_whole_session() -> None:
    """Every field comes from its place."""
    expected = SessionView(
        namespace="shop",
        name="sales",
        state="QRPending",
        ready="False",
        reason="QRPending",
        message="",
        last_transition_time=datetime(2026, 11, 22, 13, 42, tzinfo=UTC),
        linked=False,
        quota_name="demo",
        restarts=2,
        pod_name="sales",
        node_name="node-1",
        image="registry.example/runner:1",
        browser_version="156.0.7204.49",
        token_secret_name="was-sales-observing-0123abcd",
        token_secrets={
            "linking": "was-sales-linking-0123abcd",
            "messaging": "was-sales-messaging-0123abcd",
            "reading": "was-sales-reading-0123abcd",
            "administering": "was-sales-administering-0123abcd",
        },
        phone_number_id="265070092772032",
        pending_requests=(),
    )
    assert expected == SessionView.read(session_json())


@pytest.mark.parametrize(
    ("asked", "handled", "pending"),
    [
        ({"restart-at": "a"}, {}, ("restart-at",)),
        ({"restart-at": "a", "relink-at": "b"}, {"restartAt": "a", "relinkAt": "a"}, ("relink-at",)),
        ({"relink-at": "a"}, {"relinkAt": "a"}, ()),
        ({"relink-at": ""}, {"relinkAt": "a"}, ()),
        ({"relink-at": "a" * 300}, {"relinkAt": "a"}, ()),
        ({"relink-at": "a\x1b"}, {"relinkAt": "a?"}, ()),
    ],
)
def test_what_was_asked_for_and_not_done(
    asked: dict[str, str], handled: dict[str, str], pending: tuple[str, ...]
) -> None:
    """By comparison with what status has; a value that it spells otherwise cannot be compared."""
    stored = session_json(handledRequests=handled)
    stored["metadata"]["annotations"] = {f"wasession.dev/{request}": value for request, value in asked.items()}

    assert pending == SessionView.read(stored).pending_requests


@pytest.mark.parametrize("named", [None, {}, {"linking": None}, {"linking": ""}, [], "x"])
def test_one_secret_for_all_is_the_one_for_linking(named: object) -> None:
    """A pod of an older operator: there is one Secret, and it holds every token."""
    assert "was-sales-observing-0123abcd" == SessionView.read(session_json(tokenSecrets=named)).linking_secret_name


def test_the_pod_counts_while_it_exists() -> None:
    """Status keeps the last pod's name; replicas tell whether it is there."""
    assert "" == SessionView.read(session_json(replicas=0)).pod_name


def test_the_quota_that_is_named_when_none_is_reserved() -> None:
    """A waiting session counts against what its spec names, or against the default."""
    waiting = session_json(admission=None)
    unnamed: dict[str, Any] = {"metadata": {"name": "sales"}, "spec": {}}

    assert ("demo", "default") == (SessionView.read(waiting).quota_name, SessionView.read(unnamed).quota_name)


@given(st.recursive(ANYTHING, lambda inner: st.dictionaries(FIELDS, inner, max_size=5), max_leaves=12))
def test_no_object_is_too_odd(stored: object) -> None:
    """An operator of another version may write anything: reading never fails."""
    given_object = stored if isinstance(stored, dict) else {"status": stored}

    assert isinstance(SessionView.read(given_object), SessionView)
    assert isinstance(QuotaView.read(given_object), QuotaView)


@pytest.mark.parametrize("value", [None, 7, "", "yesterday", "2026-11-22T14:00:00"])
def test_what_is_no_time(value: object) -> None:
    """A time without a zone is none: nobody knows which one was meant."""
    assert None is read_time(value)
