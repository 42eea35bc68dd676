"""Rules in a hurry differ from the shipped ones in their durations alone."""

from session_devtools.monitoring.acceleration import accelerated

RULE = {
    "alert": "WaitsLong",
    "expr": "time() - since > 600",
    "for": "10m",
    "keep_firing_for": "5m",
    "labels": {"severity": "warning"},
    "annotations": {"summary": "It waits for 10m."},
}


def test_durations_are_divided_and_the_rest_stays() -> None:
    """Labels and annotations are what people get; a group may have an interval."""
    found = accelerated({"groups": [{"name": "sessions", "interval": "1m", "rules": [RULE, {"expr": "up == 0"}]}]}, 20)

    expected = RULE | {"expr": "time() - since > 600 / 20", "for": "30s", "keep_firing_for": "15s"}
    assert {"groups": [{"name": "sessions", "interval": "3s", "rules": [expected, {"expr": "up == 0"}]}]} == found
