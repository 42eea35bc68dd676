"""The connection to the API server: credentials from the pod or a kubeconfig, calls by the official client library.

Only `kubernetes.aio`'s raw calls are used. Touching `CoreV1Api` or a typed model would load about 100 MB of generated
code; tests/unit/runtime/kube/test_connection.py checks that this module does not. `kubernetes.aio.dynamic` would
request every API group at the start, and return loose objects for the same JSON.

`param_serialize` and `call_api` are public, but meant for the generated code. The same tests check, with each release,
what we rely on: token, path, query and body arrive unchanged, and an error status is returned as an answer.

Tokens are short-lived: the kubelet renews a pod's about every hour, a kubeconfig's plug-in at any time. So credentials
are read again every minute, and at once when the API server rejects them. kopf gets its credentials from here too (see
`app/watches.py`), so only this module knows how to log in.
"""

import contextlib
import logging
import os
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import yaml
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from whatsapp_operator.runtime.kube.client import JSON, Request, Response
from whatsapp_operator.runtime.kube.decoding import decode, read_body
from whatsapp_operator.runtime.kube.errors import RequestTimeout, Unreachable
from whatsapp_operator.runtime.process.clock import Clock
from whatsapp_operator.runtime.process.metrics import Metrics

logger = logging.getLogger(__name__)

RELOAD_EVERY = 60.0
""" Seconds after which credentials are read again. """
_STATUSES = frozenset(HTTPStatus)
""" A metric has a series for each, and one for all others. """
NO_ANSWER = "<error>"
""" The code of a request without an answer; client-go's word. """
MAX_CONNECTIONS = 32
""" Calls at the same time; more wait. Protects the API server from a burst after a node loss. """
KEEP_ALIVE = 75.0
""" Seconds that an unused connection is kept: longer than from one resync to the next, so that a session that is applied
after a quiet time waits for no handshakes, and shorter than the 90 s after which an API server ends it. """


class BadCredentials(Exception):
    """There are no credentials, or they cannot be read."""


class Credentials:
    """The API server's address and the credentials for it, kept up to date."""

    def __init__(self, *, clock: Clock, kubeconfig: Path | None = None) -> None:
        self._clock = clock
        self._kubeconfig = kubeconfig
        """ None: the pod's service account. """
        self._loaded_at = 0.0
        self.configuration = Configuration()
        self.configuration.client_session_kwargs = {
            # The environment's proxies are for the world outside; the API server is not there. A kubeconfig that
            # wants one says so itself (proxy-url).
            "trust_env": False,
        }
        self.configuration.connection_pool_maxsize = MAX_CONNECTIONS

    async def load(self) -> None:
        """Read the credentials. :raises BadCredentials: there are none, or they cannot be read."""
        try:
            if self._kubeconfig is None:
                load_incluster_config(  # type: ignore[no-untyped-call]
                    client_configuration=self.configuration, try_refresh_token=False
                )
            else:
                await load_kube_config(  # type: ignore[no-untyped-call]
                    config_file=str(self._kubeconfig), client_configuration=self.configuration, persist_config=False
                )
        except (ConfigException, OSError, ValueError, yaml.YAMLError, TypeError, AttributeError) as error:
            # TypeError and AttributeError: what the library raises for a file that is missing, empty or no mapping.
            where = f"the kubeconfig {self._kubeconfig}" if self._kubeconfig else "the pod's service account"
            raise BadCredentials(f"cannot log in with {where}: {error}") from error
        self._loaded_at = self._clock.monotonic()

    async def refresh(self, *, force: bool = False) -> None:
        """Read the credentials again if they are old. If that fails, keep the old ones and retry in a minute."""
        if not force and self._clock.monotonic() - self._loaded_at < RELOAD_EVERY:
            return
        try:
            await self.load()
        except BadCredentials as error:
            self._loaded_at = self._clock.monotonic()
            logger.warning("Credentials could not be read again, the old ones are kept", extra={"error": str(error)})


class _RestClient(RESTClientObject):
    def _create_connector(self) -> aiohttp.TCPConnector:
        """Keep connections. This method is private, and the library has no other place for that.

        Where a newer library calls another one, connections end after 15 s again: tests/unit/runtime/kube/test_connection.py
        notices.
        """
        return aiohttp.TCPConnector(limit=self.maxsize, ssl=self.ssl_context, keepalive_timeout=KEEP_ALIVE)


def service_account_namespace() -> str | None:
    """Return the namespace of the pod, from its service account's volume; None outside of a pod."""
    path = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8").strip() or None
    return None


def credentials_path() -> Path | None:
    """Return the kubeconfig to use, or None inside a pod."""
    if "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ:
        return None
    given = os.environ.get("KUBECONFIG")
    return Path(given) if given else Path.home() / ".kube" / "config"


class Connection:
    """A `KubeClient` over the official client library."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        user_agent: str,
        metrics: Metrics,
        before_write: Callable[[], None] = lambda: None,
    ) -> None:
        self._credentials = credentials
        self._before_write = before_write
        """ Called before each request that changes something; it ends the process if that must not be. """
        self._metrics = metrics
        self._api = ApiClient(configuration=credentials.configuration)
        self._api.user_agent = user_agent
        self._api.rest_client = _RestClient(credentials.configuration)

    async def send(self, request: Request) -> Response:
        """Send one request; if the API server rejects the credentials, read them again and retry once.

        :raises Unreachable: no answer came, or none that is JSON.
        :raises AnswerTooLarge: it is longer than the request allows.
        """
        await self._credentials.refresh()
        if request.method != "GET":
            self._before_write()
        response = await self._send(request)
        if response.status == 401:
            await self._credentials.refresh(force=True)
            response = await self._send(request)
        return response

    async def _send(self, request: Request) -> Response:
        method, url, headers, body, _ = await self._api.param_serialize(
            request.method,
            request.path,
            query_params=list(request.query),
            header_params={"Accept": JSON, "Content-Type": request.content_type},
            body=request.body,
            auth_settings=["BearerToken"],
        )
        try:
            answer = await self._api.call_api(
                method, url, headers, body, _request_timeout=aiohttp.ClientTimeout(total=request.timeout)
            )
            text = await read_body(answer.response, at_most=request.max_bytes)
        except TimeoutError as error:
            self._count(request, NO_ANSWER)
            raise RequestTimeout(f"no answer within {request.timeout:g} s: {method} {request.path}") from error
        except (aiohttp.ClientError, OSError) as error:
            self._count(request, NO_ANSWER)
            raise Unreachable(f"no answer: {method} {request.path}: {error}") from error
        self._count(request, str(answer.status) if answer.status in _STATUSES else "other")
        return Response(
            status=answer.status,
            body=await decode(text, status=answer.status),
            size=len(text),
            retry_after=_seconds(answer.headers.get("Retry-After")),
        )

    def _count(self, request: Request, code: str) -> None:
        host = urlsplit(self._api.configuration.host).netloc.rpartition("@")[2]
        self._metrics.requests.labels(code=code, method=request.method, host=host).inc()

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()  # type: ignore[no-untyped-call]


def _seconds(text: str | None) -> float | None:
    """Return a Retry-After in seconds; its other form, a date, is never sent by an API server."""
    try:
        return max(0.0, float(text)) if text is not None else None
    except ValueError:
        return None
