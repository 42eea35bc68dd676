"""The stand-in's phone, reached through kubectl: it scans QR codes, and does to its devices what a person could.

Its token and the codes stay in memory.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from session_devtools.errors import ToolError
from session_devtools.http_client import Client
from session_devtools.installation.constants import NAMESPACE
from session_devtools.kubectl import Kubectl
from session_devtools.waiting import wait_until


@dataclass(frozen=True, kw_only=True)
class Phone:
    """The API of the phone in the stand-in's pod."""

    kubectl: Kubectl
    pod: str
    token: str
    namespace: str = NAMESPACE
    port: int = 9080

    def request(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call the API; a body makes it a POST."""
        with self.kubectl.forward(self.pod, self.port, namespace=self.namespace) as port:
            return Client(f"http://127.0.0.1:{port}", token=self.token).request(path, body=body).json_object()

    def scan(self, read: Callable[[], str]) -> Any:
        """Scan the code that is read, and return the phone's answer; tried again for some seconds, with a new reading."""

        def scan() -> Any:
            return self.request("/phone/scan", {"qr": read()})

        return wait_until("the phone scans the QR code", scan, lambda _: True, within=5, every=1, retry_on=ToolError)
