"""From a model to a structural schema: one small model per property of the conversion."""

from datetime import timedelta
from typing import Annotated

import pytest
from pydantic import ConfigDict, Field
from whatsapp_operator.api.base import SCHEMA_REQUIRED, STORED_DEFAULT, ApiModel
from whatsapp_operator.api.crd.schema import structural
from whatsapp_operator.api.fields import Cpu, Duration, Int32, Time
from whatsapp_operator.api.rules import Rule, validations


class Inner(ApiModel):
    """An inner block."""

    model_config = ConfigDict(json_schema_extra=validations(Rule("has(self.a)", "write a")))

    some_name: str = ""
    """Its
    name."""


class Outer(ApiModel):
    """The whole."""

    described: Inner = Inner()
    """Described by the field."""
    bare: Inner | None = None
    many: tuple[Inner, ...] = ()
    """Many of them."""
    by_name: dict[str, Inner] = Field(default_factory=dict)
    """Some by name."""
    length: Duration = timedelta(minutes=90)
    """How long."""
    moment: Time | None = None
    """When."""
    count: Annotated[Int32, STORED_DEFAULT] = 7
    """How many."""
    must: Annotated[str | None, SCHEMA_REQUIRED] = None
    """Filled in later."""
    needed: Cpu
    """Always given."""


SCHEMA = structural(Outer, show_defaults=True)["properties"]


def test_references_are_written_out() -> None:
    """A structural schema stands alone; each place has the block whole, its rules with it."""
    for place in (
        SCHEMA["described"],
        SCHEMA["bare"],
        SCHEMA["many"]["items"],
        SCHEMA["byName"]["additionalProperties"],
    ):
        assert place["type"] == "object"
        assert place["properties"]["someName"] == {"type": "string", "description": "Its name."}
        assert [{"rule": "has(self.a)", "message": "write a"}] == place["x-kubernetes-validations"]


def test_the_fields_own_description_wins_over_the_blocks() -> None:
    """A block's description is the fallback."""
    assert SCHEMA["described"]["description"] == "Described by the field."
    assert SCHEMA["bare"]["description"] == "An inner block."


def test_an_optional_field_is_one_that_may_be_absent() -> None:
    """Not one that may be null: the API server would store the null."""
    assert SCHEMA["moment"] == {"description": "When.", "type": "string", "format": "date-time"}


def test_lists_are_replaced_whole_unless_they_say_otherwise() -> None:
    """The API server's own default, written out."""
    assert SCHEMA["many"]["x-kubernetes-list-type"] == "atomic"


def test_only_marked_defaults_are_stored() -> None:
    """The others are told."""
    assert SCHEMA["count"]["default"] == 7
    assert [] == [name for name, field in SCHEMA.items() if "default" in field and name != "count"]


@pytest.mark.parametrize(("name", "end"), [("length", "How long. Default: 1h30m."), ("count", "How many. Default: 7.")])
def test_defaults_are_shown_as_people_write_them(name: str, end: str) -> None:
    """A duration is not PT1H30M."""
    assert end == SCHEMA[name]["description"]


def test_an_absent_or_empty_default_is_not_shown() -> None:
    """There is nothing to say."""
    assert SCHEMA["moment"]["description"] == "When."
    assert SCHEMA["described"]["properties"]["someName"]["description"] == "Its name."


def test_status_shows_no_defaults() -> None:
    """Nobody writes it, so nothing is filled in for anybody."""
    assert structural(Outer, show_defaults=False)["properties"]["length"]["description"] == "How long."


def test_what_the_schema_demands_is_listed_in_order() -> None:
    """Fields without a default, and those that code fills in later."""
    assert structural(Outer, show_defaults=True)["required"] == ["must", "needed"]


def test_nothing_of_pydantics_own_is_left() -> None:
    """Titles, markers and definitions would make the CRD invalid."""

    def keys(node: object) -> set[str]:
        if isinstance(node, dict):
            return {*node, *(key for value in node.values() for key in keys(value))}
        return {key for value in node for key in keys(value)} if isinstance(node, list) else set()

    assert set() == keys(structural(Outer, show_defaults=True)) & {
        "title",
        "$ref",
        "$defs",
        "anyOf",
        "allOf",
        "x-schema-default",
        "x-schema-required",
    }
