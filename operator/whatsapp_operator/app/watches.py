"""kopf as a source of watch events, and nothing more: the only place that imports it.

`on.event` handlers for six kinds pass each raw event to the runtime. So kopf writes nothing to people's objects (no
finalizer, no annotation, no event), and its indexes, which keep deleted objects after a lost event, are not used. The
resync finds what a watch has missed, and notices a dead watch (`runtime.kube.resync`).
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any, Final

import kopf

from whatsapp_operator.api.constants import CLIENT_NAME
from whatsapp_operator.runtime.kube.connection import Credentials
from whatsapp_operator.runtime.kube.resources import Json, Resource
from whatsapp_operator.runtime.kube.resync import Stream
from whatsapp_operator.runtime.process.config import SELECTORS

EventHandler = Callable[[Stream, str | None, Json], None]
""" Handles a watch event; kind None: the object existed when the watch began. """

SERVER_TIMEOUT: Final = 300
""" Seconds, an integer: the API server ends a watch after this time, and kopf starts the next one from there. """
LIST_PAGE: Final = 50
""" Objects per page of kopf's own lists, with which its watches begin. It parses a page at once, so that no more than
    half a megabyte or so may be on it; ours are parsed in pieces (`runtime.kube.decoding`). """
END: Final = timedelta(seconds=3)
""" How long kopf may take to end. """


class WatchesEnded(Exception):
    """A kopf task that should run for ever has ended without an error."""


def settings(*, request_timeout: timedelta, page: int) -> kopf.OperatorSettings:
    """Return kopf's settings: requests with timeouts, watches with our label selectors, nothing written or scanned."""
    configured = kopf.OperatorSettings()
    configured.networking.request_timeout = request_timeout.total_seconds()
    configured.networking.connect_timeout = 5
    configured.networking.error_backoffs = (1, 2, 5)
    configured.watching.server_timeout = SERVER_TIMEOUT
    configured.watching.client_timeout = SERVER_TIMEOUT + 30
    configured.watching.connect_timeout = 10
    configured.watching.chunk_size = min(page, LIST_PAGE)
    for resource, labels in SELECTORS.items():
        if labels:
            # All three parts: kopf would take the first of two for the core group's version, or for a group, and a
            # single "version/plural" would match nothing; in either case all objects of the kind would be watched.
            configured.watching.label_selectors[resource.group, resource.version, resource.plural] = labels
    configured.execution.max_workers = 1  # all handlers are coroutines
    configured.posting.level = logging.CRITICAL + 1
    configured.posting.reporting_component = CLIENT_NAME
    configured.peering.standalone = True
    configured.scanning.disabled = True
    return configured


def registry(*, on_event: EventHandler, credentials: Credentials, namespaced: bool) -> kopf.OperatorRegistry:
    """Return the handlers: a login with our credentials, and one handler per kind."""
    handlers = kopf.OperatorRegistry()

    async def login(**_: Any) -> kopf.ConnectionInfo:
        # Called at the start, and again when the API server rejects the credentials.
        await credentials.refresh(force=True)
        return connection_info(credentials)

    kopf.on.login(registry=handlers, id="login", retries=3)(login)
    for resource in SELECTORS:
        handler = _handler(resource, on_event, namespaced=namespaced and resource.namespaced)
        kopf.on.event(resource.group, resource.version, resource.plural, registry=handlers, id=resource.plural)(handler)
    return handlers


def _handler(resource: Resource, on_event: EventHandler, *, namespaced: bool) -> Callable[..., Any]:
    async def handle(event: Any, namespace: str | None, **_: Any) -> None:
        on_event(Stream(resource, namespace if namespaced else None), event["type"], event["object"])

    return handle


def connection_info(credentials: Credentials) -> kopf.ConnectionInfo:
    """Return our credentials in kopf's form."""
    known = credentials.configuration
    header = known.api_key.get("BearerToken")
    token = header.partition(" ")[2] if header else ""
    return kopf.ConnectionInfo(
        server=known.host,
        ca_path=known.ssl_ca_cert,
        insecure=not known.verify_ssl,
        username=known.username or None,
        password=known.password or None,
        scheme="Bearer" if token else None,
        token=token or None,
        certificate_path=known.cert_file,
        private_key_path=known.key_file,
        proxy_url=known.proxy,
    )


async def watch(
    *,
    on_event: EventHandler,
    credentials: Credentials,
    namespaces: Collection[str],
    request_timeout: timedelta,
    page: int,
    on_started: Callable[[], None],
    stop: asyncio.Event,
) -> None:
    """Watch until stopped; raise the error of the first kopf task that fails.

    kopf's tasks are started and ended here, not by `kopf.operator()`: when one of its tasks has failed, that waits for
    every task of the event loop, ours included, and was seen to wait for ever.

    :param namespaces: empty: all.
    :param on_started: called once kopf runs and has installed its own signal handlers, so that ours can be restored.
    :raises WatchesEnded: a kopf task ended without an error.
    """
    tasks = await kopf.spawn_tasks(
        registry=registry(on_event=on_event, credentials=credentials, namespaced=bool(namespaces)),
        settings=settings(request_timeout=request_timeout, page=page),
        clusterwide=not namespaces,
        namespaces=list(namespaces),
    )
    on_started()
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        # Cancel once only: a second cancellation would interrupt kopf's clean-up, which closes its connections.
        for task in (stopping, *tasks):
            task.cancel()
        await asyncio.wait(tasks, timeout=END.total_seconds())
    for task in done - {stopping}:
        task.result()
        raise WatchesEnded(f"kopf's task {task.get_name()!r} has ended")
