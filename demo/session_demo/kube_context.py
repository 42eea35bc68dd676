"""Which cluster kubectl's current context is, and whether the demo can begin there; nothing is changed here.

The context's name is read once and put on every later command: who switches contexts in another terminal while the
demo runs does not switch its cluster.
"""

import json
import re
import shutil
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from session_devtools.errors import CommandError
from session_devtools.kubectl import Kubectl

from session_demo.errors import DemoError

OLDEST_SERVER = 31
""" Kubernetes 1.31: what the CRDs need. """
OLDEST_KUBECTL = 25
""" kubectl 1.25: its kustomize knows all that the manifests use. """
REQUIRED_RIGHTS = (
    "namespaces",
    "deployments.apps",
    "roles.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
    "customresourcedefinitions.apiextensions.k8s.io",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
)
""" What the demo makes in a cluster, as far as an ordinary user of it may lack the right. """


class Minors(NamedTuple):
    """The minor versions of both sides."""

    client: int
    server: int


@dataclass(frozen=True, kw_only=True)
class KubeContext:
    """A cluster as the person's kubectl knows it."""

    name: str
    server: str
    version: str
    kubectl: Kubectl

    def __str__(self) -> str:
        return f"context {self.name} ({self.server}, Kubernetes {self.version})"


def current(*, search_path: str | None = None) -> KubeContext:
    """Return the cluster of the current context. :raises DemoError: none answers, with what to do."""
    program = shutil.which("kubectl", path=search_path)
    if program is None:
        raise DemoError("kubectl is not on the PATH: CLUSTER=current uses the cluster of its current context")
    return of(Kubectl(program=program))


def of(kubectl: Kubectl) -> KubeContext:
    """Return the current context of this kubectl. :raises DemoError: none answers, or it is too old."""
    try:
        name = kubectl("config", "current-context").strip()
    except CommandError as error:
        raise DemoError(
            "kubectl has no current context: choose one with `kubectl config use-context NAME`, or set KUBECONFIG"
        ) from error
    pinned = replace(kubectl, flags=(*kubectl.flags, f"--context={name}"))
    server = _server(json.loads(pinned("config", "view", "--minify", "--output=json")))
    try:
        versions = json.loads(pinned("version", "--output=json", "--request-timeout=10s"))
    except CommandError as error:
        raise DemoError(f"the cluster of context {name} ({server}) does not answer: {error}") from error
    found = KubeContext(name=name, server=server, version=versions["serverVersion"]["gitVersion"], kubectl=pinned)
    if problem := too_old(minors(versions)):
        raise DemoError(f"{found}: {problem}")
    return found


def minors(versions: dict[str, Any]) -> Minors:
    """Read `kubectl version --output=json`; clouds write "32+". Pure."""

    def minor(side: str) -> int:
        match = re.match(r"\d+", versions[side]["minor"])
        return int(match[0]) if match else 0

    return Minors(client=minor("clientVersion"), server=minor("serverVersion"))


def too_old(found: Minors) -> str:
    """Say which of the two is too old and what to do; empty when both will do. Pure."""
    if found.server < OLDEST_SERVER:
        return f"the demo needs Kubernetes 1.{OLDEST_SERVER} or newer"
    if found.client < OLDEST_KUBECTL:
        return f"your kubectl is 1.{found.client}; the demo needs 1.{OLDEST_KUBECTL} or newer"
    return ""


def missing_rights(kubectl: Kubectl) -> list[str]:
    """What of NEEDED the person may not create, each with kubectl's answer."""
    refused = []
    for resource in REQUIRED_RIGHTS:
        try:
            kubectl("auth", "can-i", "create", resource)
        except CommandError as error:  # "no" is an exit status too
            refused.append(f"you may not create {resource} ({error})")
    return refused


def _server(view: dict[str, Any]) -> str:
    clusters = view.get("clusters") or []
    return str(clusters[0]["cluster"].get("server", "no address")) if clusters else "no address"
