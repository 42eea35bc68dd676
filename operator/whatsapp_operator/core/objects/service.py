"""The headless Service of a namespace: it gives each session's pod a name in DNS.

One for all sessions of the namespace, because a Service named after a session would refuse names like 5511999. It
publishes addresses of pods that are not ready, too: a session that waits for a phone must be reachable.
"""

from typing import Final

from whatsapp_operator.api.constants import (
    MANAGED_BY,
    MANAGED_BY_LABEL,
    NAME_LABEL,
    RUNNER_NAME,
    RUNNER_PORT,
    RUNNER_PORT_NAME,
    SERVICE_NAME,
)
from whatsapp_operator.core.model import Manifest
from whatsapp_operator.core.objects import names

SELECTOR: Final = {MANAGED_BY_LABEL: MANAGED_BY, NAME_LABEL: RUNNER_NAME}
""" The pods that it leads to. """


def service_manifest(namespace: str) -> Manifest:
    """Return the Service to create. It has no owner; the operator deletes it after the last session."""
    return Manifest(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": SERVICE_NAME,
                "namespace": namespace,
                "labels": names.recommended_labels(SERVICE_NAME) | SELECTOR,
            },
            "spec": {
                "clusterIP": "None",
                "publishNotReadyAddresses": True,
                "selector": dict(SELECTOR),
                "ports": [
                    {"name": RUNNER_PORT_NAME, "port": RUNNER_PORT, "targetPort": RUNNER_PORT_NAME, "protocol": "TCP"}
                ],
            },
        }
    )
