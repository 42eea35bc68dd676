"""The runner's container: image, environment, probes, folders.

The names of the variables are the runner's own (`session_protocol.environment`). Secrets come as files. Nothing
is written to the root file system: the profile lies on the PVC, all else in scratch volumes with a limit each.
"""

import hashlib
from datetime import timedelta
from typing import Any, Final, NamedTuple

from session_protocol.durations import format_duration
from session_protocol.environment import Variable
from session_protocol.live_settings import WEBHOOK_ENTRIES

from whatsapp_operator.api.base import SpecModel
from whatsapp_operator.api.constants import RUNNER_CONTAINER, RUNNER_PORT, RUNNER_PORT_NAME, TOKEN_VOLUME
from whatsapp_operator.api.resources import ResourcesSpec, effective
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import Defaults
from whatsapp_operator.core.objects import names
from whatsapp_operator.core.objects.live_settings import secret_names
from whatsapp_operator.core.objects.secret import EXTRA_CA_KEY

PROFILE_DIR: Final = "/profile"
TOKEN_DIR: Final = "/run/whatsapp-session/tokens"  # noqa: S105 -- a path
PROXY_LOGIN_DIR: Final = "/run/whatsapp-session/proxy-login"
PROXY_LOGIN_KEYS: Final = ("username", "password")
""" The entries that are mounted, whatever else the Secret holds. """
WEBHOOK_SECRETS_DIR: Final = "/run/whatsapp-session/webhooks"
""" A folder for each Secret, called as it is. """
HOME_DIR: Final = "/home/runner"
CACHE_DIR: Final = "/cache"
PHONE_NUMBER_DIR: Final = "/run/whatsapp-session/phone-number"
PHONE_NUMBER_KEY: Final = "phoneNumber"
""" The one entry that is mounted, whatever else the Secret holds. """
_PROFILE_VOLUME: Final = "profile"
_PHONE_NUMBER_VOLUME: Final = "phone-number"
_PROXY_LOGIN_VOLUME: Final = "proxy-login"


class Scratch(NamedTuple):
    """A folder that is deleted with the pod. A pod that exceeds the limit is evicted, so the limits leave room."""

    name: str
    path: str
    limit: str
    medium: str = ""


SCRATCH: Final = (
    # The certificate database, font caches and what libraries put into a home folder: a few MB.
    Scratch("home", HOME_DIR, "128Mi"),
    # The browser's HTTP, code and shader caches: kept off the PVC, where they would wear the volume and fill it.
    Scratch("cache", CACHE_DIR, "1Gi"),
    # Sockets, downloads in the making, the driver's files.
    Scratch("tmp", "/tmp", "512Mi"),  # noqa: S108 -- inside the container
    # The browser's shared memory between its processes; the container runtime's 64 MB are too few for a heavy page.
    # It is memory, so it counts against the container's limit and needs none of the node's disk.
    Scratch("shm", "/dev/shm", "128Mi", "Memory"),  # noqa: S108 -- inside the container
)


def runner_container(session: WhatsAppSession, defaults: Defaults) -> dict[str, Any]:
    """Return the runner's container for the pod's spec."""
    return {
        "name": RUNNER_CONTAINER,
        "image": session.spec.pod.image or defaults.runner_image,
        "imagePullPolicy": defaults.image_pull_policy,
        "env": _environment(session, defaults),
        "ports": [{"name": RUNNER_PORT_NAME, "containerPort": RUNNER_PORT, "protocol": "TCP"}],
        "resources": _resources(session.spec.resources),
        "volumeMounts": [
            {"name": _PROFILE_VOLUME, "mountPath": PROFILE_DIR},
            {"name": TOKEN_VOLUME, "mountPath": TOKEN_DIR, "readOnly": True},
            *_phone_number_mounts(session),
            *(
                {"name": volume["name"], "mountPath": PROXY_LOGIN_DIR, "readOnly": True}
                for volume in _proxy_login_volumes(session)
            ),
            *(
                {"name": _webhook_volume(name), "mountPath": f"{WEBHOOK_SECRETS_DIR}/{name}", "readOnly": True}
                for name in secret_names(session)
            ),
            *({"name": scratch.name, "mountPath": scratch.path} for scratch in SCRATCH),
        ],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        | _seccomp(defaults),
        # A traceback of a runner that could not write its last words is better than none.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        # Every second, so that a quick start is seen at once; for two minutes, so that a slow node is no failure.
        # The runner has its own, shorter startup timeout for the page.
        "startupProbe": _probe("/healthz", period=1, timeout=2, failures=120),
        # A minute without a turn of the event loop: nothing will close the browser cleanly, so it is not waited for. The
        # kubelet heeds that where a sidecar was injected; it ends a pod of one container with the pod's own time.
        "livenessProbe": _probe("/healthz", period=10, timeout=5, failures=6) | {"terminationGracePeriodSeconds": 10},
        "readinessProbe": _probe("/readyz", period=5, timeout=3, failures=3),
    }


def _resources(written: ResourcesSpec) -> dict[str, Any]:
    """Return what the template has: the disk's amounts only where a person wrote one (see `pod.pod_manifest`)."""
    amounts = effective(written)
    resources = amounts.to_dict()
    given = (written.requests.ephemeral_storage, written.limits.ephemeral_storage)
    return resources if given == (None, None) else amounts.with_ephemeral_storage(resources)


def _seccomp(defaults: Defaults) -> dict[str, Any]:
    """Return what the browser's sandbox needs; without it the pod's own RuntimeDefault holds, which denies it."""
    if not defaults.browser_sandbox:
        return {}
    return {"seccompProfile": {"type": "Localhost", "localhostProfile": defaults.browser_seccomp_profile}}


def volumes(session: WhatsAppSession, defaults: Defaults) -> list[dict[str, Any]]:
    """Return the pod's volumes; `pod` gives the Secret the name that it has."""
    secret = names.template_secret_name(session, key_id=defaults.key_id, extra_ca=defaults.extra_ca)
    return [
        {"name": _PROFILE_VOLUME, "persistentVolumeClaim": {"claimName": names.profile_pvc_name(session)}},
        {"name": TOKEN_VOLUME, "secret": {"secretName": secret, "defaultMode": 0o440}},
        *_phone_number_volumes(session),
        *_proxy_login_volumes(session),
        *_webhook_volumes(session),
        *(
            {
                "name": scratch.name,
                "emptyDir": {"sizeLimit": scratch.limit} | ({"medium": scratch.medium} if scratch.medium else {}),
            }
            for scratch in SCRATCH
        ),
    ]


def _phone_number_volumes(session: WhatsAppSession) -> list[dict[str, Any]]:
    """Return the volume with the telephone number. Without the Secret the pod starts all the same, and shows a QR code."""
    name = session.spec.link.phone_number_secret_name
    if name is None:
        return []
    items = [{"key": PHONE_NUMBER_KEY, "path": PHONE_NUMBER_KEY}]
    secret = {"secretName": name, "items": items, "optional": True, "defaultMode": 0o440}
    return [{"name": _PHONE_NUMBER_VOLUME, "secret": secret}]


def _phone_number_mounts(session: WhatsAppSession) -> list[dict[str, Any]]:
    if session.spec.link.phone_number_secret_name is None:
        return []
    return [{"name": _PHONE_NUMBER_VOLUME, "mountPath": PHONE_NUMBER_DIR, "readOnly": True}]


def _proxy_login_volumes(session: WhatsAppSession) -> list[dict[str, Any]]:
    """Return the volume with the proxy's login. Without the Secret the pod starts all the same, and says what is missing."""
    proxy = session.spec.proxy
    if proxy is None or proxy.login_secret_name is None:
        return []
    items = [{"key": key, "path": key} for key in PROXY_LOGIN_KEYS]
    secret = {"secretName": proxy.login_secret_name, "items": items, "optional": True, "defaultMode": 0o440}
    return [{"name": _PROXY_LOGIN_VOLUME, "secret": secret}]


def _webhook_volumes(session: WhatsAppSession) -> list[dict[str, Any]]:
    """Return a volume for each Secret of the webhooks. Without the Secret the pod starts all the same, and sends nothing there."""
    items = [{"key": key, "path": key} for key in WEBHOOK_ENTRIES]
    return [
        {
            "name": _webhook_volume(name),
            "secret": {"secretName": name, "items": items, "optional": True, "defaultMode": 0o440},
        }
        for name in secret_names(session)
    ]


def _webhook_volume(secret: str) -> str:
    # A Secret's name may be too long for a volume's.
    return f"webhook-{hashlib.sha256(secret.encode()).hexdigest()[:12]}"


def _environment(session: WhatsAppSession, defaults: Defaults) -> list[dict[str, Any]]:
    values: dict[str, str] = {
        Variable.WHATSAPP_WEB_URL: defaults.page_url,
        Variable.ALLOWED_HOSTS: defaults.allowed_hosts,
        Variable.PROFILE_DIR: PROFILE_DIR,
        Variable.CACHE_DIR: CACHE_DIR,
        Variable.TOKEN_DIR: TOKEN_DIR,
        Variable.SESSION_UID: session.metadata.uid,
        Variable.PORT: str(RUNNER_PORT),
        **_settings(session.spec.link),
        **_settings(session.spec.timeouts),
        **_settings(session.spec.browser),
        Variable.LOG_LEVEL: defaults.log_level,
        "HOME": HOME_DIR,
    }
    if session.spec.link.phone_number_secret_name is not None:
        values[Variable.PHONE_NUMBER_FILE] = f"{PHONE_NUMBER_DIR}/{PHONE_NUMBER_KEY}"
    if session.spec.proxy is not None:
        values |= _settings(session.spec.proxy)
        if session.spec.proxy.login_secret_name is not None:
            values[Variable.PROXY_LOGIN_DIR] = PROXY_LOGIN_DIR
    if secret_names(session):
        values[Variable.WEBHOOK_SECRETS_DIR] = WEBHOOK_SECRETS_DIR
    if defaults.metrics_need_token:
        values[Variable.METRICS_NEED_TOKEN] = "true"
    if defaults.browser_sandbox:
        values[Variable.BROWSER_SANDBOX] = "true"
    if defaults.extra_ca:
        values[Variable.EXTRA_CA_FILE] = f"{TOKEN_DIR}/{EXTRA_CA_KEY}"
    pod_uid = {"name": str(Variable.POD_UID), "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}
    return [*(variable(name, value) for name, value in values.items()), pod_uid]


def _settings(block: SpecModel) -> dict[str, str]:
    """Return the fields of a block of the spec that the runner reads, by their variables; an absent one has none."""
    return {
        mark: format_duration(value) if isinstance(value, timedelta) else str(value)
        for name, field in type(block).model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Variable)
        for value in (getattr(block, name),)
        if value is not None
    }


def variable(name: str, value: str) -> dict[str, str]:
    """Return one variable of a container; `$(…)` in a value is meant as it stands and not as a reference to another."""
    return {"name": str(name), "value": value.replace("$(", "$$(")}


def _probe(path: str, *, period: int, timeout: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": RUNNER_PORT_NAME},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }
