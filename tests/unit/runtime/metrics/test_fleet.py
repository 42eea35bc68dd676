"""The series of sessions and quotas: who has them, for how long, and how many there are at most."""

import re
from itertools import product

import pytest
from prometheus_client import CollectorRegistry
from unit.runtime.metrics.sessions import THEN, THEN_SECONDS, condition, connected, fleet, quota, series, session
from whatsapp_operator.app.metrics_page import series as counted_series
from whatsapp_operator.app.metrics_page import worst_case
from whatsapp_operator.runtime.metrics.fleet import FLEET_FAMILIES, FleetSeries
from whatsapp_operator.runtime.metrics.labels import STATE_VOCABULARY, hashed
from whatsapp_operator.runtime.metrics.session_families import QUOTA_FAMILIES, SESSION_FAMILIES

STALLED = connected(
    state="Stalled",
    conditions=[condition("Ready", "False"), condition("Linked", "True"), condition("Stalled", "True", "Conflict")],
    recovery={"restarts": 6, "consecutiveFailures": 5, "lastFailure": {"reason": "OOMKilled", "time": THEN}},
)


def own(shown: dict[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    """The series of single sessions."""
    return {labels: value for labels, value in shown.items() if labels[0].startswith("whatsapp_session_")}


def test_a_healthy_session_has_twelve_series() -> None:
    """As the reference says."""
    shown = own(series(fleet(session(status=connected()), quotas=(quota(),))))

    assert {
        ("whatsapp_session_info", "shop", "sales", "default", "Running"): 1,
        ("whatsapp_session_state", "shop", "sales", "Connected"): 1,
        ("whatsapp_session_state_since_timestamp_seconds", "shop", "sales"): THEN_SECONDS,
        ("whatsapp_session_ready", "shop", "sales"): 1,
        ("whatsapp_session_ready_since_timestamp_seconds", "shop", "sales"): THEN_SECONDS,
        ("whatsapp_session_linked", "shop", "sales"): 1,
        ("whatsapp_session_stalled", "shop", "sales"): 0,
        ("whatsapp_session_pod_restarts_total", "shop", "sales"): 0,
        ("whatsapp_session_consecutive_failures", "shop", "sales"): 0,
        ("whatsapp_session_generation", "shop", "sales"): 3,
        ("whatsapp_session_observed_generation", "shop", "sales"): 3,
        ("whatsapp_session_created_timestamp_seconds", "shop", "sales"): THEN_SECONDS,
    } == shown


def test_a_session_that_waits_for_a_person_says_so_without_a_pod() -> None:
    """Its reason, since when, and how it failed last."""
    shown = series(fleet(session(status=STALLED)))

    assert 1 == shown["whatsapp_session_stalled_reason", "shop", "sales", "Conflict"]
    assert 1 == shown["whatsapp_session_last_failure_info", "shop", "sales", "OOMKilled"]
    assert THEN_SECONDS == shown["whatsapp_session_stalled_since_timestamp_seconds", "shop", "sales"]
    assert 6 == shown["whatsapp_session_pod_restarts_total", "shop", "sales"]


def test_a_process_that_does_not_act_shows_nobody() -> None:
    """Neither before it acts nor after: another one tells of the same sessions."""
    collector = FleetSeries(limit=10)
    collector.show(fleet(session(status=connected())))
    collector.show(None)

    assert [] == [sample for metric in collector.collect() for sample in metric.samples]


def test_a_deleted_sessions_series_are_gone() -> None:
    """With the next scrape, and so is the old state's when it changes."""
    collector = FleetSeries(limit=10)
    collector.show(fleet(session("a", status=connected()), session("b", status=connected())))
    list(collector.collect())
    collector.show(fleet(session("b", status=connected(state="Offline"))))
    found = [sample.labels for metric in collector.collect() for sample in metric.samples]

    assert {"b"} == {labels["session"] for labels in found if "session" in labels}
    assert {"Offline"} == {labels["state"] for labels in found if "state" in labels}


def test_a_new_process_shows_the_same() -> None:
    """All of it is in what the API server has."""
    known = fleet(session("a", status=STALLED), session("b", status=connected()), quotas=(quota(),))

    assert series(known) == series(known)


def test_numbers_are_hashes_in_every_label() -> None:
    """Of sessions and quotas, in each series that names them."""
    number = "491511234567"
    status = connected(state="Queued")
    shown = series(fleet(session(number, "shop", status=status, quotaName=number), quotas=(quota(number),)))
    labels = {label for name in shown for label in name}

    assert not [label for label in labels if re.search(r"\d{3}", label)]
    assert hashed(f"uid-{number}") in labels


@pytest.mark.parametrize("name", ["tenant-3f2504e04f89", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "shop"])
def test_a_namespace_stands_as_it_is_called(name: str) -> None:
    """Alerts are routed by it, and a runner's series, which relabelling names, have the same."""
    shown = series(fleet(session("sales", name, status=connected())))

    assert 1 == shown["whatsapp_session_ready", name, "sales"]
    assert 1 == shown["whatsapp_operator_sessions", name, "Connected"]


def test_no_label_is_one_that_a_scrape_sets() -> None:
    """Prometheus would rename ours."""
    labels = {label for family in FLEET_FAMILIES for label in family.labels}

    assert labels.isdisjoint({"namespace", "pod", "instance", "job", "container", "service", "endpoint"})


def test_a_quota_that_there_is_not_is_not_named() -> None:
    """Whoever writes sessions could make a series with each word that he puts there."""
    shown = series(fleet(session(quotaName="made-up", status=connected()), quotas=(quota("other"),)))

    assert ("whatsapp_session_info", "shop", "sales", "", "Running") in shown


def test_made_up_values_make_no_series() -> None:
    """A state, a reason and a class that no vocabulary has are one word each."""
    statuses = [
        connected(
            state=f"Word{number}",
            conditions=[condition("Stalled", "True", f"Word{number}")],
            recovery={"lastFailure": {"reason": f"Word{number}"}},
        )
        for number in range(5)
    ]
    labels = {name[3:] for status in statuses for name in own(series(fleet(session(status=status)))) if len(name) == 4}

    assert {("Other",), ("Unknown",)} == labels


def test_all_sessions_are_counted_by_state() -> None:
    """Whatever the limit of those with series of their own."""
    sessions = [session(name, space, status=connected()) for name, space in product("abc", ("shop", "lab"))]
    shown = series(fleet(*sessions, session("new")), limit=0)

    assert {
        ("whatsapp_operator_sessions", "shop", "Connected"): 3,
        ("whatsapp_operator_sessions", "lab", "Connected"): 3,
        ("whatsapp_operator_sessions", "shop", "Unknown"): 1,
        ("whatsapp_operator_sessions_without_metrics",): 7,
    } == shown


def test_a_namespace_with_many_sessions_takes_no_others_series() -> None:
    """Each keeps an equal share, its oldest sessions; the flood loses its youngest."""
    flood = [session(f"a{number}", "flood", created=f"2026-01-01T00:00:0{number}Z") for number in range(6)]
    shown = series(
        fleet(*flood, session("new", created="2026-12-01T00:00:00Z"), session("newer", created="2026-12-02T00:00:00Z")),
        limit=5,
    )
    named = {name[1:3] for name in shown if name[0] == "whatsapp_session_info"}

    assert {("flood", "a0"), ("flood", "a1"), ("flood", "a2"), ("shop", "new"), ("shop", "newer")} == named
    assert 3 == shown[("whatsapp_operator_sessions_without_metrics",)]


def test_a_quota_has_what_is_taken_and_what_may_be() -> None:
    """Nobody of its admitted sessions is without a pod where status does not say so."""
    spec = {"sessions": 10, "memory": "8Gi", "storage": "20Gi"}
    status = {"admitted": 4, "waiting": 2, "memoryReserved": "3Gi", "storageReserved": "8Gi"}
    waiting = [
        session(name, status={"state": "Queued", "stateTransitionTime": since})
        for name, since in (("a", "2026-11-22T19:00:00Z"), ("b", THEN))
    ]
    shown = series(fleet(*waiting, quotas=(quota(spec=spec, status=status),)))

    assert {
        "sessions": 4,
        "sessions_limit": 10,
        "memory_bytes": 3 << 30,
        "memory_limit_bytes": 8 << 30,
        "storage_bytes": 8 << 30,
        "storage_limit_bytes": 20 << 30,
        "pending_sessions": 2,
        "not_running_sessions": 0,
        "oldest_pending_timestamp_seconds": THEN_SECONDS,
    } == {name[0].removeprefix("whatsapp_quota_"): value for name, value in shown.items() if name[1:] == ("default",)}


def test_what_a_quota_does_not_say_is_absent() -> None:
    """No limit is not a limit of 0; before the first round nothing is known."""
    assert {} == {name: value for name, value in series(fleet(quotas=(quota(),))).items() if "default" in name}


@pytest.mark.parametrize(
    ("sessions", "namespaces", "limit"),
    [
        (10, 10, 1000),
        (1000, 10, 1000),
        (10_000, 10, 1000),
        (10_000, 10, 10_000),
        (1000, 1000, 1000),
        (10_000, 10_000, 1000),
        (10_000, 10_000, 0),
    ],
)
def test_how_many_series_there_are(sessions: int, namespaces: int, limit: int) -> None:
    """As the reference says: of sessions to a limit, and sums by what namespaces, quotas and states there are."""
    fixed = counted_series(0, namespaces=0)
    sums = min(sessions, namespaces * (len(STATE_VOCABULARY) + 1))

    assert fixed < 400
    assert counted_series(sessions, namespaces=namespaces, limit=limit) == (
        fixed + min(sessions, limit) * len(SESSION_FAMILIES) + sums + namespaces * (1 + len(QUOTA_FAMILIES))
    )


def test_the_worst_case_is_the_worst() -> None:
    """Each session has a series of each row, so there is none that could have more."""
    registry = CollectorRegistry()
    collector = FleetSeries(limit=10)
    registry.register(collector)
    collector.show(worst_case(10))
    found = [sample.name for metric in registry.collect() for sample in metric.samples]

    assert {family.name: 10 for family in SESSION_FAMILIES} == {
        family.name: found.count(family.name) for family in SESSION_FAMILIES
    }
