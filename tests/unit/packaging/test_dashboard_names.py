"""Every series, label and value that a dashboard's query names is one that the programs have: a renamed one is found here."""

from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
from dashboards import queries
from session_protocol.metric_family import MetricType
from session_protocol.states import OperatorState
from session_protocol.vocabulary import RunnerState
from session_runner.metrics.families import FAMILIES as RUNNER
from unit.packaging.test_dashboards import VALUES
from whatsapp_operator.runtime.metrics.families import FAMILIES, QUEUE

OPERATOR = [family for _, families in FAMILIES for family in families]
OF_THE_SCRAPE = frozenset({"job", "instance", "pod", "namespace", "container", "endpoint"})
OF_AN_OPERATORS_POD = frozenset({"operator"})
OF_A_RUNNERS_POD = frozenset({"session", "session_namespace", "node"})
_HISTOGRAM = ("_bucket", "_sum", "_count")
_FOUND: dict[str, frozenset[str]] = {
    "process_resident_memory_bytes": frozenset(),
    "ALERTS": frozenset({"alertname", "alertstate", "session", "session_namespace"}),  # Prometheus' own, with ours
}
VOCABULARIES = {
    "state": {*map(str, RunnerState), *map(str, OperatorState)},
    "name": {QUEUE, "whatsapp-operator.*"},
    "controller": {QUEUE},
    "alertname": {"WhatsApp.*"},
    "alertstate": {"firing"},
    "session_namespace": {VALUES["session_namespace"]},
    "session": {VALUES["session"]},
    "quota": {VALUES["quota"]},
}


def known() -> dict[str, frozenset[str]]:
    """Return the labels of each series that a scrape may bring."""
    found = dict(_FOUND)
    for families, more in ((OPERATOR, OF_AN_OPERATORS_POD), (RUNNER, OF_A_RUNNERS_POD)):
        for family in families:
            labels = frozenset(family.labels) | more | OF_THE_SCRAPE
            if family.type is MetricType.HISTOGRAM:
                found |= {family.name + suffix: labels for suffix in _HISTOGRAM}
                found[f"{family.name}_bucket"] = labels | {"le"}
            else:
                found[family.name] = labels
    return found


SERIES = known()
QUERIES = [pytest.param(query.expr, id=where) for where, query in queries(VALUES)]


def parts(expr: str, kind: type) -> Iterator[Any]:
    """All parts of a query that are of a kind."""
    found: list[Any] = []
    promql_parser.walk(promql_parser.parse(expr), found.append)
    return (part for part in found if isinstance(part, kind))


def selectors(expr: str) -> list[Any]:
    """The selectors of a query, those with a range among them."""
    return list(parts(expr, promql_parser.VectorSelector))


@pytest.mark.parametrize("expr", QUERIES)
def test_every_series_exists(expr: str) -> None:
    """In one of the two programs, or it is Prometheus' own."""
    names = {selector.name for selector in selectors(expr)}

    assert names
    assert set() == names - set(SERIES)


@pytest.mark.parametrize("expr", QUERIES)
def test_every_label_and_value_exists(expr: str) -> None:
    """Of that series, in its vocabulary."""
    for selector in selectors(expr):
        for matcher in selector.matchers.matchers:
            assert matcher.name in SERIES[selector.name] | OF_THE_SCRAPE
            assert matcher.value in VOCABULARIES[matcher.name]


@pytest.mark.parametrize("expr", QUERIES)
def test_every_label_that_is_grouped_by_exists(expr: str) -> None:
    """Of a series inside of the group: by another one nothing is told apart."""
    for aggregate in parts(expr, promql_parser.AggregateExpr):
        if aggregate.modifier is None:
            continue
        inside = set().union(*(SERIES[selector.name] for selector in selectors(aggregate.prettify())))
        assert set() == set(aggregate.modifier.labels) - inside


def test_the_queries_are_read_whole() -> None:
    """A reader that finds no selector would find no fault."""
    assert ["a", "b"] == sorted(selector.name for selector in selectors("sum(rate(a[5m])) / on (x) max(b)"))
