"""The same schema as a page for people: docs/reference/api.md, one table per block, and every rule with its text."""

from collections.abc import Iterator, Mapping
from typing import Any

from whatsapp_operator.api import constants
from whatsapp_operator.api.conditions import ConditionType
from whatsapp_operator.api.crd.definitions import KINDS, Kind, root_schema
from whatsapp_operator.api.fields import DURATION_FORM

_INTRO = f"""\
<!-- Written by `make generate` from whatsapp_operator.api; change the models, not this page. -->
# API reference

Group `{constants.GROUP}`, version `{constants.VERSION}`.
`kubectl explain` shows the same descriptions, for example `kubectl explain was.spec.profile`.
[The design](../design/api.md) says why it is so; [JSON Schemas](editors.md) say the same to editors.
"""

_REQUESTS = f"""\
## What a person asks for once

An annotation on the session, with the time of the request as its value. Any value other than the one in
`status.handledRequests` counts; the operator never changes the annotation. The first two also end Stalled and Conflict.

| Annotation | What happens |
|---|---|
| `{constants.RESTART_AT}` | the pod is replaced, with all edits that wait; the login is kept |
| `{constants.RELINK_AT}` | the pod is replaced, and a session that is not linked any more shows a new QR code, whatever `spec.link.onLogout` says; one that still works keeps its login |
| `{constants.RENEW_TOKENS_AT}` | the session gets other tokens, in Secrets of other names; the running pod stays and takes the old ones for two more minutes |

The tokens come from the third one's value, so a value that was used before brings its tokens back: use the time.
Leave the annotation in place. Without it `status` alone knows which tokens the next pod is to take.

    kubectl annotate --overwrite was sales {constants.RESTART_AT}="$(date -u +%Y-%m-%dT%H:%M:%SZ)"
"""

_CONDITIONS = {
    ConditionType.READY: "linked and connected; Unknown while the runner does not answer",
    ConditionType.LINKED: "a phone is linked; keeps its value while the runner does not answer",
    ConditionType.ADMITTED: "its quota has admitted it",
    ConditionType.POD_READY: "the runner in its pod serves, whether linked or not",
    ConditionType.POD_SCHEDULED: "as on the pod; absent without one",
    ConditionType.SUSPENDED: "it is suspended and its pod is gone",
    ConditionType.STALLED: "a person has to act; the message says how",
    ConditionType.RECOVERING: "a new pod is being created for one that failed, was lost or is restarted",
    ConditionType.CONFLICT: "another browser took the session over",
    ConditionType.POD_SECURITY_NOT_ENFORCED: "present only while it is so: the namespace enforces no Pod Security Standard "
    "by its label, so that a pod beside the session may take over the node",
    ConditionType.SANDBOXED: "what the operator's settings ask for holds the page in: Chromium's sandbox, a user "
    "namespace; as the pod's own runner reports it, absent until it does",
    ConditionType.WEBHOOK_CLOSED: "present only while it is so: a webhook goes where the operator's settings let nothing go, "
    "as far as its address tells",
    ConditionType.SETTINGS_PENDING: "present only while it is so: the runner in the pod is older than some of the session's "
    "settings of webhooks, messaging, calls or presence, which wait for the next pod",
    ConditionType.TOKENS_RENEWED: "the runner takes the tokens that were asked for last; absent where nobody asked",
    ConditionType.CALL_FAILED: "present only while it is so: the API server refuses or fails a call for the session; "
    "which one, and in whose words, is in the message. It is tried again, at most two minutes apart or at the next edit",
}


_SCOPES = {"Namespaced": "In a namespace", "Cluster": "Cluster-wide"}


def reference() -> str:
    """Return the page."""
    parts = [_INTRO, *(_kind(kind) for kind in KINDS), _REQUESTS, _condition_table()]
    return "\n".join(parts)


def _condition_table() -> str:
    rows = "".join(f"| {kind} | {_CONDITIONS[kind]} |\n" for kind in ConditionType)
    return f"## Conditions of a session\n\n| Type | True when |\n|---|---|\n{rows}"


def _kind(kind: Kind) -> str:
    schema = root_schema(kind)
    columns = "".join(
        f"| {column.name} | `{column.path}` | {column.description}{' (`-o wide`)' if column.wide else ''} |\n"
        for column in kind.columns
    )
    blocks = "".join(
        _block(path, block) for part in ("spec", "status") for path, block in _blocks(part, schema["properties"][part])
    )
    rules = "".join(f"| `{path}` | {_cell(text)} |\n" for path, text in _rules("", schema))
    return (
        f"## {kind.kind}\n\n{schema['description']} {_SCOPES[kind.scope]}, short name `{kind.short}`.\n\n"
        f"{blocks}"
        f"### What the API server refuses ({kind.kind})\n\nBeside wrong types, bounds and unknown words.\n\n"
        f"| Where | What it says |\n|---|---|\n{rules}\n"
        f"### Columns of `kubectl get {kind.short}`\n\n| Column | From | Meaning |\n|---|---|---|\n{columns}"
    )


def _blocks(path: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object with named fields, with its path, outermost first."""
    if "properties" not in schema:
        return
    yield path, schema
    for name, field in schema["properties"].items():
        if "items" in field:
            yield from _blocks(f"{path}.{name}[]", field["items"])
        else:
            yield from _blocks(f"{path}.{name}", field)


def _block(path: str, schema: Mapping[str, Any]) -> str:
    rows = "".join(
        f"| `{name}` | {_type(field)} | {_cell(field['description'])} |\n"
        for name, field in schema["properties"].items()
    )
    return f"### `{path}`\n\n| Field | Type | Description |\n|---|---|---|\n{rows}\n"


def _type(field: Mapping[str, Any]) -> str:
    if field.get("x-kubernetes-int-or-string"):
        return "quantity"
    if DURATION_FORM.to_dict() in field.get("x-kubernetes-validations", ()):
        return "duration"
    if "enum" in field:
        return " \\| ".join(field["enum"])
    if field["type"] == "array":
        return f"list of {_type(field['items'])}"
    if "additionalProperties" in field:
        return f"map to {_type(field['additionalProperties'])}"
    bounds = [
        f"{label} {field[key]}" for key, label in (("minimum", "from"), ("maximum", "to")) if _is_stated(field, key)
    ]
    return ", ".join([{"date-time": "time"}.get(field.get("format", ""), str(field["type"])), *bounds])


def _is_stated(field: Mapping[str, Any], key: str) -> bool:
    return key in field and abs(int(field[key])) < 2**31 - 1


def _rules(path: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for rule in schema.get("x-kubernetes-validations", ()):
        yield (path + rule.get("fieldPath", "")).removeprefix(".") or "metadata.name", rule["message"]
    for name, field in schema.get("properties", {}).items():
        yield from _rules(f"{path}.{name}", field)
    if isinstance(schema.get("items"), Mapping):
        yield from _rules(f"{path}[]", schema["items"])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
