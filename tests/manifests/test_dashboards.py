"""The dashboards' queries, judged by Prometheus itself: that it takes them, and that other programs' series are no matter.

The standard names (workqueue, reconciliations, the leader, the REST client, the process) are those of every operator in
the cluster. Whatever asks for one, in a panel or a rule, has to say that it means ours.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from dashboards import queries
from session_devtools import packages
from session_devtools.monitoring.promql import selectors
from session_protocol.metric_family import MetricType
from support.alert_rules import expressions
from whatsapp_operator.runtime.metrics.families import FAMILIES

VALUES = {"session_namespace": "shop", "quota": "default", "session": "sales", "__rate_interval": "5m", "__range": "6h"}
QUERIES = [query.expr for _, query in queries(VALUES)]
MINUTES = 65
OURS = {"name": "whatsappsession", "controller": "whatsappsession", "instance": "op:8080", "job": "op"}
THEIRS = {"name": "certificates", "controller": "certificates", "instance": "cm:9402", "job": "cert-manager"}
""" What tells our operator from somebody else's, as far as a series has it. """
STANDARD = {family.name: family for _, rows in FAMILIES for family in rows if not family.name.startswith("whatsapp_")}
PROCESS = ("process_start_time_seconds", "process_resident_memory_bytes")
WORST = {"leader_election_master_status": "0", "workqueue_longest_running_processor_seconds": "1000000"}
""" Of a gauge the value that a rule is about. """


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    """Debian's Prometheus, with promtool."""
    packages.ensure(["prometheus"])


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run it."""
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)


def test_prometheus_takes_every_query(tmp_path: Path) -> None:
    """As recording rules of one file, which `promtool` reads as the server does."""
    rules = [{"record": f"dashboard:query:{number}", "expr": expr} for number, expr in enumerate(QUERIES)]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))

    checked = promtool("check", "rules", file)

    assert 0 == checked.returncode, checked.stderr
    assert f"{len(rules)} rules found" in checked.stdout


def asking() -> list[str]:
    """Return each query of a panel, and expression of a rule, that asks for a series with a name that others use, too."""
    return [expr for expr in (*QUERIES, *expressions()) if any(map(is_standard, selectors(expr)))]


def is_standard(selector: Any) -> bool:
    """Whether a series has a standard name; of a histogram it is one of three."""
    return selector.series in PROCESS or re.sub("_(bucket|sum|count)$", "", selector.series) in STANDARD


def troubled(labels: Mapping[str, str]) -> dict[str, str]:
    """Return all standard series of an operator that has every trouble that a rule may look for, over time."""
    return dict(_troubled(labels))


def _troubled(whose: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    grows = f"0+1000x{MINUTES}"
    scraped = {key: whose[key] for key in ("instance", "job")} | {"namespace": "ops", "operator": "first"}
    for name in PROCESS:
        yield _series(name, scraped), grows
    for family in STANDARD.values():
        values = {"code": "500", "method": "GET", "host": "api", "result": "error"}
        labels = scraped | {label: whose.get(label) or values[label] for label in family.labels}
        if family.name.startswith("leader") and whose is OURS:
            labels["name"] = "whatsapp-operator"
        if family.type is MetricType.HISTOGRAM:  # all of it is above the last limit
            for le, value in (("1", "0"), ("1000", "0"), ("+Inf", grows)):
                yield _series(f"{family.name}_bucket", labels | {"le": le}), value if value == grows else f"0x{MINUTES}"
        elif family.type is MetricType.COUNTER:
            yield _series(family.name, labels), grows
        else:
            yield _series(family.name, labels), f"{WORST.get(family.name, '1')}x{MINUTES}"


def _series(name: str, labels: Mapping[str, str]) -> str:
    return name + "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}"


def found(tmp_path: Path, given: Mapping[str, str], expected: list[str]) -> set[str]:
    """Return which of the expressions find something in the series; an operator of ours is scraped."""
    scraped = {_series("whatsapp_operator_build_info", {key: OURS[key] for key in ("instance", "job")}): f"1x{MINUTES}"}
    series = [{"series": name, "values": values} for name, values in {**given, **scraped}.items()]
    numbered = {}
    for number, expr in enumerate(expected):
        nothing = [{"expr": expr, "eval_time": f"{MINUTES}m", "exp_samples": []}]
        test = {"interval": "1m", "input_series": series, "promql_expr_test": nothing}
        file = tmp_path / f"{number}.test.yaml"
        file.write_text(yaml.safe_dump({"evaluation_interval": "1m", "tests": [test]}))
        numbered[str(file)] = expr
    done = promtool("test", "rules", *numbered)
    parts = re.split(r"^Unit Testing:\s+(.+)$", done.stdout, flags=re.MULTILINE)
    outputs = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert numbered.keys() == outputs.keys(), done.stderr
    # In one stream and in order; whatever else promtool may have to say is neither of the two.
    verdicts = {numbered[file]: "SUCCESS" not in output for file, output in outputs.items()}
    assert sum(verdicts.values()) == done.stderr.count("got:"), done.stderr
    return {expr for expr, is_found in verdicts.items() if is_found}


def test_other_programs_series_are_no_matter(tmp_path: Path) -> None:
    """Another operator's trouble shows in no panel and fires no alert; the same of ours does in each that asks for it."""
    expected = asking()

    assert len(expected) > 12
    assert set() == found(tmp_path, troubled(THEIRS), expected)
    assert set(expected) == found(tmp_path, troubled(OURS), expected)
