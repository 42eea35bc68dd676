"""The dashboards as ConfigMaps, with the label by which the sidecar of Grafana's chart finds them."""

from collections.abc import Mapping
from typing import Final

LABEL: Final = "grafana_dashboard"
FOLDER_ANNOTATION: Final = "grafana_folder"
FOLDER: Final = "WhatsApp sessions"


def config_maps(dashboards: Mapping[str, str]) -> str:
    """Return one ConfigMap for each dashboard, by the names of their files."""
    head = "# Made by `make generate` from scripts/dashboards.\n"
    return head + "---\n".join(_config_map(name, text) for name, text in dashboards.items())


def _config_map(name: str, text: str) -> str:
    # Written by hand, so that the JSON stays a block of lines that a difference shows.
    block = "".join(f"    {line}\n" for line in text.splitlines())
    uid = name.removesuffix(".json")
    return f"""\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {uid}-dashboard
  namespace: whatsapp-operator
  labels:
    app.kubernetes.io/name: whatsapp-session-operator
    app.kubernetes.io/instance: whatsapp-operator
    app.kubernetes.io/component: dashboards
    app.kubernetes.io/part-of: whatsapp-session-operator
    app.kubernetes.io/managed-by: kustomize
    {LABEL}: "1"
  annotations:
    {FOLDER_ANNOTATION}: {FOLDER}
data:
  {name}: |
{block}"""
