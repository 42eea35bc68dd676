"""What a session asks for and the operator's settings do not allow: images, priority classes, annotations.

Who may set these fields at all is the business of an admission policy; this is what an installation allows to anybody.
Without a setting every image is allowed, every priority class but those for the cluster's own parts, and every
annotation but those by which a known injector puts containers, credentials or networks into a pod.

Names are compared as an image's name is read by a node: with its registry, and never in the middle of a word.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from whatsapp_operator.api.constants import MANAGED_BY_LABEL
from whatsapp_operator.api.invalid import Problem
from whatsapp_operator.api.session import SessionSpec
from whatsapp_operator.core.model import Defaults

SYSTEM_CLASSES: Final = "system-"
""" How the priority classes of the cluster's own parts begin. """
INJECTORS: Final = (
    # Meshes, and what else adds a proxy.
    "istio.io", "linkerd.io", "hashicorp.com", "dapr.io", "kuma.io", "konghq.com", "openservicemesh.io", "k8s.aws",
    "nsm.nginx.com", "cilium.io", "solo.io",
    # Secrets into pods.
    "banzaicloud.io", "bank-vaults.io", "conjur.org", "cyberark.com", "akeyless.io", "infisical.com", "1password.com",
    "1password.io", "doppler.com", "external-secrets.io",
    # Identities of a cloud.
    "azure.workload.identity", "aadpodidbinding", "amazonaws.com", "iam.gke.io", "iam.cnrm.cloud.google.com",
    # Agents of monitoring.
    "opentelemetry.io", "jaegertracing.io", "datadoghq.com", "dynatrace.com", "newrelic.com", "instana.io", "appdynamics.com",
    "odigos.io", "splunk.com",
    # Further networks, addresses and volumes.
    "k8s.v1.cni.cncf.io", "v1.multus-cni.io", "gke-gcsfuse", "gke-parallelstore", "networking.gke.io", "projectcalico.org",
    "ovn.kubernetes.io", "k8s.ovn.org", "antrea.io", "juicefs.com",
    # Devices and mounts, by the container runtime.
    "cdi.k8s.io", "nri.io", "noderesource.dev",
    # What weakens the sandbox of a pod.
    "apparmor.security.beta.kubernetes.io", "seccomp.security.alpha.kubernetes.io", "crio.io", "nvidia.com",
)  # fmt: skip
""" Domains of the keys, or whole keys. A key that says "inject" or "sidecar" counts, too, whosever it is. """
RUNTIMES: Final = ("io.kubernetes.cri", "io.containerd", "io.katacontainers", "dev.gvisor", "dev.kata")
""" Beginnings of keys that container runtimes obey; these keys have no slash. """
_OURS: Final = ("wasession.dev",)
_REGISTRY: Final = re.compile(r"[^/]*[.:A-Z][^/]*|localhost")
""" The first part of a name that is a host: of a path under Docker Hub it has no dot, no colon and no capital. """
_REGISTRY_WITH_PORT: Final = re.compile(r"([^/:@]*\.[^/:@]*|localhost):[0-9]+", re.IGNORECASE)
_DEFAULT_REGISTRY: Final = "docker.io"


def not_allowed(spec: SessionSpec, defaults: Defaults) -> tuple[Problem, ...]:
    """Return what the settings do not allow, in the order of the fields; empty: everything is allowed."""
    return (*_image(spec, defaults), *_priority_class(spec, defaults), *_keys(spec, defaults))


def allows_image(image: str, *, entries: Iterable[str]) -> bool:
    """Whether one of the entries (a registry, a beginning of a path, a name, a name with tag or digest) has the image."""
    name = _qualified(image)
    if any(part in ("", ".", "..") for part in name.split("/")):
        return False
    # A tag beside a digest means nothing: the digest decides.
    pinned = re.sub(r":[^/:@]*@", "@", name)
    return any(_has(_entry(entry), each) for entry in entries for each in {name, pinned})


def _has(entry: str, name: str) -> bool:
    if name == entry:
        return True
    if not name.startswith(entry):
        return False
    rest = name[len(entry) :]
    return entry.endswith("/") or rest.startswith("/") or (rest[0] in ":@" and ":" not in entry.rpartition("/")[2])


def _qualified(image: str) -> str:
    """Return the name with its registry, as a node reads it: `x` is docker.io/library/x, `team/x` docker.io/team/x."""
    first, slash, rest = image.partition("/")
    if not slash:
        return f"{_DEFAULT_REGISTRY}/library/{image}"
    if not _REGISTRY.fullmatch(first):
        return f"{_DEFAULT_REGISTRY}/{image}"
    host = first.lower()
    if host in (_DEFAULT_REGISTRY, f"index.{_DEFAULT_REGISTRY}"):
        return f"{_DEFAULT_REGISTRY}/{rest}" if "/" in rest or not rest else f"{_DEFAULT_REGISTRY}/library/{rest}"
    return f"{host}/{rest}"


def _entry(given: str) -> str:
    """Return an entry in the same form; a host's name alone, or with its port, means the whole registry."""
    if "/" not in given and (_REGISTRY_WITH_PORT.fullmatch(given) or (":" not in given and _REGISTRY.fullmatch(given))):
        if given.lower() == f"index.{_DEFAULT_REGISTRY}":
            return f"{_DEFAULT_REGISTRY}/"
        return f"{given.lower()}/"
    return _qualified(given)


def _image(spec: SessionSpec, defaults: Defaults) -> Iterator[Problem]:
    image, entries = spec.pod.image, defaults.allowed.images
    if image is None or not entries or image == defaults.runner_image or allows_image(image, entries=entries):
        return
    yield Problem("spec.pod.image", f"{image} is not allowed here, but {_listed(entries)} (ALLOWED_IMAGES)")


def _priority_class(spec: SessionSpec, defaults: Defaults) -> Iterator[Problem]:
    name, names = spec.pod.priority_class_name, defaults.allowed.priority_classes
    if name is None or name in names or (not names and not name.startswith(SYSTEM_CLASSES)):
        return
    which = _listed(names) if names else f"any that does not begin with {SYSTEM_CLASSES}"
    yield Problem("spec.pod.priorityClassName", f"{name} is not allowed here, but {which} (ALLOWED_PRIORITY_CLASSES)")


def _keys(spec: SessionSpec, defaults: Defaults) -> Iterator[Problem]:
    entries = defaults.allowed.annotations
    for key in sorted(spec.pod.annotations):
        listed = any(_key_has(entry, key) for entry in entries)
        if _is_ours(key) or not (listed or (not entries and not is_injectors(key))):
            which = _listed(entries) if entries else "any that is not a known injector's"
            yield Problem("spec.pod.annotations", f"{key} is not allowed here, but {which} (ALLOWED_ANNOTATIONS)")
    for key in sorted(spec.pod.labels):
        # Labels are a team's own words; an injector's are orders to it, as its annotations are.
        if _is_ours(key) or (is_injectors(key) and not any(_key_has(entry, key) for entry in entries)):
            yield Problem(
                "spec.pod.labels",
                f"{key} is not allowed here, but any that is not a known injector's (ALLOWED_ANNOTATIONS)",
            )


def is_injectors(key: str) -> bool:
    """Whether a label or an annotation is an order to a known injector."""
    small = key.lower()
    domain = small.partition("/")[0]
    return (
        any(sign in small for sign in ("inject", "sidecar"))
        or small.startswith(RUNTIMES)
        or any(_is_below(domain, each) for each in INJECTORS)
    )


def _key_has(entry: str, key: str) -> bool:
    return key == entry or (entry.endswith("/") and key.startswith(entry))


def _is_ours(key: str) -> bool:
    return key == MANAGED_BY_LABEL or any(_is_below(key.partition("/")[0], each) for each in _OURS)


def _is_below(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith(f".{parent}")


def _listed(names: Iterable[str]) -> str:
    return "only " + ", ".join(names)
