"""Whether all that the shipped rules and dashboards ask for is there, in the Prometheus that scrapes the play of `test_alerts`.

A metric, a label or a value that was renamed on one side alone selects nothing, and neither an alert nor a panel says so.
What the play does not bring about stands below, each with the reason.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from dashboards import DASHBOARDS, queries
from dashboards.charts import Query
from session_devtools.monitoring.promql import selectors
from session_devtools.monitoring.stack import Monitoring
from support.alert_rules import expressions, matchers

Values = Mapping[str, str]
ABSENT: Final = {
    "whatsapp_operator_failed_calls_total": "no call failed",
    "whatsapp_operator_cache_resets_total": "nothing was read anew",
    "whatsapp_operator_keys_restored_total": "no key was lost",
    "whatsapp_operator_key_expiration_timestamp_seconds": "no key was retired",
    "whatsapp_operator_namespace_recovery_paused": "no namespace is paused",
    "whatsapp_runner_webhook_oldest_timestamp_seconds": "no session has a webhook",
    "whatsapp_runner_webhook_dead_letters": "no session has a webhook",
    "whatsapp_runner_messages_oldest_timestamp_seconds": "nobody sends",
    "whatsapp:operator_away": "an operator is there",
    "whatsapp:sessions_broken:ratio_held": "no more than two are broken",
}
""" Series of the rules. """
UNSEEN: Final = {
    "Unreachable": "every runner answers",
    "Pending": "too short to be scraped, as a rule",
    "Recovering": "too short, if a session that gives up is scraped in it at all",
    "ClaimResizeRefused": "no claim is to grow",
    "5..": "the API server is well",
    "429": "and not busy",
    "<error>": "and answers",
}
""" Values of labels. """
EMPTY: Final = {
    "whatsapp-fleet/Connected": "the one session that was linked is taken over",
    "whatsapp-fleet/Recovery": "nothing has recovered by itself yet",
    "whatsapp-fleet/Calls that failed": "none did",
    "whatsapp-session/Page fetches that failed": "the page can be fetched",
    "whatsapp-session/The oldest that waits": "nobody sends",
    "whatsapp-session/Refused and failed": "nobody sends",
    "whatsapp-session/Events that wait for webhooks": "no session has a webhook",
    "whatsapp-session/The oldest event that waits": "no session has a webhook",
}
""" Panels. """
VOCABULARIES: Final = ("state", "reason", "class", "code")
""" Labels whose values are not all there at one time. """


class Panel(NamedTuple):
    """A query as somebody sees it who has chosen values."""

    where: str
    query: Query


def missing_series(monitoring: Monitoring) -> list[str]:
    """Return the selectors of the rules that select nothing, and the labels in them that their series have not."""
    found = {one for expr in expressions() for one in selectors(expr) if one.series not in ABSENT}
    vague = {one for one in found if one.labels & set(VOCABULARIES)}
    asked = {one.series if one in vague else one.text for one in found}
    asked |= {f'{one.series}{{{label}!=""}}' for one in found for label in one.labels}
    assert len(asked) > 40
    return sorted(text for text, series in monitoring.query(asked).items() if not series)


def unknown_values(monitoring: Monitoring) -> list[str]:
    """Return the values in rules and panels that no series has had in this cluster.

    A runner shows all its states, and 0 for those that it is not in; the operator all classes of failures. What a person
    has to end is a state, and the reason of Stalled later on.
    """
    live = {label: set(monitoring.label_values(label)) for label in VOCABULARIES}
    live["reason"] |= live["state"]
    every = {each for expr in (*expressions(), *_dashboards()) for each in matchers(expr) if each.label in live}
    asked = {(each.label, value) for each in every for value in each.values} - {(each, "") for each in live}
    assert len(asked) > 30
    return sorted(
        f"{label}={value}"
        for label, value in asked
        if value not in UNSEEN and not any(re.fullmatch(value, known) for known in live[label])
    )


def _dashboards() -> Iterator[str]:
    names = ("session_namespace", "quota", "session", "__rate_interval", "__range")
    return (query.expr for _, query in queries(dict.fromkeys(names, "x")))


def empty_panels(monitoring: Monitoring, chosen: Mapping[str, Sequence[Values]]) -> list[str]:
    """Return the panels and variables that show nothing, whichever values are chosen; `chosen` has them by the dashboard.

    :raises RequestFailed: Prometheus does not take a query.
    """
    assert {dashboard.uid for dashboard in DASHBOARDS} == chosen.keys()
    panels = [
        Panel(where, query)
        for uid, choices in chosen.items()
        for values in choices
        for where, query in queries({**values, "__rate_interval": "1m", "__range": "1h"})
        if where.startswith(f"{uid}/")
    ]
    found = monitoring.query({panel.query.expr for panel in panels})
    shown = {panel.where for panel in panels if _shows(panel, found[panel.query.expr])}
    return sorted({panel.where for panel in panels} - shown - EMPTY.keys())


def _shows(panel: Panel, series: list[dict[str, Any]]) -> bool:
    """Whether there is a figure, with all labels that its legend names."""
    wanted = set(re.findall(r"{{(\w+)}}", panel.query.legend))
    figures = [one for one in series if not math.isnan(float(one["value"][1]))]
    return bool(figures) and all(wanted <= one["metric"].keys() for one in figures)
