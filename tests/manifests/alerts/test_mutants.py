"""The tests of the alerts notice each mistake in the rules: a changed threshold, duration, label, value or grouping."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from manifests.alerts.mutants import Mutant, mutants, needed
from manifests.alerts.promtool import check_rules, test_file, verdicts
from manifests.alerts.test_alerts import ALERTS, EXPECTED
from support.alert_rules import groups

RULES = [rule for group in groups() for rule in group["rules"]]
PROCESSES = 2


def tests_of(mutant: Mutant) -> set[str]:
    """Return the alerts that see the rule."""
    name = RULES[mutant.place].get("alert")
    return {name} if name else {alert for alert in ALERTS if RULES[mutant.place] in needed(RULES, {alert})}


def write(mutant: Mutant, file: Path, targets: set[str]) -> Path:
    """Write the rules that the alerts need, with the mistake in one of them."""
    kept = [mutant.rule if rule is RULES[mutant.place] else rule for rule in needed(RULES, targets)]
    file.write_text(yaml.dump({"groups": [{"name": "mutant", "rules": kept}]}, Dumper=yaml.CSafeDumper))
    return file


def parts(everything: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield as many parts as there are processes."""
    names = list(everything)
    for number in range(PROCESSES):
        yield {name: everything[name] for name in names[number::PROCESSES]}


@pytest.mark.timeout(300)
def test_each_mistake_is_noticed(tmp_path: Path) -> None:
    """Of all the mutants none passes the tests of the alerts that it concerns."""
    found = {f"{number:04}": mutant for number, mutant in enumerate(mutants(RULES))}
    targets = {number: tests_of(mutant) for number, mutant in found.items()}
    files = {number: write(found[number], tmp_path / f"{number}.yaml", targets[number]) for number in found}
    tests = {
        number: test_file(files[number], [row for row in EXPECTED if row.alert in targets[number]], ALERTS)
        for number in found
    }
    assert check_rules(*files.values()) == ""  # each is a rule that Prometheus takes: it is the tests that refuse it

    with ThreadPoolExecutor(PROCESSES) as pool:
        passed = [
            found[number].what
            for part in pool.map(lambda part: verdicts(part, tmp_path), parts(tests))
            for number, verdict in part.items()
            if verdict.passed
        ]

    assert len(found) > 500
    assert passed == []
