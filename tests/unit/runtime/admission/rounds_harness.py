"""An admission over an API server in memory, for the tests of its rounds."""

from collections.abc import Callable
from typing import TypeVar

from unit.runtime.fakes import FakeClock
from unit.runtime.memory_api import Json, MemoryApi
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import Seal, SealedKind, SessionUID
from whatsapp_operator.runtime.admission.rounds import Admission
from whatsapp_operator.runtime.kube.client import Kube, Request, Response
from whatsapp_operator.runtime.kube.instances import Instance
from whatsapp_operator.runtime.process.metrics import Metrics

T = TypeVar("T")


class Bench:
    """An admission over an API server in memory."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.api = MemoryApi(now=self.clock.now)
        self.changed: list[ObjectKey] = []
        self.during: Callable[[], None] = lambda: None
        """ Called in the middle of a round, after the sessions were listed. """
        self.computing: Callable[[], None] = lambda: None
        """ Called while a round is computed, in whichever thread. """
        self.before: Callable[[Request], None] = lambda _request: None
        self.seal: Seal | None = None
        """ What proves whose the pods are. """
        self.computed = 0
        kube = Kube(self, timeout=30)
        self.metrics = Metrics()
        self.admission = Admission(
            kube=kube,
            clock=self.clock,
            instance=Instance(kube=kube, name="", namespaces=()),
            pods_selector="",
            read_seal=lambda obj, kind: self.seal if kind is SealedKind.POD and obj else None,
            on_changed=self.changed.append,
            metrics=self.metrics,
            offload=self._offload,
        )
        self.api.put("namespaces", {"metadata": {"name": "shop"}})

    async def send(self, request: Request) -> Response:
        """Play API server."""
        self.before(request)
        response = await self.api.send(request)
        if request.path.endswith("/whatsappsessions"):
            self.during()
        return response

    async def _offload(self, function: Callable[[], T]) -> T:
        self.computed += 1
        result = function()
        self.computing()
        return result

    @property
    def rounds(self) -> int:
        """How many rounds have listed."""
        return sum(request.path.endswith("/whatsappsessions") for request in self.api.requests)

    def quota(self, **spec: object) -> None:
        """Create the quota."""
        self.api.put("whatsappsessionquotas", {"metadata": {"name": "default"}, "spec": spec})

    def session(self, name: str) -> SessionUID:
        """Create a session; return its UID."""
        made = self.api.put("whatsappsessions", {"metadata": {"name": name, "namespace": "shop"}, "spec": {}})
        return SessionUID(made["metadata"]["uid"])

    def reserve(self, name: str) -> None:
        """Write a reservation into a session's status, as its worker does."""
        admission = {"quotaName": "default", "memory": "768Mi", "reservedAt": "2026-01-01T00:00:00Z"}
        self.api.change("whatsappsessions", "shop", name, {"status": {"admission": admission}}, status=True)

    def quota_status(self) -> Json:
        """Return what the quota says."""
        status: Json = (self.api.get("whatsappsessionquotas", "", "default") or {}).get("status") or {}
        return status
