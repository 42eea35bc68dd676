"""The page docs/reference/settings.md, from the settings' own docstrings: `make generate` writes it."""

from datetime import timedelta
from typing import Any

from pydantic_core import PydanticUndefined

from whatsapp_operator.app.settings import Settings, shown

_HEAD = """\
# Settings of the operator

Environment variables of the operator's container, read once at start. Durations are written like 30s, 5m or 1h30m.
A missing or wrong one ends the process with a message that names it; an empty one counts as not set.
The API server is found by `KUBECONFIG` where that is set, else by the pod's service account,
where Kubernetes sets `KUBERNETES_SERVICE_HOST`, else by `~/.kube/config`.
`make generate` writes this page from `whatsapp_operator/app/settings.py`; do not edit it.

| Variable | Unit or form | Default | Meaning |
|---|---|---|---|
"""
_FORMS = {
    "runner_image": "image",
    "whatsapp_web_url": "https URL",
    "allowed_hosts": "host names, by comma",
    "allowed_images": "images, by comma",
    "allowed_priority_classes": "names, by comma",
    "allowed_annotations": "keys, by comma",
    "extra_ca_file": "path",
    "network_policies": "true, false",
    "network_policy_scrapers": "pods, by comma",
    "network_policy_egress": "pods or addresses with ports, by comma",
    "watch_namespaces": "names, by comma",
    "list_page_size": "objects",
    "runner_user": "user id",
    "workers": "count",
    "metrics_sessions_limit": "count",
    "http_port": "port",
    "http_address": "IP address",
}


def page() -> str:
    """Return the page as Markdown."""
    return _HEAD + "".join(_row(name, field) for name, field in Settings.model_fields.items())


def _row(name: str, field: Any) -> str:
    required = field.default is PydanticUndefined
    default = "required" if required else f"`{shown(field.default)}`" if shown(field.default) else "empty"
    form = _FORMS.get(name) or ("duration" if isinstance(field.default, timedelta) else "text")
    meaning = " ".join(str(field.description).split())
    return f"| `{name.upper()}` | {form} | {default} | {meaning} |\n"
