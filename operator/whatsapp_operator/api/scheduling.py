"""Where a session's pod may run: tolerations and affinity, field by field as in a pod.

They are typed rather than passed through, because the API server silently drops what it does not know from a
pod: a mistyped key would not be refused, it would be a placement rule that does not apply.

What a pod would be refused for is refused here already, with what to do: otherwise `kubectl apply` would accept the
session, and its pod could never be created.
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from whatsapp_operator.api.base import SpecModel
from whatsapp_operator.api.bounds import KEY_LENGTH, MAX_KEY_LENGTH, at_most, plain_text
from whatsapp_operator.api.rules import Rule, validations

Text = Annotated[str, plain_text(longest=MAX_KEY_LENGTH)]
"""A label key or a topology key: prefix, slash and name."""
Value = Annotated[str, plain_text(longest=63)]
NodeName = Annotated[str, plain_text(longest=253)]
Weight = Annotated[int, Field(ge=1, le=100, json_schema_extra={"format": "int32"})]
_EVERY_VALUE = Rule(
    "!has(self.operator) || self.operator != 'Exists' || !has(self.value) || self.value == ''",
    "operator Exists takes no value: remove value, or set operator to Equal",
    field=".value",
)
_EVERY_KEY = Rule(
    "(has(self.key) && self.key != '') || (has(self.operator) && self.operator == 'Exists')",
    "without a key it fits every taint, which needs operator Exists: set operator to Exists, or write the taint's key",
    field=".key",
)
_SECONDS = Rule(
    "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
    "tolerationSeconds is for effect NoExecute: set effect to NoExecute, or remove tolerationSeconds",
    field=".tolerationSeconds",
)
_SOME_VALUES = Rule(
    "!(self.operator in ['In', 'NotIn']) || (has(self.values) && self.values.size() > 0)",
    "In and NotIn need values to compare with: add values, or set operator to Exists or DoesNotExist",
    field=".values",
)
_NO_VALUES = Rule(
    "!(self.operator in ['Exists', 'DoesNotExist']) || !has(self.values) || self.values.size() == 0",
    "Exists and DoesNotExist take no values: remove values, or set operator to In or NotIn",
    field=".values",
)
_ONE_NUMBER = Rule(
    "!(self.operator in ['Gt', 'Lt']) || (has(self.values) && self.values.size() == 1 && self.values[0].matches('^-?[0-9]{1,18}$'))",
    "Gt and Lt compare with a number: values must be one whole number, in quotes, and nothing else",
    field=".values",
)
_ATOMIC = ConfigDict(json_schema_extra={"x-kubernetes-map-type": "atomic"})


class PassedOn(SpecModel):
    """A part that goes into the pod as it was written."""

    def to_dict(self) -> dict[str, Any]:
        """Return what the person wrote, and nothing else."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)


class TolerationOperator(StrEnum):
    """How a toleration compares."""

    EXISTS = "Exists"
    EQUAL = "Equal"
    LT = "Lt"
    GT = "Gt"


class TaintEffect(StrEnum):
    """What a taint does."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class Toleration(PassedOn):
    """A taint that does not keep the pod off a node."""

    model_config = ConfigDict(json_schema_extra=validations(_EVERY_VALUE, _EVERY_KEY, _SECONDS))

    key: Text | None = None
    """The taint's key; left out, with operator Exists, it means every taint."""
    operator: TolerationOperator | None = None
    """How key and value are compared with the taint's; Lt and Gt only where the cluster has them switched on. Default:
    Equal."""
    value: Value | None = None
    """The taint's value; left out with operator Exists."""
    effect: TaintEffect | None = None
    """The taint's effect; left out, it means every effect."""
    toleration_seconds: Annotated[int, Field(json_schema_extra={"format": "int64"})] | None = None
    """With effect NoExecute, how many seconds the pod stays once the taint appears. Default: for ever."""


class NodeOperator(StrEnum):
    """How a node's label compares."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"
    GT = "Gt"
    LT = "Lt"


class LabelOperator(StrEnum):
    """How a label compares."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class NodeRequirement(PassedOn):
    """A condition on a label of the node."""

    model_config = ConfigDict(json_schema_extra=validations(_SOME_VALUES, _NO_VALUES, _ONE_NUMBER))

    key: Text
    """The label's key."""
    operator: NodeOperator
    """How the node's value relates to the values given here."""
    values: Annotated[tuple[Value, ...], at_most(items=8)] = ()
    """The values to compare with; none for Exists and DoesNotExist, one whole number for Gt and Lt."""


class NodeFieldRequirement(PassedOn):
    """A condition on a field of the node."""

    model_config = ConfigDict(json_schema_extra=validations(_SOME_VALUES, _NO_VALUES, _ONE_NUMBER))

    key: Text
    """The field's name: metadata.name."""
    operator: NodeOperator
    """How the node's value relates to the value given here."""
    values: Annotated[tuple[NodeName, ...], at_most(items=1)] = ()
    """The value to compare with."""


class NodeSelectorTerm(PassedOn):
    """A kind of node: all its requirements hold."""

    model_config = _ATOMIC

    match_expressions: Annotated[tuple[NodeRequirement, ...], at_most(items=3)] = ()
    """Requirements on the node's labels."""
    match_fields: Annotated[tuple[NodeFieldRequirement, ...], at_most(items=1)] = ()
    """Requirements on the node's fields, such as metadata.name."""


class NodeSelector(PassedOn):
    """Kinds of nodes, any of which will do."""

    model_config = _ATOMIC

    node_selector_terms: Annotated[tuple[NodeSelectorTerm, ...], Field(min_length=1, json_schema_extra={"maxItems": 2})]
    """The kinds of nodes; one that fits is enough."""


class PreferredNodes(PassedOn):
    """A kind of node that is preferred to others."""

    weight: Weight
    """How much it is preferred, from 1 to 100."""
    preference: NodeSelectorTerm
    """The kind of node."""


class NodeAffinity(PassedOn):
    """Which nodes the pod may or should run on."""

    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    """The pod runs on such nodes only."""
    preferred_during_scheduling_ignored_during_execution: Annotated[tuple[PreferredNodes, ...], at_most(items=2)] = ()
    """The pod rather runs on such nodes."""


class LabelRequirement(PassedOn):
    """A condition on a label."""

    model_config = ConfigDict(json_schema_extra=validations(_SOME_VALUES, _NO_VALUES))

    key: Text
    """The label's key."""
    operator: LabelOperator
    """How the label's value relates to the values given here."""
    values: Annotated[tuple[Value, ...], at_most(items=4)] = ()
    """The values to compare with; none for Exists and DoesNotExist."""


class LabelSelector(PassedOn):
    """Objects by their labels; an empty selector means all."""

    model_config = _ATOMIC

    match_labels: Annotated[dict[str, Value], at_most(entries=3, **validations(KEY_LENGTH))] = Field(
        default_factory=dict
    )
    """Labels with exactly these values."""
    match_expressions: Annotated[tuple[LabelRequirement, ...], at_most(items=1)] = ()
    """Requirements on labels; all of them hold."""


class PodAffinityTerm(PassedOn):
    """Pods, and how near to them is near."""

    topology_key: Text
    """The node label whose equal values mean the same place, such as kubernetes.io/hostname."""
    label_selector: LabelSelector | None = None
    """Which pods."""
    namespaces: Annotated[tuple[Value, ...], at_most(items=4)] = ()
    """The namespaces to look for them in. Default: the session's own."""
    namespace_selector: LabelSelector | None = None
    """The namespaces to look for them in, by label."""
    match_label_keys: Annotated[tuple[Text, ...], at_most(items=1)] = ()
    """Label keys whose values are taken from the session's pod and must be equal."""
    mismatch_label_keys: Annotated[tuple[Text, ...], at_most(items=1)] = ()
    """Label keys whose values are taken from the session's pod and must differ."""


class PreferredPods(PassedOn):
    """Pods whose neighbourhood is preferred, or avoided."""

    weight: Weight
    """How much, from 1 to 100."""
    pod_affinity_term: PodAffinityTerm
    """The pods and the neighbourhood."""


class PodAffinity(PassedOn):
    """Which pods the session's pod must or should run near to, or far from."""

    required_during_scheduling_ignored_during_execution: Annotated[tuple[PodAffinityTerm, ...], at_most(items=2)] = ()
    """What must hold when the pod is placed."""
    preferred_during_scheduling_ignored_during_execution: Annotated[tuple[PreferredPods, ...], at_most(items=1)] = ()
    """What should hold when the pod is placed."""


class Affinity(PassedOn):
    """Rules on where the pod is placed, as in a pod's spec."""

    node_affinity: NodeAffinity | None = None
    """Which nodes the pod may or should run on."""
    pod_affinity: PodAffinity | None = None
    """Which pods it must or should run near to."""
    pod_anti_affinity: PodAffinity | None = None
    """Which pods it must or should run far from."""
