"""The one port: /healthz for the kubelet's liveness, /readyz, /metrics for Prometheus.

`/healthz` fails when a restart helps: no full list has succeeded for three intervals, or a task of ours has ended.
It does not fail for a process that waits for the Lease. `/readyz` is 200 once this process acts, after its first full
list, and also while it is a standby: if a standby counted as unready, a rolling update would never end.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import web
from session_protocol.bad_requests import QuietRunner, authorization_of, prove
from session_protocol.scrapes import Scrapes, shows

from whatsapp_operator.app.tokens import read_token
from whatsapp_operator.runtime.process.metrics import Metrics


class Role(StrEnum):
    """The role of a process, from its start to its end."""

    STARTING = "starting"
    STANDBY = "standby"
    """ Another process has the Lease. """
    SYNCING = "syncing"
    """ It has the Lease and makes its first full list. """
    ACTING = "acting"
    STOPPING = "stopping"


@dataclass(frozen=True, kw_only=True)
class Health:
    """The health of the process, for one answer."""

    role: Role
    faults: tuple[str, ...] = ()
    """ Why it should be restarted; empty: it is healthy. """
    resync_age: float | None = None
    """ Seconds since the last full list that succeeded. """

    @property
    def ready(self) -> bool:
        """Whether it acts or stands by, without a fault."""
        return self.role in (Role.STANDBY, Role.ACTING) and not self.faults


class Probes:
    """The HTTP server."""

    def __init__(
        self,
        *,
        health: Callable[[], Health],
        measure: Callable[[], None],
        metrics: Metrics,
        token_file: Path | None = None,
    ) -> None:
        self._health = health
        self._metrics = metrics
        self._scrapes = Scrapes(metrics.registry, measure=measure)
        self._token_file = token_file
        """ Holds the token that /metrics needs; None: it needs none. """
        self._runner: web.AppRunner | None = None

    async def start(self, *, address: str, port: int) -> int:
        """Start to serve; return the port. :raises OSError: the address or port cannot be used."""
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._serve_metrics)
        self._runner = QuietRunner(
            app,
            count=self._metrics.bad_requests.inc,
            answer=_refusal,
            closed=lambda reason: self._metrics.closed.labels(reason).inc(),
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, address, port).start()
        return int(self._runner.addresses[0][1])

    def measure_anew(self) -> None:
        """Measure for the next scrape, however short a time ago that was done."""
        self._scrapes.forget()

    async def stop(self) -> None:
        """Stop serving."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        health = self._health()
        return _answer(health, good=not health.faults)

    async def _readyz(self, _: web.Request) -> web.Response:
        health = self._health()
        return _answer(health, good=health.ready)

    async def _serve_metrics(self, request: web.Request) -> web.Response:
        if self._token_file is not None:
            # Read each time, so that a replaced token counts at once. One that cannot be read opens nothing.
            if not shows(authorization_of(request), read_token(self._token_file)):
                return web.Response(
                    status=HTTPStatus.UNAUTHORIZED,
                    text="Send the header Authorization: Bearer TOKEN with the token of METRICS_TOKEN_FILE.\n",
                    headers={"WWW-Authenticate": "Bearer"},
                )
            prove(request, "metrics")
        body, headers = await self._scrapes.answer(headers=request.headers, query=request.query)
        return web.Response(body=body, headers=headers)


def _refusal(status: int) -> web.Response:
    return web.Response(status=status, text=f"{status} {HTTPStatus(status).phrase}\n")


def _answer(health: Health, *, good: bool) -> web.Response:
    body: dict[str, Any] = {"role": health.role, "faults": list(health.faults)}
    if health.resync_age is not None:
        body["resyncAgeSeconds"] = round(health.resync_age, 1)
    return web.Response(status=200 if good else 503, text=json.dumps(body) + "\n", content_type="application/json")
