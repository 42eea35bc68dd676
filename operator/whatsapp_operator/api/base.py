"""What all models of the API share: names, tolerance, and how a field says more to the schema than its type.

A model here is three things at once: what the operator reads and writes, the schema in `crds/`, and a page of the
reference. So a field's docstring is what `kubectl explain` shows, and a rule stands beside the fields it is about.

Two kinds of model, because two kinds of people write them:

* `SpecModel`: written by people. A value that cannot be used is an error (see `invalid`), a field that this version
  does not know is ignored.
* `StatusModel`: written by the operator. Read with `context=STORED`, a field that cannot be used counts as absent;
  constructed in code, it is an error like everywhere else.

In Python the names are snake_case; in manifests camelCase. Instances are frozen: use `model_copy(update=…)`.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    field_validator,
)
from pydantic.alias_generators import to_camel

from whatsapp_operator.api import durations, quantities, times
from whatsapp_operator.api.rules import Rule, validations

STORED: Final = {"stored": True}
""" The validation context for what comes from the API server. """

DEFAULT_KEY: Final = "x-schema-default"
STORED_DEFAULT: Final = Field(json_schema_extra={DEFAULT_KEY: True})
""" In Annotated: the API server writes this default into the object. All other defaults are the operator's, so that
a nested one never meets a rule of its parent and a later version can change it for stored objects. """

REQUIRED_KEY: Final = "x-schema-required"
SCHEMA_REQUIRED: Final = Field(json_schema_extra={REQUIRED_KEY: True})
""" In Annotated: the schema demands the field though code may leave it to be filled in later. """

_ALIASES: Final = {"pod_uid": "podUID", "restart_at": "restart-at", "relink_at": "relink-at"}


def manifest_name(name: str) -> str:
    """Return the manifest's name of a Python field: pod_name, podName."""
    return _ALIASES.get(name) or to_camel(name)


class ApiModel(BaseModel):
    """The configuration that every model has."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=manifest_name,
        validate_by_alias=True,
        validate_by_name=True,
        use_attribute_docstrings=True,
    )

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest's form: camelCase, quantities, durations and times as texts, nothing that is absent."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class SpecModel(ApiModel):
    """A part of what people write."""


class StatusModel(ApiModel):
    """A part of what the operator writes."""

    @classmethod
    def from_stored(cls, stored: object) -> Self:
        """Read what the API server keeps; whatever cannot be used counts as absent."""
        return cls.model_validate(stored if isinstance(stored, Mapping) else {}, context=STORED)

    @field_validator("*", mode="wrap")
    @classmethod
    def _tolerate(cls, value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        try:
            return handler(value)
        except ValidationError:
            field = cls.model_fields[info.field_name or ""]
            if info.context != STORED or field.is_required():
                raise
            return field.get_default(call_default_factory=True)


def _quantity_schema(*, at_least: str, otherwise: str) -> WithJsonSchema:
    """A text or a whole number, held to its form and to a smallest amount; `otherwise` is the text for less."""
    form = Rule("isQuantity(string(self))", "must be a quantity such as 384Mi, 1Gi, 500m or 2")
    floor = Rule(
        f"!isQuantity(string(self)) || quantity(string(self)).compareTo(quantity('{at_least}')) >= 0", otherwise
    )
    return WithJsonSchema(
        {"x-kubernetes-int-or-string": True, "maxLength": 32, **validations(form, floor)}, mode="validation"
    )


_Quantity = Annotated[
    Decimal, BeforeValidator(quantities.parse_quantity), PlainSerializer(quantities.format_quantity, return_type=str)
]

Cpu = Annotated[
    _Quantity,
    _quantity_schema(
        at_least="1m", otherwise="must be at least 1m, a thousandth of a CPU; leave it out for the default"
    ),
]
""" CPUs. """
Memory = Annotated[
    _Quantity,
    _quantity_schema(at_least="1Mi", otherwise="must be at least 1Mi: write 384Mi for 384 mebibytes, or leave it out"),
]
""" Bytes. """
SessionMemory = Annotated[
    _Quantity,
    _quantity_schema(
        at_least="256Mi", otherwise="must be at least 256Mi, less does not hold a browser: raise it or leave it out"
    ),
]
""" Bytes, enough for one session. """
QuotaMemory = Annotated[
    _Quantity,
    _quantity_schema(
        at_least="256Mi", otherwise="must be at least 256Mi, the smallest session: to admit none set sessions to 0"
    ),
]
""" Bytes, for the sessions of a quota together. """
VolumeSize = Annotated[
    _Quantity,
    _quantity_schema(at_least="1Mi", otherwise="must be at least 1Mi: write 2Gi for 2 gibibytes, or leave it out"),
]
""" Bytes, of a volume. """
StoredMemory = Annotated[_Quantity, WithJsonSchema({"x-kubernetes-int-or-string": True}, mode="validation")]
""" Bytes, in status. """


UNLESS_DURATION: Final = f"!self.matches('{durations.DURATION_PATTERN}') ||"
""" Before a rule that computes with a duration: a text that is none has its own rule and its own text. """


def _duration_schema(*more: Rule) -> WithJsonSchema:
    form = Rule(
        f"self.matches('{durations.DURATION_PATTERN}')",
        "must be a duration of whole numbers with units, such as 30s, 5m, 1h30m or 500ms",
    )
    positive = Rule(
        f"{UNLESS_DURATION} duration(self) > duration('0s')", "must be longer than 0s; leave it out for the default"
    )
    return WithJsonSchema({"type": "string", "maxLength": 32, **validations(form, positive, *more)}, mode="validation")


_Duration = Annotated[
    timedelta,
    BeforeValidator(durations.parse_duration),
    PlainSerializer(durations.format_duration, return_type=str),
]
Duration = Annotated[
    _Duration, _duration_schema(Rule(f"{UNLESS_DURATION} duration(self) <= duration('24h')", "must be at most 24h"))
]
Delay = Annotated[
    _Duration,
    _duration_schema(
        Rule(
            f"{UNLESS_DURATION} duration(self) <= duration('5m')",
            "must be at most 5m, the longest delay between two attempts",
        )
    ),
]
""" Between two attempts. """
Time = Annotated[
    AwareDatetime,
    AfterValidator(times.whole_seconds),
    PlainSerializer(times.format_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="validation"),
]
Int32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1, json_schema_extra={"format": "int32"})]
Count = Annotated[int, Field(ge=0, le=2**31 - 1, json_schema_extra={"format": "int32"})]
Int64 = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]

__all__ = [
    "DEFAULT_KEY",
    "REQUIRED_KEY",
    "SCHEMA_REQUIRED",
    "STORED",
    "STORED_DEFAULT",
    "ApiModel",
    "Count",
    "Cpu",
    "Delay",
    "Duration",
    "Int32",
    "Int64",
    "Memory",
    "QuotaMemory",
    "SessionMemory",
    "SpecModel",
    "StatusModel",
    "StoredMemory",
    "Time",
    "VolumeSize",
    "manifest_name",
]
