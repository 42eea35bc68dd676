"""How long single steps hold the operator's event loop with many sessions: the figure that other work has to wait for.

The operator's runtime runs in this process over an API server that answers from memory, so nothing but its own work is
measured. Each callback of the loop is timed by the processor time that it takes, which other programs do not lengthen.
"""

import asyncio
import asyncio.events
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from multidict import CIMultiDict, MultiDict
from session_protocol.scrapes import Scrapes
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import Defaults, KeyID
from whatsapp_operator.core.objects.pod import pod_manifest
from whatsapp_operator.runtime.kube.client import Kube, Request, Response
from whatsapp_operator.runtime.kube.decoding import decode
from whatsapp_operator.runtime.kube.resources import NAMESPACES, PODS, QUOTAS, SESSIONS
from whatsapp_operator.runtime.process.clock import SystemClock
from whatsapp_operator.runtime.process.config import Config, Dependencies
from whatsapp_operator.runtime.process.garbage import Garbage
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.process.operator import Operator

from session_bench import objects
from session_bench.figures import Row, Table

Json = dict[str, Any]
TIME = "2026-11-22T18:00:00Z"
LONGEST = 0.05
""" Seconds: what no step may take at ten thousand sessions. """


def measure_loop_steps(*, sessions: int, rounds: int) -> Table:
    """Measure in rounds: half of the sessions run, half of them wait for a place."""
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, seconds in asyncio.run(_round(sessions)).items():
            found.setdefault(name, []).append(seconds * 1000)
    rows = tuple(Row(name=name, unit="ms", values=tuple(values)) for name, values in found.items())
    longest = max(max(values) for values in found.values())
    title = (
        f"The longest step in the event loop with {sessions} sessions: {longest:.0f} ms, allowed are {LONGEST * 1000:g}"
    )
    return Table(name="loop", title=title, rows=rows)


async def _round(sessions: int) -> dict[str, float]:
    api, metrics = _Api(sessions), Metrics(sessions_limit=sessions)
    dependencies = Dependencies(
        kube=Kube(api, timeout=60), clock=SystemClock(), metrics=metrics, offload=asyncio.to_thread, garbage=Garbage()
    )
    config = Config(
        defaults=Defaults(runner_image="r:1", key_id=KeyID("k")),
        namespace="ops",
        key_secret="k",  # noqa: S106 -- its name
        identity="b",
    )
    operator, found = Operator(config, dependencies), dict[str, float]()
    scrapes = Scrapes(metrics.registry, measure=operator.measure)

    async def scrape() -> None:
        await scrapes.answer(headers=CIMultiDict(), query=MultiDict())

    steps: dict[str, Callable[[], Any]] = {
        "first full list": operator.resync.attempt,
        "full list without news": operator.resync.attempt,
        "admission round, half of them new": operator.admission.round,
        "admission round without news": operator.admission.round,
        "scrape": scrape,
    }
    for name, step in steps.items():
        with _longest_step(found, name):
            await asyncio.create_task(step())
        await asyncio.sleep(0)  # so that what comes next does not count for this step
    await operator.stop(within=1)
    return found


@contextmanager
def _longest_step(found: dict[str, float], name: str) -> Iterator[None]:
    """Keep the processor time of the longest callback of the loop meanwhile."""
    run: Callable[[asyncio.events.Handle], None] = getattr(asyncio.events.Handle, "_run")  # noqa: B009 -- as below
    found[name] = 0.0

    def timed(handle: asyncio.events.Handle) -> None:
        began = time.thread_time()
        run(handle)
        found[name] = max(found[name], time.thread_time() - began)

    setattr(asyncio.events.Handle, "_run", timed)  # noqa: B010 -- the loop has no other place to look at
    try:
        yield
    finally:
        setattr(asyncio.events.Handle, "_run", run)  # noqa: B010 -- as above


class _Api:
    """An API server whose answers are made before anything is measured, and parsed as real ones are."""

    def __init__(self, sessions: int) -> None:
        self._lists = {
            resource.path(): [json.dumps(obj).encode() for obj in made]
            for resource, made in (
                (SESSIONS, (_session(number, admitted=number % 2 == 0) for number in range(sessions))),
                (PODS, (_pod(number) for number in range(0, sessions, 2))),
                (QUOTAS, (_stored(objects.quota(), "quota"),)),
                (NAMESPACES, (_stored(objects.namespace(), "namespace"),)),
            )
        }

    async def send(self, request: Request) -> Response:
        """Answer a list in pages, a write with what was written; no single object is there."""
        query, body = dict(request.query), dict(request.body or {})
        if request.method != "GET":
            return Response(status=200, body=body | {"metadata": {**body.get("metadata", {}), "resourceVersion": "9"}})
        if "limit" not in query:
            return Response(status=404)
        found, start = self._lists.get(request.path, []), int(query.get("continue") or 0)
        end = start + int(query["limit"])
        metadata = {"resourceVersion": "1000"} | ({"continue": str(end)} if end < len(found) else {})
        text = b'{"metadata":%s,"items":[%s]}' % (json.dumps(metadata).encode(), b",".join(found[start:end]))
        return Response(status=200, body=await decode(text, status=200), size=len(text))


def _stored(obj: Json, uid: str) -> Json:
    managed = {"manager": "whatsapp-operator", "fieldsV1": {f"f:field{number}": {} for number in range(60)}}
    kept = {"uid": uid, "resourceVersion": "7", "generation": 1, "creationTimestamp": TIME, "managedFields": [managed]}
    return {**obj, "metadata": {**obj["metadata"], **kept}}


def _session(number: int, *, admitted: bool) -> Json:
    stored = _stored(objects.session(f"session-{number}"), f"uid-{number}")
    if not admitted:
        return stored
    conditions = [
        {"type": kind, "status": "True", "reason": "AsExpected", "message": "x" * 40, "lastTransitionTime": TIME}
        for kind in ("Admitted", "Ready", "PodReady", "Linked")
    ]
    admission = {"quotaName": objects.QUOTA, "memory": "768Mi", "reservedAt": TIME}
    return stored | {"status": {"state": "Connected", "admission": admission, "conditions": conditions}}


def _pod(number: int) -> Json:
    session = WhatsAppSession.parse(_session(number, admitted=True))
    manifest = json.loads(
        json.dumps(pod_manifest(session, Defaults(runner_image="r:1", key_id=KeyID("k"))), default=str)
    )
    status = {"phase": "Running", "podIP": "10.0.0.1", "containerStatuses": [{"name": "runner", "ready": True}]}
    return _stored(manifest, f"pod-{number}") | {"status": status}
