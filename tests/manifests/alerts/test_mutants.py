"""The tests of the alerts notice each mistake in the rules: a changed threshold, duration, label, value or grouping."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from manifests.alerts.mutants import Mutant, Rule, mutants, needed
from manifests.alerts.promtool import check_rules, promtool_files, verdicts, write_rules
from manifests.alerts.test_alerts import ALERTS, EXPECTED
from manifests.alerts.test_alerts import RULE_LIST as RULES

PROCESSES = 2


def concerned(mutant: Mutant) -> set[str]:
    """Return the alert that the rule is or, of a record, two that read it: those that read the least besides."""
    if name := RULES[mutant.place].get("alert"):
        return {name}
    readers = {alert: needed(RULES, {alert}) for alert in ALERTS}
    seeing = [alert for alert, rules in readers.items() if RULES[mutant.place] in rules]
    return set(sorted(seeing, key=lambda alert: len(readers[alert]))[:2])


def with_mistake(mutant: Mutant, targets: set[str]) -> list[Rule]:
    """Return the rules that the alerts need, with the mistake in one of them."""
    return [mutant.rule if rule is RULES[mutant.place] else rule for rule in needed(RULES, targets)]


def noticed(tests: dict[str, Any], folder: Path) -> set[str]:
    """Return the mutants that fail one of these tests, which are named by them."""
    names = list(tests)
    parts = [{name: tests[name] for name in names[number::PROCESSES]} for number in range(min(PROCESSES, len(names)))]
    with ThreadPoolExecutor(PROCESSES) as pool:
        found = [verdict for part in pool.map(lambda part: verdicts(part, folder), parts) for verdict in part.items()]
    return {name.partition("-")[0] for name, verdict in found if not verdict.passed}


@pytest.mark.timeout(300)
def test_each_mistake_is_noticed(tmp_path: Path) -> None:
    """Of all the mutants none passes the tests of the alerts that it concerns.

    They meet the cases one after the other, and one that a case has noticed meets no further one.
    """
    found = {f"{number:04}": mutant for number, mutant in enumerate(mutants(RULES))}
    targets = {number: concerned(mutant) for number, mutant in found.items()}
    files = {
        number: write_rules(tmp_path / f"{number}.yaml", with_mistake(mutant, targets[number]))
        for number, mutant in found.items()
    }
    assert check_rules(*files.values()) == ""  # each is a rule that Prometheus takes: it is the tests that refuse it

    left = dict(found)
    for turn in range(max(len(row.cases) for row in EXPECTED)):
        tests: dict[str, Any] = {}
        for number in left:
            rows = [replace(row, cases=row.cases[turn : turn + 1]) for row in EXPECTED if row.alert in targets[number]]
            tests |= promtool_files(number, files[number], rows, ALERTS)
        for number in noticed(tests, tmp_path):
            del left[number]

    assert len(found) > 500
    assert [] == [mutant.what for mutant in left.values()]
