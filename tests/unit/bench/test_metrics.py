"""What the operator says of its work."""

from prometheus_client import generate_latest
from session_bench.metrics import Work, parse_work
from whatsapp_operator.runtime.process.metrics import Metrics


def text_of(metrics: Metrics) -> str:
    """The metrics as the operator serves them."""
    return bytes(generate_latest(metrics.registry)).decode()


def test_work_is_read_from_the_operators_own_metrics() -> None:
    """All looks count, however they ended; of the full lists only those that succeeded."""
    metrics = Metrics()
    metrics.reconciles["success"].inc(3)
    metrics.reconciles["error"].inc()
    metrics.queue_depth.set(2)
    metrics.resyncs.labels(result="success").inc()
    metrics.resyncs.labels(result="failure").inc(5)

    assert Work(reconciles=4, waiting=2, resyncs=1) == parse_work(text_of(metrics))


def test_an_operator_that_has_just_started_has_done_nothing() -> None:
    """A counter with labels has no line before its first count."""
    assert Work(reconciles=0, waiting=0, resyncs=0) == parse_work(text_of(Metrics()))
