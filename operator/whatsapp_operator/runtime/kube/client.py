"""The one seam to the API server, a request in and a response out, and the verbs built on top of it.

`KubeClient` is the seam, with one method. `connection.py` has the real one; tests use a function that acts as the API
server. `Kube` turns verbs into requests, and error statuses into the errors of `errors.py`. Everything is raw JSON:
typed models would cost memory to load and time to build, for fields that nobody reads.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from whatsapp_operator.api.constants import CLIENT_NAME
from whatsapp_operator.runtime.kube.errors import AnswerTooLarge, Gone, Unreachable, error_for
from whatsapp_operator.runtime.kube.resources import Json, Resource, key_of, uid_of, version_of
from whatsapp_operator.runtime.kube.slimming import slim
from whatsapp_operator.runtime.kube.versions import Versions

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"
MAX_BYTES: Final = 16 << 20
""" The most bytes of an answer that holds one object; etcd keeps none of more than a tenth. """
PAGE_BYTES: Final = 2 << 20
""" The most bytes of a page of a list. A page with more is asked for again with half as many objects. """


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call of the API server."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Json | None = None
    content_type: str = JSON
    timeout: float
    """ Seconds for the whole call, connecting and reading included. """
    max_bytes: int = MAX_BYTES
    """ Of the answer. """


@dataclass(frozen=True, kw_only=True)
class Response:
    """The answer, with any HTTP status."""

    status: int
    body: Json = field(default_factory=dict)
    retry_after: float | None = None
    """ Seconds, where the API server names them. """
    size: int = 0
    """ Bytes of the body. """


class KubeClient(Protocol):
    """The seam. It raises `Unreachable` when no answer came, `AnswerTooLarge`, and nothing else: every status is an answer."""

    async def send(self, request: Request) -> Response:
        """Send one request."""


class Listing(NamedTuple):
    """All objects of a kind, as of one moment."""

    objects: list[Json]
    version: int
    """ The resourceVersion of that moment. """


class Kube:
    """The verbs that the operator uses, over any `KubeClient`. `within`: seconds for one call; None: the default."""

    def __init__(self, client: KubeClient, *, timeout: float, page: int = 500) -> None:
        self._client = client
        self._timeout = timeout
        """ Seconds per call. """
        self._page = page
        """ Objects per page of a list, at most. """
        self._limits: dict[Resource, int] = {}
        """ The same by kind, where objects are so large that a page would go beyond PAGE_BYTES. """
        self.versions = Versions()

    async def get(self, resource: Resource, *, namespace: str | None, name: str, within: float | None = None) -> Json:
        """Return one object. :raises NotFound: there is none."""
        return await self._call("GET", resource.path(namespace=namespace, name=name), within=within)

    async def list(
        self, resource: Resource, *, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> Listing:
        """Return all objects, consistently from the API server's newest state, in pages; each without what nobody reads.

        :raises Gone: it took so long that the resourceVersion expired, twice.
        :raises Unreachable: what answered sends no list, so it counts as no answer.
        """
        known = self.versions.newest(resource)
        try:
            listing = await self._list(resource, namespace=namespace, labels=labels, fields=fields)
        except Gone:
            listing = await self._list(resource, namespace=namespace, labels=labels, fields=fields)
        self.versions.answered(resource, listing.version, known=known)
        return listing

    async def _list(self, resource: Resource, *, namespace: str | None, labels: str, fields: str) -> Listing:
        objects: list[Json] = []
        version = 0
        async for page in self._pages(resource, namespace=namespace, labels=labels, fields=fields):
            objects += [slim(resource, obj) for obj in page.get("items") or []]
            version = version or int(page["metadata"].get("resourceVersion") or 0)  # the same on all pages
        return Listing(objects, version)

    async def _pages(
        self, resource: Resource, *, namespace: str | None, labels: str, fields: str
    ) -> AsyncIterator[Json]:
        token = ""
        while True:
            limit = self._limits.get(resource, self._page)
            query = [("limit", str(limit))]
            query += [("labelSelector", labels)] if labels else []
            query += [("fieldSelector", fields)] if fields else []
            query += [("continue", token)] if token else []
            max_bytes = PAGE_BYTES if limit > 1 else MAX_BYTES
            try:
                answer = await self._send("GET", resource.path(namespace=namespace), tuple(query), max_bytes=max_bytes)
            except AnswerTooLarge:
                if limit == 1:
                    raise
                self._limits[resource] = limit // 2
                continue
            if answer.size < PAGE_BYTES // 4:
                self._limits[resource] = min(self._page, limit * 2)
            page = answer.body
            if not _is_list(page):
                raise Unreachable("the answer to a list is none")
            yield page
            token = page["metadata"].get("continue") or ""
            if not token:
                return

    async def create(self, resource: Resource, obj: Mapping[str, Any], *, within: float | None = None) -> Json:
        """Create an object and return it as stored. :raises AlreadyExists: the name is taken."""
        namespace = obj["metadata"].get("namespace") if resource.namespaced else None
        known = self.versions.newest(resource)
        created = await self._call(
            "POST",
            resource.path(namespace=namespace),
            query=(("fieldManager", CLIENT_NAME),),
            body=dict(obj),
            within=within,
        )
        self.versions.answered(resource, version_of(created), known=known)
        return created

    async def replace(self, resource: Resource, obj: Mapping[str, Any], *, within: float | None = None) -> Json:
        """Replace a whole object; its resourceVersion is the precondition. :raises Conflict: it has changed."""
        key = key_of(dict(obj))
        return await self._call(
            "PUT",
            resource.path(namespace=key.namespace or None, name=key.name),
            query=(("fieldManager", CLIENT_NAME),),
            body=dict(obj),
            within=within,
        )

    async def patch(self, resource: Resource, *, namespace: str | None, name: str, patch: Mapping[str, Any]) -> Json:
        """Merge-patch an object; a `metadata.resourceVersion` or `uid` in the patch is a precondition."""
        return await self._call(
            "PATCH",
            resource.path(namespace=namespace, name=name),
            query=(("fieldManager", CLIENT_NAME),),
            body=dict(patch),
            content_type=MERGE_PATCH,
        )

    async def patch_status(self, resource: Resource, *, observed: Json, patch: Mapping[str, Any]) -> Json:
        """Merge-patch the status of an object if it has not changed since it was observed.

        :raises Conflict: it has changed, or another object has the name.
        """
        key = key_of(observed)
        precondition = {"resourceVersion": observed["metadata"]["resourceVersion"], "uid": uid_of(observed)}
        return await self._call(
            "PATCH",
            resource.path(namespace=key.namespace or None, name=key.name, subresource="status"),
            query=(("fieldManager", CLIENT_NAME),),
            body={"metadata": precondition, "status": dict(patch)},
            content_type=MERGE_PATCH,
        )

    async def delete(
        self, resource: Resource, *, namespace: str | None, name: str, uid: str, grace: int | None = None
    ) -> Json:
        """Delete the object with this UID; `grace` in seconds, None: the object's own.

        :raises NotFound: it is gone.
        :raises Conflict: the object of that name has another UID.
        """
        options: Json = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        return await self._call("DELETE", resource.path(namespace=namespace, name=name), body=options)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: tuple[tuple[str, str], ...] = (),
        body: Json | None = None,
        content_type: str = JSON,
        within: float | None = None,
    ) -> Json:
        answer = await self._send(method, path, query, body=body, content_type=content_type, within=within)
        if not _is_object(answer.body) and method != "DELETE":  # a deletion may be answered by a Status alone
            raise Unreachable(f"the answer is no object: {method} {path}")
        return answer.body

    async def _send(
        self,
        method: str,
        path: str,
        query: tuple[tuple[str, str], ...],
        *,
        body: Json | None = None,
        content_type: str = JSON,
        within: float | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> Response:
        request = Request(
            method=method,
            path=path,
            query=query,
            body=body,
            content_type=content_type,
            timeout=self._timeout if within is None else within,
            max_bytes=max_bytes,
        )
        response = await self._client.send(request)
        if not 200 <= response.status < 300:
            raise error_for(response.status, response.body, retry_after=response.retry_after)
        if not isinstance(response.body, dict):
            raise Unreachable(f"the answer is no object: {method} {path}")
        return response


def _is_object(body: Json) -> bool:
    metadata = body.get("metadata")
    return (
        isinstance(metadata, dict)
        and isinstance(metadata.get("name"), str)
        and str(metadata.get("resourceVersion") or "0").isdecimal()
    )


def _is_list(page: Json) -> bool:
    items = page.get("items") or []  # null where there are none
    return (
        isinstance(page.get("metadata"), dict)
        and isinstance(items, list)
        and all(isinstance(item, dict) for item in items)
    )
