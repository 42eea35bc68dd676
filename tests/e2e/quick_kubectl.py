"""kubectl, but for the objects that waits look at: those are asked of the API server itself.

A wait looks three times a second, and each kubectl takes a tenth of a second of a core: of two, with three clusters at
work, that is half of what there is. What a person does is done by kubectl here, too.
"""

import urllib.parse
from dataclasses import dataclass
from typing import Any, Final

from session_devtools.http_client import Client
from session_devtools.kubectl import Kubectl

__all__ = ["QuickKubectl"]

PLACES: Final = {
    "was": "/apis/wasession.dev/v1alpha1/namespaces/{}/whatsappsessions",
    "pod": "/api/v1/namespaces/{}/pods",
    "pvc": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "secret": "/api/v1/namespaces/{}/secrets",
    "service": "/api/v1/namespaces/{}/services",
}
""" By the name that kubectl knows them by. """


@dataclass(frozen=True, kw_only=True)
class QuickKubectl(Kubectl):
    """kubectl for one cluster, and a client of its API server with the same rights."""

    api: Client

    def get(
        self,
        kind: str,
        *names: str,
        namespace: str | None = None,
        all_namespaces: bool = False,
        selector: str | None = None,
        missing_ok: bool = False,
    ) -> list[dict[str, Any]]:
        """Return the named objects, or all of the kind. :raises ToolError: it cannot be done, or one does not exist."""
        if kind not in PLACES or namespace is None or all_namespaces:
            return super().get(
                kind,
                *names,
                namespace=namespace,
                all_namespaces=all_namespaces,
                selector=selector,
                missing_ok=missing_ok,
            )
        place = PLACES[kind].format(namespace)
        if not names:
            query = {} if selector is None else {"labelSelector": selector}
            return list(self.api.request(f"{place}?{urllib.parse.urlencode(query)}").json_object()["items"])
        answers = [self.api.request(f"{place}/{name}") for name in names]
        return [answer.json_object() for answer in answers if not (missing_ok and answer.status == 404)]
