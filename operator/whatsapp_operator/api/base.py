"""What all models of the API share: names, tolerance, and which defaults are stored.

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
from typing import Any, Final, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic.alias_generators import to_camel

STORED: Final = {"stored": True}
""" The validation context for what comes from the API server. """

DEFAULT_KEY: Final = "x-schema-default"
STORED_DEFAULT: Final = Field(json_schema_extra={DEFAULT_KEY: True})
""" In Annotated: the API server writes this default into the object. All other defaults are the operator's, so that
a nested one never violates a rule of its parent and a later version can change it for stored objects. """

REQUIRED_KEY: Final = "x-schema-required"
SCHEMA_REQUIRED: Final = Field(json_schema_extra={REQUIRED_KEY: True})
""" In Annotated: the schema demands the field though code may leave it to be filled in later. """

_ALIASES: Final = {
    "pod_uid": "podUID",
    "account_key_id": "accountKeyID",
    "phone_number_id": "phoneNumberID",
    "restart_at": "restart-at",
    "relink_at": "relink-at",
}


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
