"""The JSON Schemas for editors: what the API server takes fits, and what nobody meant is found while it is typed."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import strategies
import yaml
from hypothesis import given
from whatsapp_operator.api.crd.definitions import KINDS, QUOTA, SESSION, Kind
from whatsapp_operator.api.crd.json_schema import json_schema, json_schema_path

REPOSITORY = Path(__file__).parents[3]
MANIFESTS = REPOSITORY / "manifests"
FULL: dict[str, Any] = yaml.safe_load((MANIFESTS / "examples/session-full.yaml").read_text())
VALIDATORS = {kind.kind: jsonschema_rs.Draft7Validator(json_schema(kind)) for kind in KINDS}
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)


def shipped() -> list[Any]:
    """Every session and quota in the manifests, with the file it stands in."""
    return [
        pytest.param(document, id=f"{file.name}-{document['metadata']['name']}")
        for file in sorted([*MANIFESTS.glob("examples/*.yaml"), *MANIFESTS.glob("quota/*.yaml")])
        for document in yaml.safe_load_all(file.read_text())
        if document and document["kind"] in VALIDATORS
    ]


def blocks(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every block of a manifest."""
    if isinstance(node, dict):
        yield path
        for name, value in node.items():
            yield from blocks(value, (*path, name))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from blocks(value, (*path, index))


@each_kind
def test_it_is_a_valid_schema_where_catalogues_have_it(kind: Kind) -> None:
    """By group, kind and version; and none of the API server's own words is left in it."""
    file = REPOSITORY / "schemas" / "wasession.dev" / f"{kind.kind.lower()}_v1alpha1.json"
    text = file.read_text()

    jsonschema_rs.meta.validate(json.loads(text))
    assert file == REPOSITORY / "schemas" / json_schema_path(kind)
    assert json_schema(kind) == json.loads(text)
    assert "x-kubernetes" not in text


@pytest.mark.parametrize("manifest", shipped())
def test_every_example_fits(manifest: dict[str, Any]) -> None:
    """An editor has nothing to say about what we ship."""
    assert [] == [error.message for error in VALIDATORS[manifest["kind"]].iter_errors(manifest)]


@given(manifest=strategies.session_manifests())
def test_what_the_api_server_takes_fits(manifest: dict[str, Any]) -> None:
    """No session that is fine is underlined."""
    assert [] == [error.message for error in VALIDATORS[SESSION.kind].iter_errors(manifest)]


@given(spec=strategies.quota_specs())
def test_what_the_api_server_takes_of_quotas_fits(spec: dict[str, Any]) -> None:
    """Nor any such quota."""
    manifest = {"apiVersion": "wasession.dev/v1alpha1", "kind": QUOTA.kind, "metadata": {"name": "shop"}, "spec": spec}

    assert VALIDATORS[QUOTA.kind].is_valid(manifest)


@pytest.mark.parametrize("path", list(blocks(FULL)), ids=lambda path: ".".join(map(str, path)) or "root")
def test_a_misspelt_field_is_found_wherever_it_stands(path: tuple[str | int, ...]) -> None:
    """In each block with fields of its own; maps have keys of the writer's, and metadata is Kubernetes' own."""
    wrong = copy.deepcopy(FULL)
    block: Any = wrong
    for step in path:
        block = block[step]
    block["replica"] = "1"
    free = path[:1] == ("metadata",) or path[-1:] in {
        ("labels",),
        ("annotations",),
        ("nodeSelector",),
        ("matchLabels",),
    }

    assert free == VALIDATORS[SESSION.kind].is_valid(wrong)


@pytest.mark.parametrize(
    ("field", "value"),
    [("apiVersion", "wasession.dev/v1"), ("kind", "WhatsappSession"), ("metadata", None), ("spec", None)],
)
def test_an_object_of_another_kind_or_without_its_parts_is_found(field: str, value: str | None) -> None:
    """What kubectl would not find or not take."""
    wrong = {name: text for name, text in FULL.items() if name != field} | ({field: value} if value else {})

    assert not VALIDATORS[SESSION.kind].is_valid(wrong)


@pytest.mark.parametrize("amount", [1, "1", "384Mi", "0.5"])
def test_a_quantity_is_a_number_or_a_text(amount: int | str) -> None:
    """As the API server takes it; not a list, not a truth."""
    manifest = copy.deepcopy(FULL)
    manifest["spec"]["resources"] = {"requests": {"cpu": amount}}
    odd = copy.deepcopy(FULL)
    odd["spec"]["resources"] = {"requests": {"cpu": [amount]}}

    assert VALIDATORS[SESSION.kind].is_valid(manifest)
    assert not VALIDATORS[SESSION.kind].is_valid(odd)


def test_the_page_names_the_schemas_that_are_there() -> None:
    """Who follows docs/reference/editors.md finds each file."""
    page = (REPOSITORY / "docs/reference/editors.md").read_text()

    assert all(f"schemas/{json_schema_path(kind)}" in page for kind in KINDS)
    assert Path("schemas") / json_schema_path(SESSION) == Path("schemas/wasession.dev/whatsappsession_v1alpha1.json")
