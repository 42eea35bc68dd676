"""Counting one account's requests in the audit log."""

import json
from pathlib import Path
from typing import Any

from session_bench.audit import count, count_since

OPERATOR = "system:serviceaccount:whatsapp-operator:whatsapp-operator"


def line(
    verb: str, resource: str, *, subresource: str = "", user: str = OPERATOR, stage: str = "ResponseComplete"
) -> str:
    """One event as the API server writes it."""
    target: dict[str, Any] = {"resource": resource, "namespace": "bench"}
    if subresource:
        target["subresource"] = subresource
    return json.dumps({"stage": stage, "verb": verb, "user": {"username": user}, "objectRef": target}) + "\n"


def test_requests_are_counted_by_verb_and_resource() -> None:
    """A subresource is a resource of its own."""
    found = count(
        [line("patch", "whatsappsessions", subresource="status"), line("create", "pods"), line("create", "pods")],
        user=OPERATOR,
    )

    assert {"patch whatsappsessions/status": 1, "create pods": 2} == found.requests
    assert 2 == found.of("create pods")
    assert 0 == found.of("delete pods")


def test_renewals_and_events_stand_apart() -> None:
    """The Lease is renewed by the clock, and events tell; neither is work on a session."""
    found = count(
        [line("update", "leases"), line("create", "events"), line("patch", "events"), line("list", "pods")],
        user=OPERATOR,
    )

    assert (1, 0, 2) == (found.total(), found.writes(), found.events())


def test_reads_are_no_writes() -> None:
    """get, list and watch change nothing."""
    found = count([line(verb, "pods") for verb in ("get", "list", "watch", "create", "delete")], user=OPERATOR)

    assert (5, 2) == (found.total(), found.writes())


def test_others_are_not_counted() -> None:
    """Neither the administrator nor one who names the operator in an impersonation."""
    impersonating = json.loads(line("create", "pods", user="admin")) | {"impersonatedUser": {"username": OPERATOR}}
    lines = [line("create", "pods", user="admin"), json.dumps(impersonating) + "\n"]

    assert 0 == count(lines, user=OPERATOR).total()


def test_a_request_counts_once() -> None:
    """A watch has an event at its begin, too."""
    assert 0 == count([line("watch", "pods", stage="ResponseStarted")], user=OPERATOR).total()


def test_a_line_that_is_being_written_is_left_out() -> None:
    """The API server writes on while we read."""
    assert 1 == count([line("create", "pods"), line("create", "pods")[:-20]], user=OPERATOR).total()


def test_requests_without_an_object_are_named_by_their_address() -> None:
    """Discovery has no resource."""
    event = json.loads(line("get", "x"))
    del event["objectRef"]

    assert {"get /apis": 1} == count([json.dumps(event | {"requestURI": "/apis"}) + "\n"], user=OPERATOR).requests


def test_counting_begins_at_a_place_in_the_log(tmp_path: Path) -> None:
    """What happened before the measurement is not counted."""
    log = tmp_path / "audit.log"
    log.write_text(line("create", "pods"))
    start = log.stat().st_size
    with log.open("a") as file:
        file.write(line("delete", "pods"))

    assert {"delete pods": 1} == count_since(log, start, user=OPERATOR).requests
