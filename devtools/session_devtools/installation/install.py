"""From a cluster that answers to one with operator and stand-in, an earlier installation's leftovers gone.

Called by the demo, the benchmarks and the end-to-end tests, each on a cluster of its own. Everything here can be done
again: what is there and right stays, what an earlier run left in the stand-in's namespace goes, volumes included.
"""

import json
import secrets
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from session_devtools.commands import run
from session_devtools.errors import InstallError
from session_devtools.installation import transformers
from session_devtools.installation.constants import CRDS, NAMESPACE, PART_OF, ROOT
from session_devtools.installation.phone import Phone
from session_devtools.installation.transformers import Images
from session_devtools.kubectl import Kubectl
from session_devtools.progress import Progress
from session_devtools.waiting import wait_until


@dataclass(frozen=True, kw_only=True)
class InstallOptions:
    """How the operator is installed."""

    overlay: Path = ROOT / "manifests/overlays/local"
    mode: str = "legacy"
    """ The stand-in's: legacy or modern. """
    instance: str = ""
    """ Not empty: an operator of its own beside an installed one, for the stand-in's namespace alone. """
    startup_timeout: float = 120.0
    """ Seconds for a Deployment's first pod; more where nodes pull images. """


def install(kubectl: Kubectl, images: Images, options: InstallOptions, *, progress: Progress) -> Phone:
    """Install everything and return the stand-in's phone. :raises ToolError: kubectl failed, in its words."""
    with progress.step("removing what an earlier demo left"):
        remove_leftovers(kubectl)
    token = secrets.token_hex(16)
    with progress.step("the stand-in for WhatsApp Web, with its phone"):
        ca = install_standin(kubectl, images, token=token, options=options)
        operator, where = install_operator(kubectl, images, ca=ca, options=options)  # starts meanwhile
        rollout(kubectl, "standin", NAMESPACE, within=options.startup_timeout)
    with progress.step("the operator"):
        rollout(kubectl, operator, where, within=options.startup_timeout)
    return Phone(kubectl=kubectl, pod=pod_of(kubectl, "standin"), token=token)


def remove_leftovers(kubectl: Kubectl, *, within: float = 180) -> None:
    """Remove the demo's sessions, claims, volumes and quota, and wait until they are gone.

    The namespace stays, unless it is on its way out: Kubernetes would begin to look into it only five seconds later.
    """
    volumes = [
        item["metadata"]["name"]
        for item in kubectl.get("persistentvolumes")
        if item["spec"].get("claimRef", {}).get("namespace") == NAMESPACE
        and item["spec"].get("persistentVolumeReclaimPolicy") == "Delete"  # others are the storage's to keep
    ]
    known = {item["metadata"]["name"] for item in kubectl.get("crd", *CRDS, missing_ok=True)}
    there = kubectl.find("namespace", NAMESPACE)
    if there is not None and "deletionTimestamp" in there["metadata"]:
        remove_namespace(kubectl, within=within)
    elif there is not None:
        makers = (
            "deployments",
            *(["whatsappsessions"] if CRDS[0] in known else []),
        )  # first: they would make pods anew
        for kinds in makers, ("pods", "persistentvolumeclaims"):
            _delete(kubectl, ",".join(kinds), "--all", f"--namespace={NAMESPACE}", within=within)
    if CRDS[1] in known:
        _delete(kubectl, "whatsappsessionquotas", f"--selector=app.kubernetes.io/part-of={PART_OF}", within=within)
    wait_until(
        "the volumes of an earlier demo are gone",
        lambda: _names(kubectl.get("persistentvolumes", *volumes, missing_ok=True)) if volumes else [],
        lambda left: not left,
        within=within,
        every=0.5,
    )


def remove_namespace(kubectl: Kubectl, *, within: float = 180) -> None:
    """Remove the demo's namespace with all that is in it, and wait until it is gone."""
    _delete(kubectl, "namespace", NAMESPACE, "--ignore-not-found", within=within)


def _names(found: Iterable[Mapping[str, Any]]) -> list[str]:
    return [item["metadata"]["name"] for item in found]


def _delete(kubectl: Kubectl, *what: str, within: float) -> None:
    """Delete objects and wait until they are gone."""
    kubectl("delete", *what, f"--timeout={within:.0f}s", timeout=within + 10)


def install_standin(kubectl: Kubectl, images: Images, *, token: str, options: InstallOptions) -> str:
    """Install the stand-in, which then starts; returns its certificate authority (PEM)."""
    kubectl.apply(transformers.namespace(options.instance))
    with tempfile.TemporaryDirectory() as folder:
        tls = Path(folder) / "tls"
        hosts = f"{transformers.WEB_HOST},{transformers.STATIC_HOST}"
        make_certificates(tls, hosts)
        ca = (tls / "ca.crt").read_text()
        kubectl.apply(*transformers.standin_secrets(tls=tls, phone_token=token))
    rendered = transformers.parse_objects(kubectl("kustomize", str(ROOT / "manifests/standin")))
    kubectl.apply(*transformers.with_mode(transformers.with_images(rendered, images), options.mode))
    return ca


def make_certificates(folder: Path, hosts: str) -> None:
    """Make a throw-away authority and a certificate for the stand-in's hosts."""
    command = [sys.executable, "-m", "standin", "certificates", "--out", str(folder), "--hosts", hosts]
    run(*command)


def install_operator(kubectl: Kubectl, images: Images, *, ca: str, options: InstallOptions) -> tuple[str, str]:
    """Install CRDs and operator, which then starts; returns its Deployment's name and namespace."""
    rendered = transformers.parse_objects(
        kubectl("kustomize", "--load-restrictor=LoadRestrictionsNone", str(options.overlay))
    )
    found = transformers.with_ca_hash(transformers.with_images(rendered, images), ca)
    where = transformers.operator_namespace(found)
    kubectl.apply(*(item for item in found if item["kind"] == "Namespace"))
    kubectl.apply(transformers.ca_config_map(namespace=where, ca=ca))
    kubectl.apply(*found)
    kubectl.wait_established(*CRDS)
    return next(item["metadata"]["name"] for item in found if item["kind"] == "Deployment"), where


def rollout(kubectl: Kubectl, deployment: str, where: str, *, within: float = 120) -> None:
    """Wait until a Deployment's new pod is ready."""
    arguments = ("rollout", "status", f"deployment/{deployment}", f"--namespace={where}", f"--timeout={within:.0f}s")
    kubectl(*arguments, timeout=within + 10)


def pod_of(kubectl: Kubectl, name: str) -> str:
    """Return the name of the pod of one of the Deployments in the stand-in's namespace."""
    selector = f"app.kubernetes.io/name={name}"
    pods = json.loads(kubectl("get", "pods", f"--namespace={NAMESPACE}", f"--selector={selector}", "--output=json"))
    running = [pod for pod in pods["items"] if "deletionTimestamp" not in pod["metadata"]]
    if not running:
        raise InstallError(f"there is no pod of {name} in namespace {NAMESPACE}")
    return str(running[0]["metadata"]["name"])
