"""Both HTTP servers as their programs start them, on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from prometheus_client import Counter
from session_runner.http.app import serve
from support.runner_parts import make_api, make_parts
from whatsapp_operator.app.probes import Health, Probes, Role
from whatsapp_operator.runtime.process import metrics as operator_metrics

SERVERS = ("operator", "runner")


@asynccontextmanager
async def serving(program: str, tokens: Path) -> AsyncIterator[tuple[int, Counter]]:
    """Serve one of SERVERS; yields its port and its counter of bad requests."""
    if program == "operator":
        measured = operator_metrics.Metrics()
        probes = Probes(health=lambda: Health(role=Role.ACTING), measure=lambda: None, metrics=measured)
        yield await probes.start(address="127.0.0.1", port=0), measured.bad_requests
        await probes.stop()
        return
    parts = make_parts()
    metrics, store = parts.base.metrics, parts.base.store
    runner, port = await serve(make_api(parts, tokens), port=0, metrics=metrics)
    yield port, metrics.bad_requests
    store.close()
    await runner.cleanup()
