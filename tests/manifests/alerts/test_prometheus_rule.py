"""The PrometheusRule is the plain rules in the Prometheus operator's wrapping, and its own CRD takes it."""

import pytest
import yaml
from local_cluster.light import LightCluster
from manifests.rendering import MANIFESTS, documents, render_component
from session_devtools.errors import CommandError
from support.alert_rules import groups


def rule() -> str:
    """Return the object as the component renders it."""
    (found,) = (
        item for item in documents(render_component("components/monitoring")) if item["kind"] == "PrometheusRule"
    )
    return yaml.safe_dump(found)


def test_it_has_the_plain_rules() -> None:
    """All groups, and nothing else."""
    assert {"groups": groups()} == yaml.safe_load(rule())["spec"]


def test_it_reads_as_the_plain_file_does() -> None:
    """With the comments that say why each threshold is what it is."""
    text = (MANIFESTS / "components" / "monitoring" / "prometheus-rule.yaml").read_text()

    assert text.count("# ") > 80


def test_the_prometheus_operators_own_crd_takes_it(installed: LightCluster) -> None:
    """On a real API server, strictly."""
    results = installed.kubectl("apply", "--dry-run=server", "--validate=strict", "--filename=-", input=rule())

    assert results.endswith(" created (server dry run)\n")


@pytest.mark.parametrize(("before", "after"), [("for: 15m", "for: 15 minutes"), ("expr:", "expression:")])
def test_the_crd_finds_mistakes(installed: LightCluster, before: str, after: str) -> None:
    """A duration that Prometheus does not read, and an unknown field: the check is not vacuous."""
    with pytest.raises(CommandError, match=r"expression|\.for"):
        installed.kubectl(
            "apply", "--dry-run=server", "--validate=strict", "--filename=-", input=rule().replace(before, after)
        )
