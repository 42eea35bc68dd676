"""PodMonitors as Prometheus' own configuration."""

from typing import Any

import pytest
import yaml
from session_devtools.errors import ToolError
from session_devtools.monitoring.scrape_config import scrape_configs, scrape_yaml

Object = dict[str, Any]


def monitor(*, spec: Object | None = None, **endpoint: Any) -> Object:
    """Return a PodMonitor with one endpoint."""
    endpoints = [{"port": "http", **endpoint}]
    selector = {"matchLabels": {"app.kubernetes.io/name": "x"}}
    metadata = {"name": "m", "namespace": "ops"}
    return {"metadata": metadata, "spec": {"selector": selector, "podMetricsEndpoints": endpoints, **(spec or {})}}


def test_a_monitor_looks_in_its_own_namespace_unless_it_says_otherwise() -> None:
    """Any namespace is no limit, named ones are those."""
    found = [
        scrape_configs([monitor(spec=spec)])[0]["kubernetes_sd_configs"]
        for spec in ({}, {"namespaceSelector": {"any": True}}, {"namespaceSelector": {"matchNames": ["a", "b"]}})
    ]

    limits: list[Object] = [{"namespaces": {"names": ["ops"]}}, {}, {"namespaces": {"names": ["a", "b"]}}]
    assert [[{"role": "pod"} | limit] for limit in limits] == found


def test_times_and_path_have_prometheus_names() -> None:
    """And a monitor that says nothing of them leaves them to Prometheus."""
    (given,) = scrape_configs([monitor(interval="30s", scrapeTimeout="10s", path="/metrics", honorLabels=True)])
    (absent,) = scrape_configs([monitor()])

    expected = {"scrape_interval": "30s", "scrape_timeout": "10s", "metrics_path": "/metrics", "honor_labels": True}
    assert expected.items() <= given.items()
    assert not {"scrape_interval", "scrape_timeout", "metrics_path"} & set(absent)
    assert absent["honor_labels"] is False


def test_a_secret_is_a_file_of_prometheus() -> None:
    """In a folder of the Secret's name."""
    credentials = {"credentials": {"name": "secret", "key": "token"}}

    (found,) = scrape_configs([monitor(authorization=credentials)])

    assert {"type": "Bearer", "credentials_file": "/etc/prometheus/secrets/secret/token"} == found["authorization"]


def test_a_monitors_own_rules_come_last() -> None:
    """So that they may change what every target has."""
    rule = {"sourceLabels": ["a", "b"], "regex": "(.+);x", "replacement": "$1", "targetLabel": "job"}

    (found,) = scrape_configs([monitor(relabelings=[rule], metricRelabelings=[{"action": "labeldrop", "regex": "x"}])])

    last = {"source_labels": ["a", "b"], "regex": "(.+);x", "replacement": "$1", "target_label": "job"}
    assert last == found["relabel_configs"][-1]
    assert [{"action": "labeldrop", "regex": "x"}] == found["metric_relabel_configs"]


@pytest.mark.parametrize(
    "unknown",
    [
        monitor(spec={"sampleLimit": 1}),
        monitor(scheme="https"),
        monitor(relabelings=[{"modulus": 2}]),
        monitor(spec={"selector": {"matchExpressions": []}}),
        monitor(spec={"namespaceSelector": {"some": True}}),
        monitor(authorization={"credentials": {}, "basic": 1}),
    ],
)
def test_what_is_not_translated_is_an_error(unknown: Object) -> None:
    """Else what is shipped for one would silently differ from what is shipped for the other."""
    with pytest.raises(ToolError, match="fields that no scrape configuration is made of"):
        scrape_configs([unknown])


def test_the_file_says_that_it_is_generated() -> None:
    """And holds what the monitors say."""
    text = scrape_yaml([monitor()])

    assert text.startswith("# How a Prometheus without")
    assert {"scrape_configs": scrape_configs([monitor()])} == yaml.safe_load(text)
