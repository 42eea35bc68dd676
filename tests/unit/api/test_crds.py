"""The checked-in CRDs: as the models say, and as the conventions of good CRDs demand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from session_protocol.vocabulary import RunnerState
from whatsapp_operator.api.conditions import ConditionType
from whatsapp_operator.api.crd.definitions import KINDS, SESSION, Kind, definition, root_schema
from whatsapp_operator.api.crd.schema import UnsupportedSchemaError, structural
from whatsapp_operator.api.generate import files
from whatsapp_operator.api.session import OperatorState, SessionSpec

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)


def fields(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field below a schema with its path; items and values of maps are not fields."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields(field, f"{path}.{name}")
        if isinstance(field.get("items"), dict):
            yield from fields(field["items"], f"{path}.{name}[]")


def everything(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every schema node, itself included."""
    yield schema
    for child in schema.get("properties", {}).values():
        yield from everything(child)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from everything(schema[key])


@each_kind
def test_the_yaml_says_the_definition(kind: Kind) -> None:
    """Nothing is lost or retyped on the way to YAML (a text such as "1" stays a text)."""
    text = files()[Path("crds") / kind.file_name]

    assert definition(kind) == yaml.safe_load(text)


@each_kind
def test_every_field_has_a_description(kind: Kind) -> None:
    """`kubectl explain` has a word on everything; metadata is the API server's."""
    schema = root_schema(kind)
    bare = [path for path, field in fields(schema) if not field.get("description") and not path.startswith(".metadata")]

    assert bare == []


@each_kind
def test_descriptions_are_sentences(kind: Kind) -> None:
    """They begin with a capital or a name and end with a full stop, and keep no line breaks of the source."""
    odd = [
        path
        for path, field in fields(root_schema(kind))
        if (text := field.get("description")) and (not text.rstrip().endswith(".") or "\n" in text or "  " in text)
    ]

    assert odd == []


@each_kind
def test_strings_lists_and_maps_that_rules_see_are_bounded(kind: Kind) -> None:
    """The API server estimates what a rule may cost by these bounds, and refuses a CRD that may cost too much."""
    unbounded = [
        path
        for path, field in fields(root_schema(kind)["properties"]["spec"])
        if (field.get("type") == "array" and "maxItems" not in field)
        or (field.get("type") == "string" and not {"maxLength", "enum"} & field.keys())
    ]

    assert unbounded == []


@each_kind
def test_every_list_says_how_it_merges(kind: Kind) -> None:
    """Server-side apply by two people must not depend on chance."""
    lists = [node for node in everything(root_schema(kind)) if node.get("type") == "array"]

    assert lists
    assert all(node["x-kubernetes-list-type"] in {"atomic", "map"} for node in lists)


@each_kind
def test_no_default_stands_on_a_block(kind: Kind) -> None:
    """A default on an object would be judged by its rules before nested defaults are there; status has no rules."""
    nodes = everything(root_schema(kind)["properties"]["spec"])

    assert [] == [node for node in nodes if "default" in node and node.get("type") == "object"]


def test_only_the_top_of_the_spec_has_stored_defaults() -> None:
    """A default in a block would fill in what nobody wrote; the operator's defaults are in the descriptions.

    The status has one for tools that wait: nobody has seen the session yet.
    """
    defaults = {path: field["default"] for path, field in fields(root_schema(SESSION)) if "default" in field}

    assert {
        ".spec.operatingMode": "Running",
        ".spec.replicas": 1,
        ".spec.quotaName": "default",
        ".spec.priority": 0,
        ".status": {"observedGeneration": -1},
    } == defaults


def test_defaults_in_effect_are_reported() -> None:
    """A person sees them with `kubectl explain`, written as in a manifest."""
    spec = root_schema(SESSION)["properties"]["spec"]["properties"]

    assert spec["recovery"]["properties"]["healthyAfter"]["description"].endswith("Default: 10m.")
    assert spec["link"]["properties"]["maxRounds"]["description"].endswith("Default: 5.")
    assert spec["profile"]["properties"]["accessMode"]["description"].endswith("Default: ReadWriteOncePod.")


def test_the_state_is_a_pattern_and_its_description_names_every_state() -> None:
    """A newer runner's word must be storable, so there is no enumeration; the words we know are in the description."""
    state = root_schema(SESSION)["properties"]["status"]["properties"]["state"]

    assert state["pattern"] == "^[A-Z][A-Za-z0-9]{0,62}$"
    assert "enum" not in state
    assert [] == [name for name in (*OperatorState, *RunnerState) if name not in state["description"]]


@each_kind
def test_conditions_are_the_common_kind(kind: Kind) -> None:
    """A list by type, with all fields of a Kubernetes condition, as tools expect it."""
    conditions = root_schema(kind)["properties"]["status"]["properties"]["conditions"]

    assert (conditions["x-kubernetes-list-type"], conditions["x-kubernetes-list-map-keys"]) == ("map", ["type"])
    assert {"type", "status", "reason", "message", "lastTransitionTime", "observedGeneration"} == set(
        conditions["items"]["properties"]
    )
    assert ["lastTransitionTime", "reason", "status", "type"] == conditions["items"]["required"]


def test_names_columns_and_subresources_are_the_contracts() -> None:
    """What scripts and dashboards stand on."""
    spec = definition(SESSION)["spec"]
    version = spec["versions"][0]
    columns = version["additionalPrinterColumns"]

    assert (spec["names"]["shortNames"], spec["names"]["categories"]) == (["was"], ["whatsapp"])
    assert ["State", "Ready", "Quota", "Node", "Restarts", "Age"] == [
        column["name"] for column in columns if "priority" not in column
    ]
    assert ["Pod", "Browser", "Account", "Next attempt", "Message"] == [
        column["name"] for column in columns if "priority" in column
    ]
    assert {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    } == version["subresources"]["scale"]


@each_kind
def test_every_rule_says_what_to_do(kind: Kind) -> None:
    """A text that only says no helps nobody: it says must, may only, remove, raise, set or create."""
    rules = [rule for node in everything(root_schema(kind)) for rule in node.get("x-kubernetes-validations", ())]

    assert rules
    verbs = ("must", "may only", "remove", "raise", "set ", "create ", "has letters")
    assert [] == [rule["message"] for rule in rules if not any(verb in rule["message"] for verb in verbs)]


def test_a_model_with_two_types_for_a_field_is_refused() -> None:
    """A structural schema has no "one of these"; the mistake shows when generating, not in a cluster."""

    class Odd(BaseModel):
        either: int | str

    with pytest.raises(UnsupportedSchemaError, match="one type or none"):
        structural(Odd, show_defaults=False)


def test_the_reference_page_has_every_field_rule_and_condition() -> None:
    """The page is complete: nothing in the schema is missing in it."""
    page = files()[Path("docs/reference/api.md")]
    named = [path.rsplit(".", 1)[-1] for path, _ in fields(structural(SessionSpec, show_defaults=True))]
    texts = [
        rule["message"]
        for node in everything(root_schema(SESSION))
        for rule in node.get("x-kubernetes-validations", ())
    ]

    assert [] == [name for name in named if f"`{name}`" not in page]
    assert [] == [text for text in texts if text not in page]
    assert [] == [kind for kind in ConditionType if f"| {kind} |" not in page]
