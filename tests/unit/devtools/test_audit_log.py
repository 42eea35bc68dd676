"""The audit log read back: what a line tells, what is left out, and which requests count as writes or as refused."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from session_devtools.audit_log import AuditLog, Entry, parse, writes


def line(verb: str, resource: str, *, code: int = 200, stage: str = "ResponseComplete", **more: Any) -> str:
    """One event as the API server writes it."""
    event = {
        "stage": stage,
        "verb": verb,
        "user": {"username": "jo"},
        "userAgent": "kubectl/v1.35",
        "objectRef": {"resource": resource, "namespace": "shop", "name": "sales", "apiGroup": "apps"},
        "requestReceivedTimestamp": "2026-11-22T14:00:00.250000Z",
        "responseStatus": {"code": code},
    }
    return json.dumps(event | more) + "\n"


def test_a_line_is_a_request() -> None:
    """With who asked, by which program, for what, when, and the answer's code."""
    (entry,) = parse([line("get", "deployments")])

    expected = ("get", "deployments", "jo", "apps", "shop", "sales", 200, "kubectl/v1.35")
    assert expected == entry[: len(expected)]
    assert datetime(2026, 11, 22, 14, 0, 0, 250000, tzinfo=UTC) == entry.time
    assert "get deployments shop/sales 200" == str(entry)


def test_a_subresource_is_named() -> None:
    """An eviction is no creation of a pod."""
    (entry,) = parse([line("create", "x", objectRef={"resource": "pods", "subresource": "eviction"})])

    assert "pods/eviction" == entry.resource


def test_a_request_counts_once_and_when_it_is_answered() -> None:
    """A watch has an event at its begin, too; a line that is being written is left out."""
    lines = [line("watch", "pods", stage="ResponseStarted"), line("watch", "pods"), line("get", "pods")[:-20]]

    assert ["watch"] == [entry.verb for entry in parse(lines)]


def test_a_missing_right_is_distinguished_from_a_refusal_of_admission() -> None:
    """Both are 403; the authorizer's decision is in the event."""
    forbidden = line("get", "pods", code=403, annotations={"authorization.k8s.io/decision": "forbid"})
    refused = line("create", "pods", code=403, annotations={"authorization.k8s.io/decision": "allow"})

    assert [True, False, True] == [
        entry.is_forbidden for entry in parse([forbidden, refused, line("get", "pods", code=401)])
    ]


def test_writes_are_those_that_were_carried_out() -> None:
    """Without reads, refusals, and what is named as of no interest, its subresources included."""
    verbs = [("get", "pods", 200), ("create", "pods", 201), ("create", "pods", 409), ("update", "leases", 200)]
    entries = [Entry(verb=verb, resource=resource, user="jo", code=code) for verb, resource, code in verbs]

    assert ["create pods"] == writes(entries)
    assert ["create pods", "update leases"] == writes(entries, but=())


def test_reading_begins_at_a_place_in_the_log(tmp_path: Path) -> None:
    """And looks only at lines that hold a text."""
    path = tmp_path / "audit.log"
    log = AuditLog(path)
    begin = log.end()
    path.write_text(line("create", "pods"))
    middle = log.end()
    with path.open("a") as file:
        file.write(line("delete", "pods") + line("get", "secrets"))

    assert ["create", "delete", "get"] == [entry.verb for entry in log.entries(since=begin)]
    assert ["delete"] == [entry.verb for entry in log.entries(since=middle, about='"pods"')]
