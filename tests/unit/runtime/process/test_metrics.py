"""The operator's metrics are the rows of the reference, and nothing is told that nobody knows."""

from session_protocol.metric_family import MetricFamily
from whatsapp_operator.runtime.metrics.families import FAMILIES
from whatsapp_operator.runtime.process.metrics import Metrics

LIBRARY = ("process_", "python_gc_")
ROWS: list[MetricFamily] = [row for _, rows in FAMILIES for row in rows]


def test_each_row_is_a_metric_and_each_metric_a_row() -> None:
    """Under its name, with its type; but for what the client library tells of the process."""
    found = {metric.name: metric.type for metric in Metrics().registry.collect() if not metric.name.startswith(LIBRARY)}

    assert {row.family: row.type for row in ROWS} == found


def test_a_row_is_there_once() -> None:
    """Two of one name would be one too many for a scraper."""
    assert len(ROWS) == len({row.family for row in ROWS})


def test_what_nobody_knows_yet_is_absent() -> None:
    """No 0 that looks like 1970: a rule on its age would fire at every start, and for ever in a standby."""
    metrics = Metrics()
    names = ("resync_last_success_timestamp_seconds", "key_expiration_timestamp_seconds", "sessions_without_metrics")
    before = {metrics.registry.get_sample_value(f"whatsapp_operator_{name}") for name in names}
    metrics.resync_succeeded.value = 1795370402.5

    assert {None} == before
    assert 1795370402.5 == metrics.registry.get_sample_value(f"whatsapp_operator_{names[0]}")
