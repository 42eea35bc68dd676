"""The objects that are installed, made from the manifests: pure functions from rendered YAML to objects.

The manifests name development images and a certificate authority that is put beside the operator; here both get the
values of this run. The images' tags hold a hash of their content, so an unchanged operator is not restarted.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from session_devtools.errors import InstallError
from session_devtools.installation.constants import NAMESPACE, PART_OF

WEB_HOST = f"standin-web.{NAMESPACE}.svc"
STATIC_HOST = f"standin-static.{NAMESPACE}.svc"
CA_HASH_ANNOTATION = "checksum/extra-ca"
""" On the operator's pod: another authority means another pod, as the file is read at start.

Not below `wasession.dev/`: a ReplicaSet may put no such annotation on a pod (manifests: policies/labels.yaml). """

Object = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Images:
    """The references of the three images, as the cluster's nodes know them."""

    operator: str
    runner: str
    standin: str


def parse_objects(rendered: str) -> list[Object]:
    """Read the objects of a rendered kustomization."""
    return [item for item in yaml.safe_load_all(rendered) if item]


def with_images(found: Iterable[Object], images: Images) -> list[Object]:
    """Put this run's images in place of the manifests' development ones; the runner's is an operator setting."""
    named = {"operator": images.operator, "standin": images.standin}
    changed = list(found)
    for item in _deployments(changed):
        for container in item["spec"]["template"]["spec"]["containers"]:
            container["image"] = named[container["name"]]
            for variable in container.get("env", []):
                if variable["name"] == "RUNNER_IMAGE":
                    variable["value"] = images.runner
    return changed


def with_ca_hash(found: Iterable[Object], ca: str) -> list[Object]:
    """Mark the operator's pod with the certificate authority it reads at start."""
    changed = list(found)
    for item in _deployments(changed):
        metadata = item["spec"]["template"].setdefault("metadata", {})
        metadata.setdefault("annotations", {})[CA_HASH_ANNOTATION] = hashlib.sha256(ca.encode()).hexdigest()
    return changed


def with_part_of_label(found: Iterable[Object]) -> list[Object]:
    """Mark objects as made by the demo, so that `demo-down` knows them."""
    changed = list(found)
    for item in changed:
        item["metadata"].setdefault("labels", {})["app.kubernetes.io/part-of"] = PART_OF
    return changed


def with_mode(found: Iterable[Object], mode: str) -> list[Object]:
    """Choose the stand-in's mode: legacy, or modern (the page of 2026)."""
    changed = list(found)
    for item in _deployments(changed):
        for container in item["spec"]["template"]["spec"]["containers"]:
            kept = [argument for argument in container.get("args", []) if not argument.startswith("--mode=")]
            container["args"] = [f"--mode={mode}", *kept]
    return changed


def operator_namespace(found: Iterable[Object]) -> str:
    """Return the namespace that the operator's Deployment goes to. :raises InstallError: there is none."""
    for item in _deployments(found):
        return str(item["metadata"]["namespace"])
    raise InstallError("the rendered manifests hold no operator: they are not what this was made for")


def namespace(instance: str) -> Object:
    """The stand-in's namespace, as strict as Kubernetes can make one; for one operator's instance, or the plain one."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted", **labels_for(instance)}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}


def labels_for(instance: str) -> dict[str, str]:
    """The labels of what is installed for a demo; an operator's instance knows its own by one."""
    own = {"wasession.dev/instance": instance} if instance else {}
    return {"app.kubernetes.io/part-of": PART_OF, **own}


def ca_config_map(*, namespace: str, ca: str) -> Object:
    """Make the ConfigMap that the operator reads its extra authority from."""
    metadata = {"name": "extra-ca", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"ca.crt": ca}}


def standin_secrets(*, tls: Path, phone_token: str) -> list[Object]:
    """Make the two Secrets of the stand-in from a folder of its certificates and the phone's token."""
    files = {path.name: path.read_bytes() for path in (tls / "ca.crt", tls / "tls.crt", tls / "tls.key")}
    return [_secret("standin-tls", files), _secret("standin-token", {"token": phone_token.encode()})]


def _secret(name: str, data: Mapping[str, bytes]) -> Object:
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded}


def _deployments(found: Iterable[Object]) -> list[Object]:
    return [item for item in found if item["kind"] == "Deployment"]
