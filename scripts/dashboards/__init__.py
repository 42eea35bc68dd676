"""Grafana dashboards for the fleet, for one quota and for one session: `make generate` writes them.

`fleet`, `quota` and `session` are tables of charts; `charts` says what a chart is, and `rendering` makes Grafana's JSON
of it by Grafana's own builders. Whoever wants to run all queries, as the tests do against a real Prometheus, asks
`queries`.
"""

from collections.abc import Iterator
from typing import Final

from dashboards import fleet, quota, session
from dashboards.charts import Query
from dashboards.config_maps import config_maps
from dashboards.rendering import rendered

DASHBOARDS: Final = (fleet.DASHBOARD, quota.DASHBOARD, session.DASHBOARD)
FOLDER: Final = "manifests/monitoring/dashboards"
CONFIG_MAPS: Final = "manifests/components/monitoring/dashboards.yaml"


def files() -> dict[str, str]:
    """Return the JSON of each dashboard, and the ConfigMaps of all, by their paths."""
    texts = {f"{dashboard.uid}.json": rendered(dashboard) for dashboard in DASHBOARDS}
    return {f"{FOLDER}/{name}": text for name, text in texts.items()} | {CONFIG_MAPS: config_maps(texts)}


def queries(values: dict[str, str]) -> Iterator[tuple[str, Query]]:
    """Yield where each query is shown, and the query with values in the place of Grafana's variables.

    :param values: by the variable's name, among them `__rate_interval` and `__range`.
    """
    for dashboard in DASHBOARDS:
        for section in dashboard.sections:
            for chart in section.charts:
                for query in chart.queries:
                    yield f"{dashboard.uid}/{chart.title}", query._replace(expr=filled(query.expr, values))
        for variable in dashboard.variables:
            yield f"{dashboard.uid}/${variable.name}", Query(filled(variable.series, values))


def filled(expr: str, values: dict[str, str]) -> str:
    """Return a query with the values of variables. :raises KeyError: there is none for one of them."""
    parts = expr.split("$")
    return parts[0] + "".join(_filled(part, values) for part in parts[1:])


def _filled(part: str, values: dict[str, str]) -> str:
    name = part[: len(part) - len(part.lstrip("abcdefghijklmnopqrstuvwxyz_"))]
    return values[name] + part[len(name) :]
