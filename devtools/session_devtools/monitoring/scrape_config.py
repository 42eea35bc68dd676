"""PodMonitors in Prometheus' own words, as the Prometheus operator says them: pure.

`make generate` writes manifests/monitoring/scrape.yaml so, for who has no Prometheus operator, and the end-to-end test
scrapes by the same text. What is left out of the Prometheus operator's translation (its settings for all monitors, shards,
limits) is what a PodMonitor of ours does not have; a field that is not known here is an error, and never passed over.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import yaml

from session_devtools.errors import ToolError

__all__ = ["HEADER", "TOKEN_FOLDER", "scrape_configs", "scrape_yaml"]

Object = dict[str, Any]
HEADER: Final = """\
# How a Prometheus without the Prometheus operator scrapes operator and runners, from inside of the cluster: for its
# `scrape_config_files`, for VictoriaMetrics' agent, or to copy into a configuration of yours. rbac.yaml beside it has
# the rights that discovery needs; docs/operations/monitoring.md tells the rest.
# Written by `make generate` from manifests/components/monitoring: change it there.
"""
TOKEN_FOLDER: Final = "/etc/prometheus/secrets"  # noqa: S105 -- a path
""" Where a plain Prometheus has the Secrets that a PodMonitor names, each as a folder. """
_RELABELLING: Final = {
    "sourceLabels": "source_labels",
    "separator": "separator",
    "targetLabel": "target_label",
    "regex": "regex",
    "replacement": "replacement",
    "action": "action",
}
_TIMES: Final = {"interval": "scrape_interval", "scrapeTimeout": "scrape_timeout", "path": "metrics_path"}


class UnknownFieldError(ToolError):
    """A PodMonitor has a field that is not translated."""


def scrape_yaml(monitors: Iterable[Object]) -> str:
    """Return the scrape configuration as the file has it."""
    text = yaml.dump({"scrape_configs": scrape_configs(monitors)}, Dumper=_Indented, sort_keys=False, width=110)
    return HEADER + text


def scrape_configs(monitors: Iterable[Object]) -> list[Object]:
    """Return one scrape configuration for each endpoint.

    :raises UnknownFieldError: a monitor says what is not translated.
    """
    return [
        _scrape_config(monitor, endpoint, number)
        for monitor in monitors
        for number, endpoint in enumerate(monitor["spec"]["podMetricsEndpoints"])
    ]


def _scrape_config(monitor: Object, endpoint: Object, number: int) -> Object:
    metadata, spec = monitor["metadata"], monitor["spec"]
    _check(spec, {"jobLabel", "namespaceSelector", "selector", "podMetricsEndpoints"})
    known = {"port", "honorLabels", "authorization", "relabelings", "metricRelabelings", *_TIMES}
    _check(endpoint, known)
    found: Object = {
        "job_name": f"podMonitor/{metadata['namespace']}/{metadata['name']}/{number}",
        "honor_labels": endpoint.get("honorLabels", False),
        "kubernetes_sd_configs": [{"role": "pod"} | _namespaces(metadata, spec.get("namespaceSelector", {}))],
    }
    found |= {there: endpoint[here] for here, there in _TIMES.items() if here in endpoint}
    if "authorization" in endpoint:
        found["authorization"] = _authorization(endpoint["authorization"])
    found["relabel_configs"] = [*_selection(spec["selector"], endpoint["port"]), *_targets(metadata, spec, endpoint)]
    if "metricRelabelings" in endpoint:
        found["metric_relabel_configs"] = [_relabelling(rule) for rule in endpoint["metricRelabelings"]]
    return found


def _namespaces(metadata: Object, selector: Object) -> Object:
    _check(selector, {"any", "matchNames"})
    if selector.get("any"):
        return {}
    return {"namespaces": {"names": selector.get("matchNames") or [metadata["namespace"]]}}


def _authorization(authorization: Object) -> Object:
    _check(authorization, {"type", "credentials"})
    credentials = authorization["credentials"]
    return {
        "type": authorization.get("type", "Bearer"),
        "credentials_file": f"{TOKEN_FOLDER}/{credentials['name']}/{credentials['key']}",
    }


def _selection(selector: Object, port: str) -> Iterator[Object]:
    """Return the rules that keep the pods and the port that are meant."""
    _check(selector, {"matchLabels"})
    yield {"action": "drop", "source_labels": ["__meta_kubernetes_pod_phase"], "regex": "(Failed|Succeeded)"}
    for name, value in sorted(selector["matchLabels"].items()):
        label = _meta(name)
        sources = [f"__meta_kubernetes_pod_label_{label}", f"__meta_kubernetes_pod_labelpresent_{label}"]
        yield {"action": "keep", "source_labels": sources, "regex": f"({value});true"}
    yield {"action": "keep", "source_labels": ["__meta_kubernetes_pod_container_port_name"], "regex": port}


def _targets(metadata: Object, spec: Object, endpoint: Object) -> Iterator[Object]:
    """Return the rules that give a target its labels."""
    for source, target in (("namespace", "namespace"), ("pod_container_name", "container"), ("pod_name", "pod")):
        yield {"source_labels": [f"__meta_kubernetes_{source}"], "target_label": target}
    yield {"target_label": "job", "replacement": f"{metadata['namespace']}/{metadata['name']}"}
    if "jobLabel" in spec:
        label = f"__meta_kubernetes_pod_label_{_meta(spec['jobLabel'])}"
        yield {"source_labels": [label], "target_label": "job", "regex": "(.+)", "replacement": "${1}"}
    yield {"target_label": "endpoint", "replacement": endpoint["port"]}
    yield from (_relabelling(rule) for rule in endpoint.get("relabelings", ()))


def _relabelling(rule: Object) -> Object:
    _check(rule, _RELABELLING)
    return {_RELABELLING[field]: value for field, value in rule.items()}


def _meta(name: str) -> str:
    """Return a label's name as service discovery writes it."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)


def _check(fields: Mapping[str, Any], known: Iterable[str]) -> None:
    unknown = sorted(set(fields) - set(known))
    if unknown:
        raise UnknownFieldError(f"the PodMonitors have fields that no scrape configuration is made of: {unknown}")


class _Indented(yaml.SafeDumper):
    """Writes lists indented below their key, as the files that people write have them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002 -- the library's
        del indentless
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True
