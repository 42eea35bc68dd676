"""The demo on the cluster of kubectl's current context: `make demo CLUSTER=current` and its `demo-down`.

Everything is looked at before anything is changed, and the person reads which cluster it is. The operator is a second
one, instance `demo`, for the demo's namespace alone: one that is installed there goes on undisturbed, and its CRDs are
used as they are. Where there is none, the demo brings the CRDs, and takes them away again.
"""

import json
from dataclasses import dataclass
from typing import Any

from session_devtools.errors import ToolError
from session_devtools.images.build import build
from session_devtools.installation import transformers
from session_devtools.installation.constants import CRDS, NAMESPACE, ROOT
from session_devtools.installation.install import InstallOptions, install, remove_leftovers, remove_namespace
from session_devtools.kubectl import Kubectl
from session_devtools.progress import ConsoleProgress

from session_demo import kube_context, preflight
from session_demo.cluster_client import ClusterClient
from session_demo.errors import DemoError
from session_demo.image_delivery import Delivery, choose_delivery
from session_demo.kube_context import KubeContext
from session_demo.manifests import QUOTA
from session_demo.preflight import OPERATOR_NAMESPACE, CrdOwner, Findings
from session_demo.report import Report

OVERLAY = ROOT / "manifests/overlays/demo-current"
INSTANCE = "demo"
STARTUP_TIMEOUT = 300.0
""" Seconds for a first pod: nodes may pull a quarter of a gigabyte over a slow line. """


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the person asked for on the command line; empty: not asked."""

    registry: str = ""
    insecure: bool = False
    kind: str = ""
    storage_class: str = ""
    access_mode: str = ""
    mode: str = "legacy"

    @property
    def profile(self) -> dict[str, str]:
        """What it adds to each session's spec.profile."""
        given = {"storageClassName": self.storage_class, "accessMode": self.access_mode}
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, kw_only=True)
class Target:
    """Somebody else's cluster, looked at and found fit."""

    context: KubeContext
    found: Findings
    delivery: Delivery


def check(report: Report, options: Options, context: KubeContext) -> Target:
    """Look at the cluster and say what will happen, without changing anything.

    :raises DemoError: it cannot be shown, with all that is in the way, each with what to do.
    """
    report.info(f"   This is {context}.")
    delivery = choose_delivery(
        registry=options.registry, insecure=options.insecure, kind=options.kind, context=context.name
    )
    found = preflight.inspect(context.kubectl)
    problems = [
        *preflight.problems(found, storage_class=options.storage_class),
        *kube_context.missing_rights(context.kubectl),
    ]
    if problems:
        raise DemoError("\n".join([f"nothing was changed in {context}:", *(f"- {each}" for each in problems)]))
    for line in describe_plan(found, options):
        report.info(f"   {line}")
    return Target(context=context, found=found, delivery=delivery)


def prepare(report: Report, options: Options, target: Target) -> ClusterClient:
    """Bring images, CRDs, operator and stand-in. :raises DemoError: one could not be brought, with what to do."""
    images = _deliver(target.delivery)
    kubectl = target.context.kubectl
    try:
        if preflight.installs_crds(target.found):
            with report.step("the CRDs"):
                install_crds(kubectl)
        how = InstallOptions(overlay=OVERLAY, mode=options.mode, instance=INSTANCE, startup_timeout=STARTUP_TIMEOUT)
        phone = install(kubectl, images, how, progress=report)
        return ClusterClient(
            kubectl=kubectl,
            phone=phone,
            instance=INSTANCE,
            profile=options.profile,
            startup_timeout=STARTUP_TIMEOUT,
        )
    except ToolError as error:
        raise DemoError(f"{error}\n`make demo-down CLUSTER=current` removes what was made so far.") from error


def describe_plan(found: Findings, options: Options) -> list[str]:
    """What is about to happen, for a person who may still press Ctrl-C. Pure."""
    there = ", ".join(found.operators)
    return [
        f"An operator is installed there ({there}): it is left alone."
        if there
        else "No operator is installed there; the demo's own goes with the demo.",
        f"The demo makes the namespaces {NAMESPACE} and {OPERATOR_NAMESPACE}, a ClusterRole with its binding, "
        f"admission policies for its namespace, and the quota {QUOTA}"
        + (
            ", and brings the CRDs."
            if preflight.installs_crds(found)
            else "; the CRDs that are there are used as they are."
        ),
        f"Volumes come from StorageClass {options.storage_class or found.default_class}.",
    ]


def describe_result(target: Target) -> list[str]:
    """What is in the cluster after the scenario, and what stays when the demo has gone. Pure."""
    crds = ", the CRDs" if preflight.installs_crds(target.found) else ""
    made = (
        f"namespaces {NAMESPACE} and {OPERATOR_NAMESPACE}, ClusterRole and binding {OPERATOR_NAMESPACE}, "
        f"its admission policies, quota {QUOTA}"
    )
    return [
        f"Left for you to look at: {made}{crds}.",
        "`make demo-down CLUSTER=current` removes these and nothing else.",
        f"Not removed by it: {target.delivery.leftovers}.",
    ]


def install_crds(kubectl: Kubectl) -> None:
    """Bring the CRDs, marked as the demo's, and wait until the API server serves them."""
    crds = transformers.parse_objects(kubectl("kustomize", str(ROOT / "crds")))
    kubectl.apply(*transformers.with_part_of_label(crds))
    kubectl.wait_established(*CRDS)


def remove(report: Report, context: KubeContext) -> None:
    """Remove what the demo made in the cluster, and say what is left. :raises ToolError: kubectl failed."""
    report.info(f"   This is {context}.")
    kubectl, found = context.kubectl, preflight.inspect(context.kubectl)
    for name in found.foreign:
        report.info(f"   {name} was not made by this demo: it stays.")
    if f"namespace {NAMESPACE}" not in found.foreign:
        with report.step(f"removing namespace {NAMESPACE} with its sessions and volumes, and the quota {QUOTA}"):
            remove_leftovers(kubectl)
            remove_namespace(kubectl)
    if mine := [f"{kind}/{name}" for kind, name in preflight.OPERATOR_OBJECTS if f"{kind} {name}" not in found.foreign]:
        with report.step(f"removing the demo's operator ({', '.join(mine)})"):
            kubectl("delete", *mine, "--ignore-not-found", "--timeout=120s", timeout=130)
    if found.crds is CrdOwner.DEMO:
        _remove_crds(report, kubectl, found)
    for name in preflight.retained_volumes(_items(kubectl, "persistentvolumes")):
        report.info(
            f"   Volume {name} stays: its storage class says so (reclaim policy Retain); it holds demo data alone."
        )


def _remove_crds(report: Report, kubectl: Kubectl, found: Findings) -> None:
    left = sum(len(_items(kubectl, kind, "--all-namespaces")) for kind in ("whatsappsessions", "whatsappsessionquotas"))
    if preflight.removes_crds(found, left=left):
        with report.step("removing the CRDs"):
            kubectl("delete", "crd", *CRDS, "--ignore-not-found", "--timeout=60s", timeout=70)
        return
    users = ", ".join([*found.operators, *([f"{left} sessions and quotas"] if left else [])])
    report.info(f"   The CRDs stay: others use them now ({users}).")


def _items(kubectl: Kubectl, *what: str) -> list[dict[str, Any]]:
    return list(json.loads(kubectl("get", *what, "--output=json"))["items"])


def _deliver(delivery: Delivery) -> transformers.Images:
    progress = ConsoleProgress()
    try:
        return delivery.deliver(build(progress=progress), progress=progress)
    except ToolError as error:
        raise DemoError(str(error)) from error
