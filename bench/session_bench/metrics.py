"""What the operator says of its work, read from its own metrics. Pure."""

from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families


class Work(NamedTuple):
    """How much it has done, and whether more waits."""

    reconciles: int
    """ Looks at a session, however they ended. """
    waiting: int
    resyncs: int


def parse_work(text: str) -> Work:
    """Read the metrics' text; what is not told yet is 0."""
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name != "whatsapp_operator_resync_total" or sample.labels.get("result") == "success":
                sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    names = ("controller_runtime_reconcile_total", "workqueue_depth", "whatsapp_operator_resync_total")
    return Work(*(int(sums.get(name, 0)) for name in names))
