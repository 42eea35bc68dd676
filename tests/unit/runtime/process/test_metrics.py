"""The metrics' names: those of the documentation, and what a scraper may rely on."""

import re
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import generate_latest
from whatsapp_operator.runtime.process.metrics import Metrics

PAGE = Path(__file__).parents[4] / "docs" / "design" / "runtime.md"
SUCCESS = "whatsapp_operator_resync_last_success_timestamp_seconds"


def families(metrics: Metrics) -> set[str]:
    """The names under which the operator's own metrics are described to a scraper of the text format."""
    return set(re.findall(r"^# TYPE (whatsapp_operator_\S+)", generate_latest(metrics.registry).decode(), re.MULTILINE))


def test_every_metric_is_documented_under_its_name() -> None:
    """The table has the names as they are scraped, and no other; `_created` is the client's, beside each counter."""
    metrics = Metrics()
    metrics.resynced(datetime.now(UTC))
    metrics.build.info({"version": "1"})
    table = PAGE.read_text().split("## Metrics")[1].split("\n## ")[0]

    documented = set(re.findall(r"^\| `(whatsapp_operator_\w+)`", table, re.MULTILINE))
    assert documented == {name for name in families(metrics) if not name.endswith("_created")}


def test_the_last_resync_is_absent_until_there_was_one() -> None:
    """No 0 that looks like 1970: a rule on its age would fire at every start, and for ever in a standby."""
    metrics = Metrics()
    before = metrics.registry.get_sample_value(SUCCESS)

    for second in (1, 2):
        metrics.resynced(datetime(2026, 11, 22, 18, 0, second, 500_000, tzinfo=UTC))

    assert before is None
    assert 1795370402.5 == metrics.registry.get_sample_value(SUCCESS)
    assert SUCCESS in families(metrics)
