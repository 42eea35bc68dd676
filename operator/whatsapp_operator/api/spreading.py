"""How sessions' pods are spread over nodes and zones: topology spread constraints, field by field as in a pod.

One thing is more than a pod's: a constraint that names no pods means the sessions of the namespace. In a pod's own spec
it would count no pod at all, and so spread nothing.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from whatsapp_operator.api.bounds import MAX_KEY_LENGTH, at_most
from whatsapp_operator.api.constants import NAME_LABEL
from whatsapp_operator.api.rules import Rule, validations
from whatsapp_operator.api.scheduling import LabelSelector, PassedOn

_IS_KEY = Rule(
    "self.matches('^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$')",
    "must be a label's key, such as topology.kubernetes.io/zone: at most 63 letters, digits, '-', '_' and '.', beginning "
    "and ending with a letter or digit, and may have a prefix such as example.com/",
)
Key = Annotated[str, Field(json_schema_extra={"maxLength": MAX_KEY_LENGTH, **validations(_IS_KEY)})]
Count = Annotated[int, Field(ge=1, le=2**31 - 1, json_schema_extra={"format": "int32"})]
_SELECTED = (
    "(has(self.labelSelector) ? ("
    "(has(self.labelSelector.matchLabels) && key in self.labelSelector.matchLabels) || "
    "(has(self.labelSelector.matchExpressions) && self.labelSelector.matchExpressions.exists(each, each.key == key))"
    f") : key == '{NAME_LABEL}')"
)
_TWICE = Rule(
    f"!has(self.matchLabelKeys) || !self.matchLabelKeys.exists(key, {_SELECTED})",
    f"a key may be in matchLabelKeys or in labelSelector, not in both (without a labelSelector, {NAME_LABEL} is in "
    "it): remove it from matchLabelKeys",
    field=".matchLabelKeys",
)
_DOMAINS = Rule(
    "!has(self.minDomains) || self.whenUnsatisfiable == 'DoNotSchedule'",
    "minDomains is for whenUnsatisfiable DoNotSchedule: set it to that, or remove minDomains",
    field=".minDomains",
)


class WhenUnsatisfiable(StrEnum):
    """What the scheduler does with a pod that would break the constraint."""

    DO_NOT_SCHEDULE = "DoNotSchedule"
    SCHEDULE_ANYWAY = "ScheduleAnyway"


class InclusionPolicy(StrEnum):
    """Whether nodes that the pod cannot run on count."""

    HONOR = "Honor"
    IGNORE = "Ignore"


class TopologySpreadConstraint(PassedOn):
    """How unevenly pods may lie over nodes, zones or other places."""

    model_config = ConfigDict(json_schema_extra=validations(_TWICE, _DOMAINS))

    max_skew: Count
    """By how many pods the fullest place may exceed the emptiest."""
    topology_key: Key
    """The node label whose equal values mean the same place, such as topology.kubernetes.io/zone."""
    when_unsatisfiable: WhenUnsatisfiable
    """DoNotSchedule: the pod waits; ScheduleAnyway: it is preferred."""
    label_selector: LabelSelector | None = None
    """Which pods of the namespace are counted. Default: those of all its sessions."""
    min_domains: Count | None = None
    """With DoNotSchedule, how many places there must be; with fewer, the emptiest counts as empty. Default: 1."""
    node_affinity_policy: InclusionPolicy | None = None
    """Honor: only nodes that the pod's nodeSelector and affinity allow are counted. Default: Honor."""
    node_taints_policy: InclusionPolicy | None = None
    """Honor: only nodes whose taints the pod tolerates are counted. Default: Ignore."""
    match_label_keys: Annotated[tuple[Key, ...], at_most(items=2)] = ()
    """Label keys whose values are taken from the session's pod: only pods that equal it there are counted."""
