"""The routes about the process: that it is alive, its metrics, and the document of the API."""

from importlib import resources

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry
from session_protocol.scrapes import Scrapes
from session_protocol.vocabulary import TokenScope

from session_runner.http.access import Access


class ProcessRoutes:
    """The routes of one runner."""

    def __init__(self, *, registry: CollectorRegistry, access: Access, metrics_need_token: bool) -> None:
        self._scrapes = Scrapes(registry)
        self._access = access
        self._metrics_need_token = metrics_need_token

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by the names of their routes."""
        return {
            "getContract": self.contract,
            "getHealth": self.alive,
            "getReadiness": self.alive,
            "getMetrics": self.metrics,
        }

    async def contract(self, _request: web.Request) -> web.Response:
        """GET /v1/openapi.yaml."""
        body = (resources.files(__package__) / "openapi.yaml").read_bytes()
        return web.Response(body=body, content_type="application/yaml")

    async def alive(self, _request: web.Request) -> web.Response:
        """GET /healthz and /readyz: the answer itself is the proof. The page is left out deliberately."""
        return web.Response(text="ok\n")

    async def metrics(self, request: web.Request) -> web.Response:
        """GET /metrics."""
        if self._metrics_need_token:
            self._access.authorize(request, TokenScope.STATE)
        body, headers = await self._scrapes.answer(headers=request.headers, query=request.query)
        return web.Response(body=body, headers=headers)
