"""All that operator and runners have logged in the whole run: each line is one that people were promised."""

import json
from collections import Counter
from typing import Any

import pytest
from e2e.harness import ClusterHarness
from support import log_schema


def test_every_line_of_the_run_is_in_the_schema(every_cluster: ClusterHarness) -> None:
    """Of every pod that there was, whatever happened to it; libraries' lines and tracebacks among them."""
    lines = list(every_cluster.logs.lines())

    assert [] == log_schema.faults(line.text for line in lines)
    assert {"operator", "runner"} == {line.container for line in lines}
    entries = [json.loads(line.text) for line in lines if line.container == "runner"]
    assert [] == [entry for entry in entries if not _names_its_session(entry)]


@pytest.mark.usefixtures("shared_trio")
def test_a_log_shows_that_sessions_have_started_and_are_healthy(e2e: ClusterHarness) -> None:
    """With the session in fields of the same name, whoever writes the line."""
    entries = [(line.container, json.loads(line.text)) for line in e2e.logs.lines()]
    counted = Counter((container, entry["message"]) for container, entry in entries)
    named = {container for container, entry in entries if entry.get("session") and entry.get("namespace")}

    assert counted["operator", "All sessions are healthy"] > 0
    assert counted["operator", "The session has started"] > 0
    assert counted["operator", "The state changed"] > 0
    assert counted["runner", "The state changed"] > 0
    assert {"operator", "runner"} == named


def _names_its_session(entry: dict[str, Any]) -> bool:
    """The operator's image stands in a runner's place where one is to end at once, and knows no session."""
    return "session" in entry or entry["logger"] == "whatsapp_operator"
