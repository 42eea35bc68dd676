"""Every alert fires when it should and is silent when it should not, by promtool on the rule file as it is shipped."""

from pathlib import Path
from typing import Any

import pytest
from manifests.alerts.ages import AGES
from manifests.alerts.fleet import FLEET
from manifests.alerts.messages import MESSAGES
from manifests.alerts.mutants import needed
from manifests.alerts.promtool import check_rules, humanize_duration, promtool_files, verdicts, write_rules
from manifests.alerts.sessions import SESSIONS
from support.alert_rules import RULES, alerts, groups

EXPECTED = (*AGES, *SESSIONS, *MESSAGES, *FLEET)
RULE_LIST = [rule for group in groups() for rule in group["rules"]]
ALERTS = {alert.name: alert for alert in alerts()}


def test_every_alert_has_cases() -> None:
    """One row for each alert, with a check at which it fires and one at which something like it does not."""
    assert sorted(ALERTS) == sorted(row.alert for row in EXPECTED)
    assert all(any(case.checks.values()) for row in EXPECTED for case in row.cases[:1])


def test_the_rules_are_rules() -> None:
    """Promtool reads all of them."""
    assert check_rules(RULES) == ""


@pytest.mark.timeout(300)
def test_alerts_fire_and_are_silent(tmp_path: Path) -> None:
    """Each case of each alert, with all labels and annotations, by the rules that it reads and no others."""
    tests: dict[str, Any] = {}
    for row in EXPECTED:
        rules = write_rules(tmp_path / f"{row.alert}.yaml", needed(RULE_LIST, {row.alert}))
        tests |= promtool_files(row.alert, rules, [row], ALERTS)

    found = verdicts(tests, tmp_path)

    assert {} == {name: verdict.output for name, verdict in found.items() if not verdict.passed}


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.505, "505ms"), (30.5, "30.5s"), (301, "5m 1s"), (3600, "1h 0m 0s"), (90000, "1d 1h 0m 0s")],
)
def test_durations_are_shown_as_prometheus_does(seconds: float, expected: str) -> None:
    """What the cases expect of humanizeDuration."""
    assert expected == humanize_duration(seconds)
