"""Sessions, and the pods that are made of them."""

from typing import Any

from unit.core.fake_cluster import DEFAULTS
from whatsapp_operator.api.session import ObjectMeta, SessionSpec, WhatsAppSession
from whatsapp_operator.core.model import Defaults
from whatsapp_operator.core.objects.pod import pod_manifest

UID = "3f2b8c1e-9d4a-4e6b-8f7a-0c1d2e3f4a5b"


def session(spec: dict[str, Any] | None = None, **annotations: str) -> WhatsAppSession:
    """Return a session with this spec and these requests."""
    asked = {f"wasession.dev/{name.replace('_', '-')}": value for name, value in annotations.items()}
    metadata = ObjectMeta(name="sales", namespace="shop", uid=UID, annotations=asked)
    return WhatsAppSession(metadata=metadata, spec=SessionSpec.model_validate(spec or {}))


def pod(spec: dict[str, Any] | None = None, *, defaults: Defaults = DEFAULTS, **annotations: str) -> dict[str, Any]:
    """Return the pod's manifest."""
    return pod_manifest(session(spec, **annotations), defaults)


def container(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the runner's container."""
    (found,) = manifest["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def environment(manifest: dict[str, Any]) -> dict[str, str]:
    """Return the plain variables, as the kubelet would set them."""
    return {
        variable["name"]: variable["value"].replace("$$(", "$(")
        for variable in container(manifest)["env"]
        if "value" in variable
    }
