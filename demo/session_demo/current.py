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
from session_devtools.kubectl import Kubectl
from session_devtools.steps import Steps

from session_demo import context, installation, survey
from session_demo.cast import CRDS, NAMESPACE, QUOTA
from session_demo.context import Context
from session_demo.delivery import Delivery, chosen
from session_demo.errors import DemoError
from session_demo.setup import ROOT, Choice, remove_leftovers, remove_namespace, set_up
from session_demo.stage import Stage
from session_demo.story import Story
from session_demo.survey import OPERATOR_NAMESPACE, Crds, Survey

OVERLAY = ROOT / "manifests/overlays/demo-current"
INSTANCE = "demo"
PATIENCE = 300.0
""" Seconds for a first pod: nodes may pull a quarter of a gigabyte over a slow line. """


@dataclass(frozen=True, kw_only=True)
class Wish:
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
class Ground:
    """Somebody else's cluster, looked at and found fit."""

    place: Context
    found: Survey
    delivery: Delivery


def look(story: Story, wish: Wish, place: Context) -> Ground:
    """Look at the cluster and say what will happen, without changing anything.

    :raises DemoError: it cannot be shown, with all that is in the way, each with what to do.
    """
    story.say(f"   This is {place}.")
    delivery = chosen(registry=wish.registry, insecure=wish.insecure, kind=wish.kind, context=place.name)
    found = survey.look(place.kubectl)
    problems = [*survey.obstacles(found, storage_class=wish.storage_class), *context.missing_rights(place.kubectl)]
    if problems:
        raise DemoError("\n".join([f"nothing was changed in {place}:", *(f"- {each}" for each in problems)]))
    for line in announcement(found, wish):
        story.say(f"   {line}")
    return Ground(place=place, found=found, delivery=delivery)


def prepare(story: Story, wish: Wish, ground: Ground) -> Stage:
    """Bring images, CRDs, operator and stand-in. :raises DemoError: it cannot be shown, with what to do."""
    images = _deliver(ground.delivery)
    kubectl = ground.place.kubectl
    try:
        if survey.brings_crds(ground.found):
            with story.doing("the CRDs"):
                install_crds(kubectl)
        choice = Choice(overlay=OVERLAY, mode=wish.mode, instance=INSTANCE, profile=wish.profile, patience=PATIENCE)
        return set_up(story, kubectl, images, choice)
    except ToolError as error:
        raise DemoError(f"{error}\n`make demo-down CLUSTER=current` removes what was made so far.") from error


def announcement(found: Survey, wish: Wish) -> list[str]:
    """What is about to happen, for a person who may still press Ctrl-C. Pure."""
    there = ", ".join(found.operators)
    return [
        f"An operator is installed there ({there}): it is left alone."
        if there
        else "No operator is installed there; the demo's own goes with the demo.",
        f"The demo makes the namespaces {NAMESPACE} and {OPERATOR_NAMESPACE}, a ClusterRole with its binding, and the "
        f"quota {QUOTA}"
        + (
            ", and brings the CRDs." if survey.brings_crds(found) else "; the CRDs that are there are used as they are."
        ),
        f"Volumes come from StorageClass {wish.storage_class or found.default_class}.",
    ]


def remains(ground: Ground) -> list[str]:
    """What is in the cluster after the play, and what stays when the demo has gone. Pure."""
    crds = ", the CRDs" if survey.brings_crds(ground.found) else ""
    made = (
        f"namespaces {NAMESPACE} and {OPERATOR_NAMESPACE}, ClusterRole and binding {OPERATOR_NAMESPACE}, quota {QUOTA}"
    )
    return [
        f"Left for you to look at: {made}{crds}.",
        "`make demo-down CLUSTER=current` removes these and nothing else.",
        f"Not removed by it: {ground.delivery.stays}.",
    ]


def install_crds(kubectl: Kubectl) -> None:
    """Bring the CRDs, marked as the demo's, and wait until the API server serves them."""
    crds = installation.objects(kubectl("kustomize", str(ROOT / "crds")))
    kubectl.apply(*installation.marked(crds))
    kubectl.wait_established(*CRDS)


def clear(story: Story, place: Context) -> None:
    """Remove what the demo made in the cluster, and say what is left. :raises DemoError: it cannot be shown."""
    story.say(f"   This is {place}.")
    kubectl, found = place.kubectl, survey.look(place.kubectl)
    for name in found.foreign:
        story.say(f"   {name} was not made by this demo: it stays.")
    if f"namespace {NAMESPACE}" not in found.foreign:
        with story.doing(f"removing namespace {NAMESPACE} with its sessions and volumes, and the quota {QUOTA}"):
            remove_leftovers(kubectl)
            remove_namespace(kubectl)
    kinds = ("namespace", "clusterrole", "clusterrolebinding")
    if mine := [
        f"{kind}/{OPERATOR_NAMESPACE}" for kind in kinds if f"{kind} {OPERATOR_NAMESPACE}" not in found.foreign
    ]:
        with story.doing(f"removing the demo's operator ({', '.join(mine)})"):
            kubectl("delete", *mine, "--ignore-not-found", "--timeout=120s", timeout=130)
    if found.crds is Crds.DEMO:
        _clear_crds(story, kubectl, found)
    for name in survey.kept_volumes(_items(kubectl, "persistentvolumes")):
        story.say(
            f"   Volume {name} stays: its storage class says so (reclaim policy Retain); it holds demo data alone."
        )


def _clear_crds(story: Story, kubectl: Kubectl, found: Survey) -> None:
    left = sum(len(_items(kubectl, kind, "--all-namespaces")) for kind in ("whatsappsessions", "whatsappsessionquotas"))
    if survey.removes_crds(found, left=left):
        with story.doing("removing the CRDs"):
            kubectl("delete", "crd", *CRDS, "--ignore-not-found", "--timeout=60s", timeout=70)
        return
    users = ", ".join([*found.operators, *([f"{left} sessions and quotas"] if left else [])])
    story.say(f"   The CRDs stay: others use them now ({users}).")


def _items(kubectl: Kubectl, *what: str) -> list[dict[str, Any]]:
    return list(json.loads(kubectl("get", *what, "--output=json"))["items"])


def _deliver(delivery: Delivery) -> installation.Images:
    progress = Steps()
    try:
        return delivery.deliver(build(progress=progress), progress=progress)
    except ToolError as error:
        raise DemoError(str(error)) from error
