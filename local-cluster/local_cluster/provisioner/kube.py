"""The API side of the provisioner: the few requests it makes, as plain JSON over aiohttp. It decides nothing.

Raw JSON instead of a generated client: a pass over a thousand claims then builds no thousand models, and the host
tools need no further package.

ApiError
├── Conflict    a create found the object there, or a write met a newer version
├── NotFound    the object is gone
└── Expired     the watch's starting point is too old: list again
"""

import dataclasses
import json
from collections.abc import AsyncIterator, Mapping
from enum import StrEnum
from typing import Any, Final, Protocol, Self

import aiohttp

from local_cluster.provisioner.kubeconfig import Access

REQUEST_TIMEOUT: Final = aiohttp.ClientTimeout(total=15, sock_connect=5)
USER_AGENT: Final = "local-volume-provisioner"
""" How the API server's audit log names this process. """

WATCH_SECONDS: Final = 60
""" The API server ends each watch after this; the LIST that follows bounds how long a lost event can matter. """

Raw = Mapping[str, Any]


class ApiError(Exception):
    """The API server refused a request, or could not be reached."""


class Conflict(ApiError):
    """The object to create is there already, or the object to change is newer than thought."""


class NotFound(ApiError):
    """The object is gone."""


class Expired(ApiError):
    """The watch cannot go on from its starting point."""


_BY_STATUS: Final = {404: NotFound, 409: Conflict, 410: Expired}


class Kind(StrEnum):
    """The lists that the provisioner follows: the path of each."""

    CLAIMS = "/api/v1/persistentvolumeclaims"
    VOLUMES = "/api/v1/persistentvolumes"
    CLASSES = "/apis/storage.k8s.io/v1/storageclasses"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Listing:
    """All objects of a kind at one moment, and where a watch goes on."""

    items: tuple[Raw, ...]
    version: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Change:
    """One object of a watch: as it is now, or as it was when it was deleted."""

    deleted: bool
    item: Raw


class Kube(Protocol):
    """What mirror and steps need of the API server; the tests have one in memory."""

    async def list_all(self, kind: Kind) -> Listing:
        """All objects of a kind. Raises ApiError."""

    def watch(self, kind: Kind, *, version: str) -> AsyncIterator[Change]:
        """The changes since a version, until the server ends the watch. Raises ApiError, of it Expired."""

    async def get(self, path: str) -> Raw:
        """One object. Raises ApiError, of it NotFound."""

    async def create(self, path: str, body: Raw) -> Raw:
        """Create an object in the list at `path`. Raises ApiError, of it Conflict."""

    async def merge(self, path: str, body: Raw) -> Raw:
        """Merge fields into an object. Raises ApiError, of it NotFound."""

    async def delete(self, path: str) -> None:
        """Delete an object. Raises ApiError, of it NotFound."""


class HttpKube:
    """The real one; use it as an async context manager."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the connection pool."""
        headers = {"User-Agent": USER_AGENT}
        if self._access.token:
            headers["Authorization"] = f"Bearer {self._access.token}"
        self._session = aiohttp.ClientSession(
            base_url=self._access.server,
            connector=aiohttp.TCPConnector(ssl=self._access.tls or True, limit=0),
            headers=headers,
            timeout=REQUEST_TIMEOUT,
            read_bufsize=2**21,  # bytes: a watch sends each object as one line, however long
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def list_all(self, kind: Kind) -> Listing:
        """All objects of a kind. Raises ApiError."""
        body = await self._request("GET", kind.value)
        return Listing(items=tuple(body["items"]), version=body["metadata"]["resourceVersion"])

    async def watch(self, kind: Kind, *, version: str) -> AsyncIterator[Change]:
        """The changes since a version, until the server ends the watch. Raises ApiError, of it Expired."""
        query = {"watch": "true", "resourceVersion": version, "timeoutSeconds": str(WATCH_SECONDS)}
        # Longer than the server's own end, so that only a dead connection meets it.
        timeout = aiohttp.ClientTimeout(sock_connect=5, sock_read=WATCH_SECONDS + 15)
        try:
            async with self._open.get(kind.value, params=query, timeout=timeout) as response:
                await _check(response)
                async for line in response.content:
                    yield _change(json.loads(line))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiError(f"watching {kind.value} failed: {error!r}") from error

    async def get(self, path: str) -> Raw:
        """One object. Raises ApiError, of it NotFound."""
        return await self._request("GET", path)

    async def create(self, path: str, body: Raw) -> Raw:
        """Create an object in the list at `path`. Raises ApiError, of it Conflict."""
        return await self._request("POST", path, body)

    async def merge(self, path: str, body: Raw) -> Raw:
        """Merge fields into an object. Raises ApiError, of it NotFound."""
        return await self._request("PATCH", path, body)

    async def delete(self, path: str) -> None:
        """Delete an object. Raises ApiError, of it NotFound."""
        await self._request("DELETE", path)

    @property
    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("HttpKube is used outside of `async with`")
        return self._session

    async def _request(self, method: str, path: str, body: Raw | None = None) -> Raw:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        data = None if body is None else json.dumps(body)
        try:
            async with self._open.request(method, path, data=data, headers={"Content-Type": kind}) as response:
                await _check(response)
                answer: Raw = await response.json()
                return answer
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiError(f"{method} {path} failed: {error!r}") from error


async def _check(response: aiohttp.ClientResponse) -> None:
    if response.status >= 400:
        message = (await response.text())[:2000]
        with_status = f"{response.method} {response.url.path} was answered with {response.status}: {message}"
        raise _BY_STATUS.get(response.status, ApiError)(with_status)


def _change(event: Raw) -> Change:
    kind, item = event["type"], event["object"]
    if kind == "ERROR":
        raise _BY_STATUS.get(item.get("code"), ApiError)(f"the watch ended: {item.get('message')}")
    return Change(deleted=kind == "DELETED", item=item)
