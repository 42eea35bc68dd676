"""What is in a cluster of somebody else's before the demo touches it, and what follows: pure, but for `inspect`.

Whatever the demo makes carries the label `app.kubernetes.io/part-of: whatsapp-demo`. An object with one of its names and
without that label is somebody else's: the demo refuses to begin, and never removes it.
"""

import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from session_devtools.installation.constants import CRDS, NAMESPACE, PART_OF
from session_devtools.kubectl import Kubectl

from session_demo.manifests import QUOTA

Object = Mapping[str, Any]

OPERATOR_NAMESPACE = "whatsapp-operator-demo"
OPERATOR_OBJECTS = (
    *((kind, OPERATOR_NAMESPACE) for kind in ("namespace", "clusterrole", "clusterrolebinding")),
    *(
        (f"validatingadmissionpolicy{part}", f"whatsapp-operator-{name}-demo")
        for part in ("", "binding")
        for name in ("labels", "pod-fields", "account", "numbers")
    ),
)
""" What the demo's operator consists of outside of its namespace, and that. """
OWN_OBJECTS = (
    ("namespace", NAMESPACE),
    *OPERATOR_OBJECTS,
    *(("customresourcedefinition", name) for name in CRDS),
)
""" What the demo makes outside of its namespaces, but for the quota, whose kind may be unknown. """
DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class CrdOwner(StrEnum):
    """Whose the CRDs of the API are."""

    ABSENT = "absent"
    DEMO = "the demo's"
    OTHERS = "somebody else's"


@dataclass(frozen=True, kw_only=True)
class Findings:
    """A cluster at one moment."""

    operators: tuple[str, ...]
    """ Operators of ours that are not this demo's, as NAMESPACE/NAME. """
    crds: CrdOwner
    missing_crds: tuple[str, ...]
    foreign: tuple[str, ...]
    """ Objects with the demo's names that it did not make. """
    classes: tuple[str, ...]
    default_class: str
    """ Empty: none. """
    architectures: frozenset[str]
    """ The nodes'. """


def inspect(kubectl: Kubectl) -> Findings:
    """Read the cluster. :raises CommandError: kubectl failed."""
    named = _read(kubectl, *(f"{kind}/{name}" for kind, name in OWN_OBJECTS), "--ignore-not-found")
    crds = _of_kind(named, "CustomResourceDefinition")
    present = {item["metadata"]["name"] for item in crds}
    if CRDS[1] in present:
        named += _read(kubectl, f"whatsappsessionquota/{QUOTA}", "--ignore-not-found")
    listed = _read(kubectl, "deployments,leases,storageclasses,nodes", "--all-namespaces")
    classes = _of_kind(listed, "StorageClass")
    return Findings(
        operators=operators(_of_kind(listed, "Deployment"), _of_kind(listed, "Lease")),
        crds=crd_owner(crds),
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


def crd_owner(crds: Iterable[Object]) -> CrdOwner:
    """Whose the CRDs are: one that the demo did not make decides."""
    owners = {_is_demo_object(item) for item in crds}
    if not owners:
        return CrdOwner.ABSENT
    return CrdOwner.DEMO if owners == {True} else CrdOwner.OTHERS


def foreign(found: Iterable[Object]) -> tuple[str, ...]:
    """Those of the objects that the demo did not make, as KIND NAME."""
    return tuple(f"{item['kind'].lower()} {item['metadata']['name']}" for item in found if not _is_demo_object(item))


def default_class(classes: Iterable[Object]) -> str:
    """The name of the default StorageClass; empty without one."""
    for item in classes:
        annotations = item["metadata"].get("annotations", {})
        if any(annotations.get(name) == "true" for name in DEFAULT_CLASS):
            return str(item["metadata"]["name"])
    return ""


def problems(findings: Findings, *, storage_class: str, machine: str | None = None) -> list[str]:
    """Why the demo cannot run there, each with what to do; none: it can."""
    found = [
        f"{name} is there and was not made by this demo: it would be overwritten. Remove or rename it first"
        for name in findings.foreign
    ]
    if findings.crds is CrdOwner.OTHERS and findings.missing_crds:
        found.append(
            f"the CRD {', '.join(findings.missing_crds)} is missing while the other one is there: finish that installation "
            "(docs/operations/install.md)"
        )
    known = ", ".join(findings.classes) or "none"
    if storage_class and storage_class not in findings.classes:
        found.append(f"there is no StorageClass {storage_class} (there is: {known})")
    if not storage_class and not findings.default_class:
        found.append(
            f"the cluster has no default StorageClass, and each session needs a volume: name one with STORAGE_CLASS=… "
            f"(there is: {known})"
        )
    built_for = ARCHITECTURES.get(machine or platform.machine(), machine or platform.machine())
    if findings.architectures and built_for not in findings.architectures:
        nodes = ", ".join(sorted(findings.architectures))
        found.append(f"the images are built on this machine for {built_for}, but the nodes are {nodes}")
    return found


def installs_crds(findings: Findings) -> bool:
    """Whether the demo installs the CRDs: there are none, or its own that nobody else uses by now."""
    return findings.crds is CrdOwner.ABSENT or (findings.crds is CrdOwner.DEMO and not findings.operators)


def retained_volumes(volumes: Iterable[Object]) -> list[str]:
    """The demo's volumes that their storage keeps although their claims are gone."""
    return [
        item["metadata"]["name"]
        for item in volumes
        if item["spec"].get("claimRef", {}).get("namespace") == NAMESPACE
        and item["spec"].get("persistentVolumeReclaimPolicy") != "Delete"
    ]


def removes_crds(findings: Findings, *, left: int) -> bool:
    """Whether going away takes the CRDs along: only those the demo made, and only when nobody needs them.

    `left` are sessions and quotas that are not the demo's: deleting the CRDs would delete them.
    """
    return findings.crds is CrdOwner.DEMO and not findings.operators and left == 0


def _read(kubectl: Kubectl, *what: str) -> list[Object]:
    """Get objects by one command: kubectl answers with a list, with the one there is, or with nothing."""
    output = kubectl("get", *what, "--output=json")
    if not output.strip():
        return []
    answer = json.loads(output)
    return list(answer["items"]) if answer["kind"].endswith("List") else [answer]


def _of_kind(found: Iterable[Object], kind: str) -> list[Object]:
    return [item for item in found if item["kind"] == kind]


def _is_demo_object(item: Object) -> bool:
    return _labels(item).get("app.kubernetes.io/part-of") == PART_OF


def _labels(item: Object) -> Mapping[str, str]:
    labels: Mapping[str, str] = item["metadata"].get("labels", {})
    return labels
