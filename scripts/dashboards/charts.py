"""What a dashboard consists of: plain tables, without anything of Grafana's but the names of its units."""

from enum import StrEnum
from typing import Final, NamedTuple

RATE: Final = "$__rate_interval"
""" For what happens all the time; Grafana makes it fit the scrape's interval. """
RARE: Final = "1h"
""" For what happens now and then: a shorter range would show nothing but single pins. """
OF_OURS: Final = "and on (instance, job) whatsapp_operator_build_info"
""" Behind a series that every program has, and none of whose labels says whose it is: that of our operators alone. """


class Shape(StrEnum):
    """How a chart is drawn."""

    FIGURE = "stat"
    NAME = "name of a stat"
    LINES = "timeseries"
    AREAS = "stacked timeseries"
    TABLE = "table"
    TIMELINE = "state-timeline"


class Unit(StrEnum):
    """Grafana's names of units."""

    COUNT = "short"
    SECONDS = "s"
    BYTES = "bytes"
    RATIO = "percentunit"
    PER_SECOND = "ops"
    YES_NO = "bool_yes_no"
    TEXT = "string"


class Query(NamedTuple):
    """One query, and how what it finds is called."""

    expr: str
    legend: str = ""


class Chart(NamedTuple):
    """One panel."""

    title: str
    description: str
    unit: Unit
    queries: tuple[Query, ...]
    empty: str
    """ What an empty panel says: why there is nothing. """
    shape: Shape = Shape.LINES
    bad_from: float | None = None
    """ A figure of at least this is red. """
    bad_below: float | None = None
    """ A figure below this is red. """
    width: int = 12
    """ Of 24. """
    hides: tuple[str, ...] = ()
    """ Columns of a table that are not shown. """
    links_to_session: bool = False
    """ Each row of the table leads to its session's dashboard. """


class Section(NamedTuple):
    """A row with a title."""

    title: str
    charts: tuple[Chart, ...]


class Variable(NamedTuple):
    """What a person chooses above the panels."""

    name: str
    label: str
    series: str
    """ The series whose label of that name has the choices. """
    several: bool = False


class Dashboard(NamedTuple):
    """One dashboard."""

    uid: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    sections: tuple[Section, ...]


def figure(
    title: str,
    expr: str,
    description: str,
    *,
    empty: str,
    unit: Unit = Unit.COUNT,
    bad_from: float | None = None,
    bad_below: float | None = None,
    width: int = 4,
    legend: str = "",
) -> Chart:
    """Return a chart of one figure."""
    queries = (Query(expr, legend or title),)
    return Chart(title, description, unit, queries, empty, Shape.FIGURE, bad_from, bad_below, width)


def one(metric: str, *, by: str = "session_namespace, session", selector: str) -> str:
    """Return a metric of the operator that is the same from whichever pod it comes: one series each, over its restarts."""
    return f"max by ({by}) ({metric}{{{selector}}})"


def quantiles(histogram: str, *, over: str, selector: str = "") -> tuple[Query, ...]:
    """Return the median and the 95th percentile of a histogram; `selector` chooses among its series."""
    bucket = f"{histogram}_bucket{{{selector}}}" if selector else f"{histogram}_bucket"
    rates = f"sum by (le) (rate({bucket}[{over}]))"
    return tuple(Query(f"histogram_quantile({q}, {rates})", name) for q, name in ((0.5, "median"), (0.95, "95 %")))
