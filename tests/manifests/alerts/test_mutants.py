"""The tests of the alerts notice each mistake in the rules: a changed threshold, duration, label, value or grouping."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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


def parts(everything: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield as many parts as there are processes."""
    names = list(everything)
    for number in range(PROCESSES):
        yield {name: everything[name] for name in names[number::PROCESSES]}


@pytest.mark.timeout(300)
def test_each_mistake_is_noticed(tmp_path: Path) -> None:
    """Of all the mutants none passes the tests of the alerts that it concerns."""
    found = {f"{number:04}": mutant for number, mutant in enumerate(mutants(RULES))}
    targets = {number: concerned(mutant) for number, mutant in found.items()}
    files: list[Path] = []
    tests: dict[str, Any] = {}
    for number, mutant in found.items():
        files.append(write_rules(tmp_path / f"{number}.yaml", with_mistake(mutant, targets[number])))
        rows = [row for row in EXPECTED if row.alert in targets[number]]
        tests |= promtool_files(number, files[-1], rows, ALERTS)
    assert check_rules(*files) == ""  # each is a rule that Prometheus takes: it is the tests that refuse it

    with ThreadPoolExecutor(PROCESSES) as pool:
        results = [
            verdict
            for part in pool.map(lambda part: verdicts(part, tmp_path), parts(tests))
            for verdict in part.items()
        ]
    noticed = {name.partition("-")[0] for name, verdict in results if not verdict.passed}

    assert len(found) > 500
    assert [] == [mutant.what for number, mutant in found.items() if number not in noticed]
