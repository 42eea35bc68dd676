"""The Grafana dashboards: every panel explains itself, every query is one, and none fixes a data source."""

import json
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml
from dashboards import CONFIG_MAPS, DASHBOARDS, FOLDER, files, filled, queries
from dashboards.charts import Chart, Dashboard
from dashboards.config_maps import LABEL

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
VALUES = {
    "session_namespace": "shop",
    "quota": "default",
    "session": "sales",
    "datasource": "x",
    "__rate_interval": "5m",
    "__range": "6h",
}
MADE = files()
JSON: dict[str, dict[str, Any]] = {
    dashboard.uid: json.loads(MADE[f"{FOLDER}/{dashboard.uid}.json"]) for dashboard in DASHBOARDS
}
PANELS = [
    pytest.param(panel, id=f"{uid}: {panel['title']}")
    for uid, found in JSON.items()
    for panel in found["panels"]
    if panel["type"] != "row"
]


def charts(dashboard: Dashboard) -> Iterator[Chart]:
    """All charts of a dashboard."""
    return (chart for section in dashboard.sections for chart in section.charts)


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_explains_itself(panel: dict[str, Any]) -> None:
    """Title, description, unit, queries, and what it says when there is nothing to show."""
    defaults = panel["fieldConfig"]["defaults"]

    assert panel["title"]
    assert panel["description"].endswith(".")
    assert defaults["unit"]
    assert defaults["noValue"]
    assert panel["targets"]
    assert DATASOURCE == panel["datasource"]
    assert all(DATASOURCE == target["datasource"] for target in panel["targets"])


@pytest.mark.parametrize("uid", JSON)
def test_no_data_source_is_fixed(uid: str) -> None:
    """Whatever it is called where the dashboard is provisioned, a person chooses it; the first variable is that choice."""
    variables = JSON[uid]["templating"]["list"]
    uids = {value for name, value in _pairs(JSON[uid]) if name == "uid"}

    assert ("datasource", "prometheus") == (variables[0]["type"], variables[0]["query"])
    assert "datasource" == variables[0]["name"]
    assert {uid, "${datasource}"} == uids
    assert all(DATASOURCE == variable["datasource"] for variable in variables[1:])


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield name, item
            yield from _pairs(item)
    elif isinstance(value, list):
        for item in value:
            yield from _pairs(item)


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_what_a_person_chooses_has_an_effect(dashboard: Dashboard) -> None:
    """Each variable is in a query, of a panel or of another variable."""
    used = [query.expr for chart in charts(dashboard) for query in chart.queries]
    used += [variable.series for variable in dashboard.variables]

    assert [] == [
        variable.name for variable in dashboard.variables if not any(f"${variable.name}" in text for text in used)
    ]


def test_together_they_are_for_namespaces_quotas_and_sessions() -> None:
    """As whoever looks has a question about one of them."""
    assert {"session_namespace", "quota", "session"} == {
        variable.name for dashboard in DASHBOARDS for variable in dashboard.variables
    }


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_panels_fill_their_rows(dashboard: Dashboard) -> None:
    """24 columns, no gaps; and no title twice in a section."""
    for section in dashboard.sections:
        assert 0 == sum(chart.width for chart in section.charts) % 24, section.title
        assert len(section.charts) == len({chart.title for chart in section.charts})


@pytest.mark.parametrize(("where", "query"), [*queries(VALUES)])
def test_every_query_parses(where: str, query: Any) -> None:
    """Once the variables have values."""
    assert promql_parser.parse(query.expr), where


def test_a_variable_without_a_value_is_an_error() -> None:
    """A query that nobody chose anything for would find nothing, and look like a healthy cluster."""
    assert 'a{b="shop"}[5m]' == filled('a{b="$session_namespace"}[$__rate_interval]', VALUES)
    with pytest.raises(KeyError):
        filled('a{b="$colour"}', VALUES)


def test_the_config_maps_hold_the_same() -> None:
    """With the label by which the sidecar of Grafana's chart finds them, and small enough for the API server."""
    found = list(yaml.safe_load_all(MADE[CONFIG_MAPS]))

    assert [dashboard.uid for dashboard in DASHBOARDS] == [
        name.removesuffix(".json") for config_map in found for name in config_map["data"]
    ]
    for config_map in found:
        labels = config_map["metadata"]["labels"].items()
        assert {LABEL: "1"} == {key: value for key, value in labels if not key.startswith("app.kubernetes.io/")}
        for name, text in config_map["data"].items():
            assert MADE[f"{FOLDER}/{name}"] == text
            assert len(text) < 512 * 1024
