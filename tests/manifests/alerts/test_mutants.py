"""The tests of the alerts notice each mistake in the rules: a changed threshold, duration, label, value or grouping."""

import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from manifests.alerts.cases import Case
from manifests.alerts.mutants import Mutant, beside_each_other, mutants, needed
from manifests.alerts.promtool import check_rules, promtool_files, verdicts, write_rules
from manifests.alerts.test_alerts import ALERTS, EXPECTED
from manifests.alerts.test_alerts import RULE_LIST as RULES

PROCESSES = 2
FAULT: Final = re.compile(r"^\s+(?:alertname|rule): ?\w+:(m\d+),", re.MULTILINE)
""" How promtool names an alert that is not as expected, and a rule that it cannot evaluate, which ends the case. """


def concerned(mutant: Mutant) -> set[str]:
    """Return the alert that the rule is or, of a record, two that read it: those that read the least besides."""
    if name := RULES[mutant.place].get("alert"):
        return {name}
    readers = {alert: needed(RULES, {alert}) for alert in ALERTS}
    seeing = [alert for alert, rules in readers.items() if RULES[mutant.place] in rules]
    return set(sorted(seeing, key=lambda alert: len(readers[alert]))[:2])


def cost(case: Case) -> int:
    """Return how much there is to evaluate."""
    return max(case.checks) // case.step * len(case.given)


def noticed(left: dict[str, Mutant], turn: int, folder: Path) -> set[str]:
    """Return which of the mutants fail this case, where all that concern an alert are beside each other in one file."""
    by_alert: dict[str, dict[str, Mutant]] = defaultdict(dict)
    for name, mutant in left.items():
        for alert in concerned(mutant):
            by_alert[alert][name] = mutant
    files, parts = [], [dict[str, Any]() for _ in range(PROCESSES)]
    rows = [
        replace(row, cases=tuple(sorted(row.cases, key=cost)[turn : turn + 1]))
        for row in EXPECTED
        if row.alert in by_alert
    ]
    for number, row in enumerate(rows):
        found = by_alert[row.alert]
        files.append(write_rules(folder / f"{row.alert}.yaml", beside_each_other(RULES, row.alert, found)))
        tests = promtool_files(row.alert, files[-1], [row], ALERTS)
        for group in (group for content in tests.values() for group in content["tests"]):
            group["alert_rule_test"] = [
                {**check, "alertname": f"{row.alert}:{name}"} for name in found for check in group["alert_rule_test"]
            ]
        parts[number % PROCESSES] |= tests
    assert check_rules(*files) == ""  # each is a rule that Prometheus takes: it is the tests that refuse it
    with ThreadPoolExecutor(PROCESSES) as pool:
        results = [
            verdict for part in pool.map(lambda part: verdicts(part, folder), parts) for verdict in part.values()
        ]
    return {name for verdict in results for name in FAULT.findall(verdict.output)}


@pytest.mark.timeout(300)
def test_each_mistake_is_noticed(tmp_path: Path) -> None:
    """Of all the mutants none passes the tests of the alerts that it concerns.

    They meet the cheapest case first, and one that a case has noticed meets no further one.
    """
    left = {f"m{number}": mutant for number, mutant in enumerate(mutants(RULES))}
    assert len(left) > 500

    for turn in range(max(len(row.cases) for row in EXPECTED)):
        found = noticed(left, turn, tmp_path)
        left = {name: mutant for name, mutant in left.items() if name not in found}

    assert [] == [mutant.what for mutant in left.values()]
