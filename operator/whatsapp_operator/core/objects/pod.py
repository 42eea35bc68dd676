"""The session's pod, whole: built once from the session and the settings, never changed afterwards.

A bare pod that is not restarted in place: what follows a failure is the operator's decision, and it wants to see the
failure first. It passes the *restricted* Pod Security Standard. `container` has the runner's own part.
"""

import hashlib
import json
from typing import Any, Final

from session_protocol.environment import Variable
from session_protocol.live_settings import LiveSettings, write_live_settings
from session_protocol.times import format_time

from whatsapp_operator.api.conditions import ConditionStatus, ConditionType, find_condition
from whatsapp_operator.api.constants import (
    KEY_ID_LABEL,
    NAME_LABEL,
    QUOTA_ANNOTATION,
    QUOTA_LABEL,
    RELINK_AT,
    RENEW_TOKENS_AT,
    RESTART_AT,
    RUNNER_NAME,
    SERVICE_NAME,
    TEMPLATE_HASH_ANNOTATION,
    TOKEN_VOLUME,
)
from whatsapp_operator.api.requests import requested
from whatsapp_operator.api.resources import effective
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import Defaults, Manifest
from whatsapp_operator.core.objects import names
from whatsapp_operator.core.objects.container import SCRATCH, runner_container, variable, volumes
from whatsapp_operator.core.objects.live_settings import live_settings

GRACE_SECONDS: Final = 60
""" The runner closes the browser cleanly within 45 s of SIGTERM; the rest is the kubelet's and the volume's. """
_EVICTION_HINT: Final = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
""" Without it an autoscaler takes the scratch volumes for data and keeps the node. Whether the session itself may be
moved to save nodes is the person's word in spec.pod.annotations: `cluster-autoscaler.kubernetes.io/safe-to-evict`, or
`karpenter.sh/do-not-disrupt`. """

_ALL_SESSIONS: Final = {"matchLabels": {NAME_LABEL: RUNNER_NAME}}
""" Which pods a spread constraint counts when it names none. """


def pod_manifest(session: WhatsAppSession, defaults: Defaults) -> Manifest:
    """Return the pod to create; its annotations carry the requests that it answers."""
    options = session.spec.pod
    quota = session.spec.quota_name
    metadata: dict[str, Any] = {
        "name": names.pod_name(session),
        "namespace": session.metadata.namespace,
        "labels": options.labels
        | names.selector_labels(session)
        | {QUOTA_LABEL: names.label_value(quota), KEY_ID_LABEL: names.label_value(defaults.key_id)},
        "annotations": options.annotations | {QUOTA_ANNOTATION: quota, _EVICTION_HINT: _scratch_names()},
        "ownerReferences": [names.owner_reference(session)],
    }
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": _spec(session, defaults),
    }
    metadata["annotations"][TEMPLATE_HASH_ANNOTATION] = _hash(pod)
    # After the hash: labels that nothing selects by are no reason to call a running pod outdated, neither when
    # they came nor when one changes. A person's own value for one of them stays.
    metadata["labels"] = names.recommended_labels(session.metadata.name) | metadata["labels"]
    # After it too: what a person asks for once is no edit that waits for the next pod.
    requests = requested(session.metadata.annotations)
    source = names.token_source(session, defaults)
    _mount(pod, names.mounted_secret_name(session, source, extra_ca=defaults.extra_ca))
    metadata["annotations"][RENEW_TOKENS_AT] = source.renewal
    requested_at: dict[str, str | None] = {RESTART_AT: requests.restart_at, RELINK_AT: requests.relink_at}
    metadata["annotations"] |= {name: value for name, value in requested_at.items() if value is not None}
    variables: dict[str, str | None] = {
        Variable.RESTART_REQUEST: requests.restart_at,
        Variable.RELINK_REQUEST: requests.relink_at,
        Variable.RESUMED_TIME: _resumed(session),
        Variable.LIVE_SETTINGS: _live_settings(session, defaults),
    }
    (container,) = pod["spec"]["containers"]
    # And what the operator sets for all: pods that an older one made without it are not outdated for that.
    container["resources"] = effective(session.spec.resources).with_ephemeral_storage(container["resources"])
    environment = container["env"]
    environment += [variable(name, value) for name, value in variables.items() if value is not None]
    return Manifest(pod)


def _resumed(session: WhatsAppSession) -> str | None:
    """Return when the last suspension ended, by the status; if there was none, when the session was created.

    The write of Suspended=True ends the operator's hold, and the next change of the condition moves this time. So the
    runner's hold ends if and only if the operator's did, and not when the status was lost: that moves it back at most.
    """
    suspended = find_condition(session.status.conditions, ConditionType.SUSPENDED)
    if suspended is None or suspended.status != ConditionStatus.FALSE or suspended.last_transition_time is None:
        return None
    return format_time(suspended.last_transition_time)


def _live_settings(session: WhatsAppSession, defaults: Defaults) -> str | None:
    settings = live_settings(session, defaults)
    return None if settings == LiveSettings() else write_live_settings(settings).decode()


def template_hash(session: WhatsAppSession, defaults: Defaults) -> str:
    """Return the template hash of a pod created now; if the pod has another one, edits wait for the next pod."""
    return str(pod_manifest(session, defaults)["metadata"]["annotations"][TEMPLATE_HASH_ANNOTATION])


def _spec(session: WhatsAppSession, defaults: Defaults) -> dict[str, Any]:
    options = session.spec.pod
    user = defaults.run_as_user
    spec: dict[str, Any] = {
        "hostname": session.metadata.name,
        "subdomain": SERVICE_NAME,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "automountServiceAccountToken": False,
        # A namespace with many Services would else put a variable of each into the runner's environment.
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": user,
            "fsGroup": user,
            # A profile has thousands of files: their owner is looked at only when the volume's root is not ours yet.
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [runner_container(session, defaults)],
        "volumes": volumes(session, defaults),
    }
    if defaults.user_namespaces:
        spec["hostUsers"] = False
    chosen: dict[str, Any] = {
        "imagePullSecrets": [secret.to_dict() for secret in options.image_pull_secrets],
        "nodeSelector": dict(options.node_selector),
        "tolerations": [toleration.to_dict() for toleration in options.tolerations],
        "affinity": options.affinity.to_dict() if options.affinity is not None else None,
        "topologySpreadConstraints": [
            {"labelSelector": _ALL_SESSIONS} | spread.to_dict() for spread in options.topology_spread_constraints
        ],
        "schedulerName": options.scheduler_name,
        "priorityClassName": options.priority_class_name,
        "runtimeClassName": options.runtime_class_name,
        "dnsPolicy": options.dns_policy and str(options.dns_policy),
        "dnsConfig": options.dns_config.to_dict() if options.dns_config is not None else None,
    }
    spec |= {field: value for field, value in chosen.items() if value}
    return spec


def _mount(pod: dict[str, Any], secret: str) -> None:
    volume = next(volume for volume in pod["spec"]["volumes"] if volume["name"] == TOKEN_VOLUME)
    volume["secret"]["secretName"] = secret


def _hash(pod: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(pod, sort_keys=True).encode()).hexdigest()[:16]


def _scratch_names() -> str:
    return ",".join(scratch.name for scratch in SCRATCH)
