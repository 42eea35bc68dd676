"""A rule of the schema: what the API server itself refuses, and the text that a person then reads.

Rules stand beside the model or type they are about and travel in its JSON schema; `crd` only carries them over. Each
text says what to do, because it is all that a user of `kubectl apply` sees.
"""

from typing import Any, NamedTuple


class Rule(NamedTuple):
    """One entry of `x-kubernetes-validations`."""

    expression: str
    """CEL; true means accepted."""
    message: str
    """What is wrong and what to do. With `computed`, what is shown should computing it fail."""
    field: str | None = None
    """The path, from where the rule stands, of the field that the error names: `.limits.memory`."""
    computed: str | None = None
    """CEL that makes the text from the values at hand."""

    def to_dict(self) -> dict[str, str]:
        """Return the entry as it stands in the CRD."""
        entry = {"rule": self.expression, "message": self.message}
        if self.computed is not None:
            entry["messageExpression"] = self.computed
        if self.field is not None:
            entry["fieldPath"] = self.field
        return entry


def validations(*rules: Rule) -> dict[str, Any]:
    """Return the rules as a piece of JSON schema, for a type's or a model's `json_schema_extra`."""
    return {"x-kubernetes-validations": [rule.to_dict() for rule in rules]}
