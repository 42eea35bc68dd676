"""What is in a cluster of somebody else's before the demo touches it, and what follows: pure, but for `look`.

Whatever the demo makes carries the label `app.kubernetes.io/part-of: whatsapp-demo`. An object with one of its names and
without that label is somebody else's: the demo refuses to begin, and never removes it.
"""

import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from session_devtools.kubectl import Kubectl

from session_demo.cast import CRDS, NAMESPACE, PART_OF, QUOTA

Object = Mapping[str, Any]

OPERATOR_NAMESPACE = "whatsapp-operator-demo"
NAMED = (
    ("namespace", NAMESPACE),
    *((kind, OPERATOR_NAMESPACE) for kind in ("namespace", "clusterrole", "clusterrolebinding")),
    *(("customresourcedefinition", name) for name in CRDS),
)
""" What the demo makes outside of its namespaces, but for the quota, whose kind may be unknown. """
DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class Crds(StrEnum):
    """Whose the CRDs of the API are."""

    ABSENT = "absent"
    DEMO = "the demo's"
    OTHERS = "somebody else's"


@dataclass(frozen=True, kw_only=True)
class Survey:
    """A cluster at one moment."""

    operators: tuple[str, ...]
    """ Operators of ours that are not this demo's, as NAMESPACE/NAME. """
    crds: Crds
    missing_crds: tuple[str, ...]
    foreign: tuple[str, ...]
    """ Objects with the demo's names that it did not make. """
    classes: tuple[str, ...]
    default_class: str
    """ Empty: none. """
    architectures: frozenset[str]
    """ The nodes'. """


def look(kubectl: Kubectl) -> Survey:
    """Read the cluster. :raises CommandError: a command failed."""
    named = _read(kubectl, *(f"{kind}/{name}" for kind, name in NAMED), "--ignore-not-found")
    crds = _of_kind(named, "CustomResourceDefinition")
    present = {item["metadata"]["name"] for item in crds}
    if CRDS[1] in present:
        named += _read(kubectl, f"whatsappsessionquota/{QUOTA}", "--ignore-not-found")
    listed = _read(kubectl, "deployments,leases,storageclasses,nodes", "--all-namespaces")
    classes = _of_kind(listed, "StorageClass")
    return Survey(
        operators=operators(_of_kind(listed, "Deployment"), _of_kind(listed, "Lease")),
        crds=whose(crds),
        missing_crds=tuple(name for name in CRDS if name not in present),
        foreign=foreign(item for item in named if item not in crds),
        classes=tuple(sorted(item["metadata"]["name"] for item in classes)),
        default_class=default_class(classes),
        architectures=frozenset(item["status"]["nodeInfo"]["architecture"] for item in _of_kind(listed, "Node")),
    )


def operators(deployments: Iterable[Object], leases: Iterable[Object]) -> tuple[str, ...]:
    """Where operators of ours are installed, or act by whatever means: by their label, or by a Lease that is held."""
    installed = {
        f"{item['metadata']['namespace']}/{item['metadata']['name']}"
        for item in deployments
        if _labels(item).get("app.kubernetes.io/name") == "whatsapp-session-operator"
        and item["metadata"]["namespace"] != OPERATOR_NAMESPACE
    }
    acting = {
        f"{item['metadata']['namespace']}/{item['metadata']['name']}"
        for item in leases
        if (
            item["metadata"]["name"] == "whatsapp-operator" or item["metadata"]["name"].startswith("whatsapp-operator-")
        )
        and item["metadata"]["namespace"] != OPERATOR_NAMESPACE
        and item.get("spec", {}).get("holderIdentity")
    }
    return tuple(sorted(installed | acting))


def whose(crds: Iterable[Object]) -> Crds:
    """Whose the CRDs are: one that the demo did not make decides."""
    owners = {_is_ours(item) for item in crds}
    if not owners:
        return Crds.ABSENT
    return Crds.DEMO if owners == {True} else Crds.OTHERS


def foreign(found: Iterable[Object]) -> tuple[str, ...]:
    """Those of the objects that the demo did not make, as KIND NAME."""
    return tuple(f"{item['kind'].lower()} {item['metadata']['name']}" for item in found if not _is_ours(item))


def default_class(classes: Iterable[Object]) -> str:
    """The name of the default StorageClass; empty without one."""
    for item in classes:
        annotations = item["metadata"].get("annotations", {})
        if any(annotations.get(name) == "true" for name in DEFAULT_CLASS):
            return str(item["metadata"]["name"])
    return ""


def obstacles(survey: Survey, *, storage_class: str, machine: str | None = None) -> list[str]:
    """Why the demo cannot play there, each with what to do; none: it can."""
    found = [
        f"{name} is there and was not made by this demo: it would be overwritten. Remove or rename it first"
        for name in survey.foreign
    ]
    if survey.crds is Crds.OTHERS and survey.missing_crds:
        found.append(
            f"the CRD {', '.join(survey.missing_crds)} is missing while the other one is there: finish that installation "
            "(docs/operations/install.md)"
        )
    known = ", ".join(survey.classes) or "none"
    if storage_class and storage_class not in survey.classes:
        found.append(f"there is no StorageClass {storage_class} (there is: {known})")
    if not storage_class and not survey.default_class:
        found.append(
            f"the cluster has no default StorageClass, and each session needs a volume: name one with STORAGE_CLASS=… "
            f"(there is: {known})"
        )
    built_for = ARCHITECTURES.get(machine or platform.machine(), machine or platform.machine())
    if survey.architectures and built_for not in survey.architectures:
        nodes = ", ".join(sorted(survey.architectures))
        found.append(f"the images are built on this machine for {built_for}, but the nodes are {nodes}")
    return found


def brings_crds(survey: Survey) -> bool:
    """Whether the demo installs the CRDs: there are none, or its own that nobody else uses by now."""
    return survey.crds is Crds.ABSENT or (survey.crds is Crds.DEMO and not survey.operators)


def kept_volumes(volumes: Iterable[Object]) -> list[str]:
    """The demo's volumes that their storage keeps although their claims are gone."""
    return [
        item["metadata"]["name"]
        for item in volumes
        if item["spec"].get("claimRef", {}).get("namespace") == NAMESPACE
        and item["spec"].get("persistentVolumeReclaimPolicy") != "Delete"
    ]


def removes_crds(survey: Survey, *, left: int) -> bool:
    """Whether going away takes the CRDs along: only those the demo made, and only when nobody needs them.

    `left` are sessions and quotas that are not the demo's: deleting the CRDs would delete them.
    """
    return survey.crds is Crds.DEMO and not survey.operators and left == 0


def _read(kubectl: Kubectl, *what: str) -> list[Object]:
    """Get objects by one command: kubectl answers with a list, with the one there is, or with nothing."""
    said = kubectl("get", *what, "--output=json")
    if not said.strip():
        return []
    answer = json.loads(said)
    return list(answer["items"]) if answer["kind"].endswith("List") else [answer]


def _of_kind(found: Iterable[Object], kind: str) -> list[Object]:
    return [item for item in found if item["kind"] == kind]


def _is_ours(item: Object) -> bool:
    return _labels(item).get("app.kubernetes.io/part-of") == PART_OF


def _labels(item: Object) -> Mapping[str, str]:
    labels: Mapping[str, str] = item["metadata"].get("labels", {})
    return labels
