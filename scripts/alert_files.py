"""What is made of the alert rules: the Prometheus operator's object, and the table at the end of the runbooks' index.

The rules are plain Prometheus, one file that people read (manifests/monitoring/rules.yaml). The object has them word for
word, comments included; `generate` writes both.
"""

import re
import textwrap
from collections.abc import Iterator
from typing import Any, Final

import yaml

__all__ = ["INDEX", "PROMETHEUS_RULE", "RULES", "by_state", "index", "prometheus_rule"]

RULES: Final = "manifests/monitoring/rules.yaml"
PROMETHEUS_RULE: Final = "manifests/components/monitoring/prometheus-rule.yaml"
INDEX: Final = "docs/runbooks/README.md"

_OBJECT: Final = """\
# Written by `make generate` from manifests/monitoring/rules.yaml; change it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: whatsapp-session-operator
  namespace: whatsapp-operator
  labels:
    app.kubernetes.io/name: whatsapp-session-operator
    app.kubernetes.io/instance: whatsapp-operator
    app.kubernetes.io/component: alerts
    app.kubernetes.io/part-of: whatsapp-session-operator
    app.kubernetes.io/managed-by: kustomize
spec:
"""
_STATES: Final = re.compile(r"\{\s*(?:state|reason)=~?\"([A-Za-z|]+)\"")
_HEAD: Final = "| Alert | Severity | For whom | What it says |\n|---|---|---|---|\n"


def prometheus_rule(rules: str) -> str:
    """Return the PrometheusRule with the groups of a rule file; what stands above them is about the file alone."""
    groups = rules[rules.index("groups:\n") :]
    return _OBJECT + textwrap.indent(groups, "  ")


def index(words: str, rules: str) -> str:
    """Return the index: what people wrote, then a row for each alert in the order of the rules."""
    text, _, _ = words.partition(_HEAD)
    return text + _HEAD + "".join(_rows(yaml.safe_load(rules)["groups"]))


def _rows(groups: list[dict[str, Any]]) -> Iterator[str]:
    for group in groups:
        for rule in group["rules"]:
            if name := rule.get("alert"):
                labels, says = rule["labels"], rule["annotations"]["description"]
                yield f"| [{name}]({name}.md) | {labels['severity']} | {labels['audience']} | {says} |\n"


def by_state(rules: str) -> dict[str, list[str]]:
    """Return the alerts that tell of each state, by what their expressions ask for and not by what these leave out."""
    found: dict[str, list[str]] = {}
    alerts = [rule for group in yaml.safe_load(rules)["groups"] for rule in group["rules"] if "alert" in rule]
    for rule in alerts:
        asked = _STATES.search(str(rule["expr"]).partition("unless")[0])
        stalled = ["Stalled"] if rule["alert"] == "WhatsAppSessionStalled" else []
        for state in stalled + (asked[1].split("|") if asked else []):
            found.setdefault(state, []).append(rule["alert"])
    return found
