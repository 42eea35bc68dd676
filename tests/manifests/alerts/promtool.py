"""Cases as promtool's unit tests, and promtool itself: Debian's, as people have it.

What an alert says is not written a second time in the tables: the expected annotations are the rules' own templates,
filled in here from the expected labels and value. A label that a template misspells is a label that no case has.
"""

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from manifests.alerts.cases import Case, Expected, Firing
from session_devtools.packages import ensure
from support.alert_rules import Alert

__all__ = ["Verdict", "check_rules", "humanize_duration", "promtool_files", "verdicts", "write_rules"]

_TEMPLATE: Final = re.compile(r"\{\{\s*(?P<what>[^}|]+?)\s*(?:\|\s*(?P<format>\w+)\s*)?\}\}")


@dataclass(frozen=True)
class Verdict:
    """What promtool says of one test file."""

    passed: bool
    output: str


def promtool_files(
    name: str, rules: Path, expected: Sequence[Expected], alerts: Mapping[str, Alert]
) -> dict[str, dict[str, Any]]:
    """Return promtool's test files, by name: each case is a group of its own, with nothing but its series.

    One for each step, because promtool evaluates the rules of a file at one interval.
    """
    cases = [(row, case) for row in expected for case in row.cases]
    return {
        f"{name}-{step}m": {
            "rule_files": [str(rules)],
            "evaluation_interval": f"{step}m",
            "tests": [_group(row, alerts[row.alert], case) for row, case in cases if case.step == step],
        }
        for step in {case.step for _, case in cases}
    }


def _group(row: Expected, alert: Alert, case: Case) -> dict[str, Any]:
    length = max(case.checks) // case.step + 2
    return {
        "interval": f"{case.step}m",
        "input_series": [
            {"series": series, "values": values if isinstance(values, str) else f"{values!r}+0x{length}"}
            for series, values in case.given.items()
        ],
        "alert_rule_test": [
            {
                "eval_time": f"{minute}m",
                "alertname": row.alert,
                "exp_alerts": [_expected_alert(row, alert, firing) for firing in firings],
            }
            for minute, firings in case.checks.items()
        ],
    }


def _expected_alert(row: Expected, alert: Alert, firing: Firing) -> dict[str, Any]:
    labels = {**firing.labels, "severity": row.severity, "audience": row.audience}
    # Labels of the rule are templates over those of its series, and only `namespace` may be another one there.
    return {
        "exp_labels": labels,
        "exp_annotations": {name: filled(text, labels, firing.value) for name, text in alert.annotations.items()},
    }


def filled(text: str, labels: Mapping[str, str], value: float | None) -> str:
    """Return a template with labels and value in their places, as Prometheus fills it in."""

    def fill(match: re.Match[str]) -> str:
        if match["what"].startswith("$labels."):
            return labels[match["what"].removeprefix("$labels.")]
        assert value is not None, f"the case says no value for {text}"
        return _FORMATS[match["format"]](value)

    return _TEMPLATE.sub(fill, text)


def humanize_duration(seconds: float) -> str:
    """Return seconds as Prometheus' humanizeDuration has them."""
    if seconds < 1:
        return f"{seconds * 1000:.4g}ms"
    if seconds < 60:
        return f"{seconds:.4g}s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (rest, "s"))
    first = next(place for place, (amount, _) in enumerate(parts) if amount)
    return " ".join(f"{amount}{unit}" for amount, unit in parts[first:])


_FORMATS: Final[dict[str | None, Callable[[float], str]]] = {
    None: lambda value: f"{value:g}",
    "humanizeDuration": humanize_duration,
    "humanizePercentage": lambda value: f"{value * 100:.4g}%",
}


def write_rules(file: Path, rules: Sequence[dict[str, Any]]) -> Path:
    """Write rules as one group, in whose order they are evaluated, and return the file."""
    file.write_text(yaml.dump({"groups": [{"name": "rules", "rules": list(rules)}]}, Dumper=yaml.CSafeDumper))
    return file


def check_rules(*files: Path) -> str:
    """Return what promtool finds wrong with rule files; nothing if they are right."""
    done = _promtool("check", "rules", *files)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def verdicts(tests: Mapping[str, dict[str, Any]], folder: Path) -> dict[str, Verdict]:
    """Run test files in one process, and return what became of each, by its name."""
    files = {}
    for name, content in tests.items():
        files[name] = folder / f"{name}.test.yaml"
        files[name].write_text(yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False, width=1000))
    done = _promtool("test", "rules", *files.values())
    parts = re.split(r"^Unit Testing:\s+(.+)$", done.stdout + "\n" + done.stderr, flags=re.MULTILINE)
    outputs = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {name: Verdict("SUCCESS" in outputs[str(file)], outputs[str(file)].strip()) for name, file in files.items()}


def _promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    ensure(["prometheus"])
    # A fresh store for each case is a lot of garbage: collected four times less often, the mutants take a fifth less.
    environment = {**os.environ, "GOGC": "400"}
    command = ["promtool", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)
