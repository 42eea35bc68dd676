"""The parts of a pod that people may choose. Never a raw pod spec: what a runner needs and what keeps it safe is fixed.

Labels and annotations by which the operator finds and owns its pods are refused here, so that nobody can make a pod
look like another session's.
"""

from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.fields import FieldInfo

from whatsapp_operator.api.base import SpecModel
from whatsapp_operator.api.bounds import KEY_LENGTH, at_most
from whatsapp_operator.api.dns import RESOLVER, DNSConfig, DNSPolicy
from whatsapp_operator.api.rules import Rule, validations
from whatsapp_operator.api.scheduling import Affinity, Toleration
from whatsapp_operator.api.spreading import TopologySpreadConstraint

_SUBDOMAIN = "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')"
_LETTERS = "lower case letters, digits, '-' and '.', beginning and ending with a letter or digit"


def name_of(kind: str, *, longest: int = 253) -> FieldInfo:
    """In Annotated: the text is the name of an object of this kind, said with its article."""
    rule = Rule(_SUBDOMAIN, f"must be the name of {kind}: {_LETTERS}")
    info: FieldInfo = Field(max_length=longest, json_schema_extra=validations(rule))
    return info


def name_or_nothing(kind: str, *, nothing: str) -> FieldInfo:
    """In Annotated: the text is such a name, or empty for what `nothing` says."""
    rule = Rule(f"self == '' || {_SUBDOMAIN}", f"must be the name of {kind}, or empty for {nothing}: {_LETTERS}")
    info: FieldInfo = Field(max_length=253, json_schema_extra=validations(rule))
    return info


_OURS = "key == 'app.kubernetes.io/managed-by' || key.startsWith('wasession.dev/') || key.contains('.wasession.dev/')"
_RESERVED = "are set by the operator: remove app.kubernetes.io/managed-by and all keys under wasession.dev/"
_KEY = Rule(
    "self.all(key, key.matches('^([a-z0-9][-a-z0-9.]{0,252}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))",
    "a key must be a name of at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit, "
    "and may have a prefix such as example.com/",
)
_VALUE = Rule(
    "self.all(key, self[key].matches('^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$'))",
    "a value must have letters, digits, '-', '_' and '.' alone, and begin and end with a letter or digit",
)

_ALTOGETHER = Rule(
    "self.map(key, self[key].size()).sum() <= 2400",
    "annotations must have at most 2400 characters altogether, and 768 each: put more into a ConfigMap",
)

LabelValue = Annotated[str, Field(max_length=63)]
Labels = Annotated[
    dict[str, LabelValue],
    at_most(
        entries=16,
        **validations(Rule(f"self.all(key, !({_OURS}))", f"these labels {_RESERVED}"), _KEY, KEY_LENGTH, _VALUE),
    ),
]
NodeLabels = Annotated[
    dict[str, LabelValue],
    at_most(entries=8, **{"x-kubernetes-map-type": "atomic"}, **validations(_KEY, KEY_LENGTH, _VALUE)),
]
Annotations = Annotated[
    dict[str, Annotated[str, Field(json_schema_extra={"maxLength": 768})]],
    at_most(
        entries=16,
        **validations(
            Rule(f"self.all(key, !({_OURS}))", f"these annotations {_RESERVED}"), _KEY, KEY_LENGTH, _ALTOGETHER
        ),
    ),
]


_IMAGE = Rule(
    "self.matches('^[-A-Za-z0-9._:/@+]*$')",
    "must be an image's name without blanks, such as registry.example.com/whatsapp-runner:0.1.0",
)


class ImagePullSecret(SpecModel):
    """A Secret in the session's namespace with a registry's credentials."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-map-type": "atomic"})

    name: Annotated[str, name_of("a Secret")]
    """The Secret's name."""


class PodOptions(SpecModel):
    """What else the session's pod should have."""

    model_config = ConfigDict(json_schema_extra=validations(RESOLVER))

    image: Annotated[str, Field(min_length=1, max_length=512, json_schema_extra=validations(_IMAGE))] | None = None
    """The image of the runner, the program in the pod. Default: the one in the operator's settings."""
    image_pull_secrets: Annotated[
        tuple[ImagePullSecret, ...],
        at_most(items=4, **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}),
    ] = ()
    """Secrets in the session's namespace with credentials for the image's registry."""
    node_selector: NodeLabels = Field(default_factory=dict)
    """Labels that the node must have."""
    tolerations: Annotated[tuple[Toleration, ...], at_most(items=10, **{"x-kubernetes-list-type": "atomic"})] = ()
    """Taints that do not keep the pod off a node."""
    affinity: Affinity | None = None
    """Rules on where the pod is placed, as in a pod's spec."""
    topology_spread_constraints: Annotated[
        tuple[TopologySpreadConstraint, ...],
        at_most(
            items=3,
            **{
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["topologyKey", "whenUnsatisfiable"],
            },
        ),
    ] = ()
    """How sessions are spread over nodes or zones, as in a pod's spec."""
    scheduler_name: Annotated[str, name_of("a scheduler")] | None = None
    """The scheduler that places the pod; if no scheduler with this name runs, the pod waits. Default: the cluster's own."""
    priority_class_name: Annotated[str, name_of("a PriorityClass")] | None = None
    """The PriorityClass of the pod, for Kubernetes' scheduler; spec.priority is about the quota."""
    runtime_class_name: Annotated[str, name_of("a RuntimeClass")] | None = None
    """The RuntimeClass of the pod, such as one with a stronger sandbox."""
    dns_policy: DNSPolicy | None = None
    """Where the pod's resolver comes from: the cluster's (ClusterFirst), the node's (Default), or dnsConfig alone
    (None). Default: ClusterFirst."""
    dns_config: DNSConfig | None = None
    """Resolvers, search domains and options beside those of the policy, as in a pod's spec."""
    labels: Labels = Field(default_factory=dict)
    """Labels for the pod beside the operator's own, which win. The volume claim does not get them."""
    annotations: Annotations = Field(default_factory=dict)
    """Annotations for the pod beside the operator's own, which win."""
