"""Bounds of lists, maps and texts that the API server holds people to, so that a session has at most 72 KiB.

They stand in the schema alone. The operator reads whatever is stored: a session from before a bound was set is as good
as any other, and the API server lets people edit everything else about it.
"""

from typing import Any, Final

from pydantic import Field
from pydantic.fields import FieldInfo

from whatsapp_operator.api.rules import Rule, validations

MAX_KEY_LENGTH: Final = 100
""" Of a label's key with its prefix. Kubernetes admits 317; no key in use comes near to this. """

KEY_LENGTH: Final = Rule(
    f"self.all(key, key.size() <= {MAX_KEY_LENGTH})",
    f"a key must have at most {MAX_KEY_LENGTH} characters here, its prefix included: choose a shorter one",
)
""" Of a map whose keys are labels' keys: no bound of a schema can name these. """

_PLAIN: Final = Rule(
    "self.matches('^[-A-Za-z0-9_./]*$')", "must be made of letters, digits, '-', '_', '.' and '/' alone"
)


def at_most(*, items: int | None = None, entries: int | None = None, **more: Any) -> FieldInfo:
    """In Annotated: a list has at most so many items, a map so many entries; `more` is what else its schema says."""
    bound = {"maxItems": items, "maxProperties": entries}
    extra = {name: value for name, value in bound.items() if value is not None}
    info: FieldInfo = Field(json_schema_extra={**extra, **more})
    return info


def plain_text(*, longest: int) -> FieldInfo:
    """In Annotated: a text of at most so many characters that labels, taints and names are made of."""
    info: FieldInfo = Field(json_schema_extra={"maxLength": longest, **validations(_PLAIN)})
    return info
