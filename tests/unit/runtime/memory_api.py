"""An API server in memory: what the crash and fault tests of the runtime run against.

It does what a real one does where the operator could go wrong: resource versions and their conflicts, a status
subresource that is apart from the spec, UIDs as preconditions, names that are taken, graceful deletion of pods,
garbage collection by owner references, lists in pages, label selectors, and watches that may lag or lose their place.
The real one is used in tests/integration; this one can be made to fail at a chosen write.
"""

import itertools
import marshal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from session_protocol.times import format_time
from support.merge_patch import merged
from whatsapp_operator.runtime.kube.client import Request, Response
from whatsapp_operator.runtime.kube.errors import Unreachable

Json = dict[str, Any]
Watcher = Callable[[str, str, Json], None]
""" Called with plural, event type and object. """

NAMESPACED = {
    "whatsappsessions",
    "pods",
    "persistentvolumeclaims",
    "services",
    "secrets",
    "events",
    "leases",
    "networkpolicies",
}
WITH_STATUS = {"whatsappsessions", "whatsappsessionquotas", "pods", "persistentvolumeclaims"}
KINDS = {"whatsappsessions": "WhatsAppSession", "whatsappsessionquotas": "WhatsAppSessionQuota"}


class Killed(BaseException):
    """The operator's process ends here. Not an Exception: no handler of the operator may catch it."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a request."""

    committed: bool = False
    """ The request is carried out first; its answer is what gets lost. """
    error: type[BaseException] = Unreachable
    status: int = 0
    """ Answer this status instead of raising. """
    retry_after: float | None = None
    message: str = ""
    """ The API server's words; by default they name the status. """
    reason: str = ""
    cause: str = ""
    """ The reason of a cause in its details. """
    fields: tuple[str, ...] = ()
    """ The fields that it calls invalid. """

    def body(self) -> Json:
        """Return the Status object."""
        causes = [{"reason": self.cause}] if self.cause else [{"field": field} for field in self.fields]
        reason = {"reason": self.reason} if self.reason else {}
        return {**reason, "message": self.message or f"fault {self.status}", "details": {"causes": causes}}


@dataclass
class Path:
    """A request's path, taken apart."""

    plural: str
    namespace: str
    name: str
    subresource: str


def parse(path: str) -> Path:
    """Take a path apart."""
    parts = path.strip("/").split("/")
    parts = parts[2:] if parts[0] == "api" else parts[3:]
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 2:
        namespace, parts = parts[1], parts[2:]
    padded = [*parts, "", "", ""]
    return Path(padded[0], namespace, padded[1], padded[2])


def copied(value: Any) -> Any:
    """Copy plain data, ten times faster than `copy.deepcopy`: a server copies a lot."""
    return marshal.loads(marshal.dumps(value))


@dataclass
class MemoryApi:
    """The server. `send` makes it a `KubeClient`."""

    fault: Callable[[Request, int], Fault | None] = lambda _request, _number: None
    """ Asked for each request with the number of the write that it is (0: a read). """
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    objects: dict[str, dict[tuple[str, str], Json]] = field(default_factory=dict)
    version: int = 100
    watchers: list[Watcher] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    writes: list[Request] = field(default_factory=list)
    """ The writes that were carried out, in order. """
    created: Counter[tuple[str, str]] = field(default_factory=Counter)
    """ By plural and name. """
    deleted: Counter[tuple[str, str]] = field(default_factory=Counter)
    snapshot: dict[str, dict[tuple[str, str], Json]] | None = None
    """ Set: lists and gets are answered from this older state. """
    keeps: Callable[[str, Json], Json] = lambda _plural, status: status
    """ What it keeps of a written status, by plural: an older schema drops fields. """
    grace: bool = True
    """ Pods with a node stay with a deletionTimestamp until a kubelet finishes them. """
    collects: bool = True
    """ What an object owns goes with it; else when `collect` is called. """
    _attempts: int = 0
    _uids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    # --- the seam ------------------------------------------------------------------------------------------------

    async def send(self, request: Request) -> Response:
        """Answer one request."""
        self.requests.append(request)
        if request.method != "GET":
            self._attempts += 1
        fault = self.fault(request, self._attempts if request.method != "GET" else 0)
        if fault is None:
            answer = self.answer(request)
            return replace(answer, body=copied(answer.body))
        if fault.committed:
            self.answer(request)
        if fault.status:
            return Response(status=fault.status, body=fault.body(), retry_after=fault.retry_after)
        raise fault.error("fault")

    def answer(self, request: Request) -> Response:
        """Carry a request out."""
        path = parse(request.path)
        if request.method == "GET":
            return self._get(path) if path.name else self._list(path, dict(request.query))
        write = {"POST": self._create, "PUT": self._replace, "PATCH": self._patch, "DELETE": self._delete}
        return write[request.method](path, request)

    def _get(self, path: Path) -> Response:
        found = self._view(path.plural).get((path.namespace, path.name))
        return Response(status=200, body=found) if found else _no(404, "NotFound", f"{path.name} not found")

    def _list(self, path: Path, query: dict[str, str]) -> Response:
        selected = [
            obj
            for (namespace, _), obj in sorted(self._view(path.plural).items())
            if (not path.namespace or namespace == path.namespace) and _matches(obj, query.get("labelSelector", ""))
        ]
        start = int(query.get("continue") or 0)
        end = start + int(query.get("limit") or len(selected) + 1)
        metadata = {"resourceVersion": str(self.version), "continue": str(end) if end < len(selected) else ""}
        return Response(status=200, body={"metadata": metadata, "items": selected[start:end]})

    def _create(self, path: Path, request: Request) -> Response:
        obj = copied(request.body or {})
        name = obj["metadata"]["name"]
        if (path.namespace, name) in self._kind(path.plural):
            return _no(409, "AlreadyExists", f"{name} already exists")
        metadata = obj["metadata"]
        metadata["uid"] = f"{path.plural[:3]}-{next(self._uids)}"
        metadata["creationTimestamp"] = self._stamp()
        metadata["generation"] = 1
        if path.plural in NAMESPACED:
            metadata["namespace"] = path.namespace
        if path.plural in KINDS:
            obj.pop("status", None)
        self.created[path.plural, name] += 1
        self._written(request)
        return Response(status=201, body=self._store(path.plural, obj, "ADDED"))

    def _replace(self, path: Path, request: Request) -> Response:
        old = self._kind(path.plural).get((path.namespace, path.name))
        if old is None:
            return _no(404, "NotFound", f"{path.name} not found")
        obj = copied(request.body or {})
        if obj["metadata"].get("resourceVersion") not in (None, old["metadata"]["resourceVersion"]):
            return _no(409, "Conflict", "the object has been modified")
        self._written(request)
        return Response(status=200, body=self._store(path.plural, obj, "MODIFIED"))

    def _patch(self, path: Path, request: Request) -> Response:
        old = self._kind(path.plural).get((path.namespace, path.name))
        if old is None:
            return _no(404, "NotFound", f"{path.name} not found")
        patch = copied(request.body or {})
        for field_name in ("resourceVersion", "uid"):
            wanted = patch.get("metadata", {}).pop(field_name, None)
            if wanted is not None and wanted != old["metadata"][field_name]:
                return _no(409, "Conflict", "the object has been modified")
        if path.subresource == "status":
            patch = {"status": patch.get("status")}
        elif path.plural in WITH_STATUS:
            patch.pop("status", None)
        self._written(request)
        new = merged(old, patch)
        if path.subresource == "status":
            new["status"] = self.keeps(path.plural, copied(new.get("status") or {}))
        if new == old:  # as a real server: a patch that changes nothing makes no new version
            return Response(status=200, body=old)
        if path.subresource != "status" and new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] = old["metadata"].get("generation", 1) + 1
        return Response(status=200, body=self._store(path.plural, new, "MODIFIED"))

    def _delete(self, path: Path, request: Request) -> Response:
        old = self._kind(path.plural).get((path.namespace, path.name))
        if old is None:
            return _no(404, "NotFound", f"{path.name} not found")
        uid = ((request.body or {}).get("preconditions") or {}).get("uid")
        if uid not in (None, old["metadata"]["uid"]):
            return _no(409, "Conflict", "the UID is another")
        self._written(request)
        if path.plural == "pods" and self.grace and old.get("spec", {}).get("nodeName"):
            if "deletionTimestamp" not in old["metadata"]:
                new = copied(old)
                new["metadata"] |= {"deletionTimestamp": self._stamp(30), "deletionGracePeriodSeconds": 30}
                old = self._store(path.plural, new, "MODIFIED")
            return Response(status=200, body=old)
        self.remove(path.plural, path.namespace, path.name)
        return Response(status=200, body={"metadata": {}, "status": "Success"})

    # --- what others do ------------------------------------------------------------------------------------------

    def put(self, plural: str, obj: Json) -> Json:
        """Create an object as somebody else would."""
        path = Path(plural, obj["metadata"].get("namespace", ""), "", "")
        answer = self._create(path, Request(method="POST", path="", body=obj, timeout=1))
        if answer.status != 201:
            raise AssertionError(answer)
        self.created[plural, obj["metadata"]["name"]] -= 1
        self.writes.pop()
        return answer.body

    def change(self, plural: str, namespace: str, name: str, patch: Json, *, status: bool = False) -> Json:
        """Merge-patch an object as somebody else would."""
        path = Path(plural, namespace, name, "status" if status else "")
        answer = self._patch(path, Request(method="PATCH", path="", body=patch, timeout=1))
        if answer.status != 200:
            raise AssertionError(answer)
        self.writes.pop()
        return answer.body

    def remove(self, plural: str, namespace: str, name: str) -> None:
        """Let an object be gone, and what it owns with it."""
        obj = self._kind(plural).pop((namespace, name))
        self.version += 1
        obj = copied(obj)
        obj["metadata"]["resourceVersion"] = str(self.version)
        self.deleted[plural, name] += 1
        self._notify(plural, "DELETED", obj)
        if self.collects:
            self.collect(obj["metadata"]["uid"])

    def collect(self, uid: str) -> None:
        """Remove what an object owned that is gone."""
        for kind, objects in list(self.objects.items()):
            for (space, owned), candidate in list(objects.items()):
                owners = candidate["metadata"].get("ownerReferences") or []
                if any(owner["uid"] == uid for owner in owners) and (space, owned) in objects:
                    self.remove(kind, space, owned)

    def get(self, plural: str, namespace: str, name: str) -> Json | None:
        """Return an object as it is now."""
        found: Json | None = copied(self._kind(plural).get((namespace, name)))
        return found

    def all(self, plural: str) -> list[Json]:
        """Return all objects of a kind as they are now."""
        found: list[Json] = copied(list(self._kind(plural).values()))
        return found

    def _store(self, plural: str, obj: Json, event: str) -> Json:
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        self._kind(plural)[obj["metadata"].get("namespace", ""), obj["metadata"]["name"]] = obj
        self._notify(plural, event, obj)
        return obj

    def _notify(self, plural: str, event: str, obj: Json) -> None:
        for watcher in self.watchers:
            watcher(plural, event, copied(obj))

    def _kind(self, plural: str) -> dict[tuple[str, str], Json]:
        return self.objects.setdefault(plural, {})

    def _view(self, plural: str) -> dict[tuple[str, str], Json]:
        return self._kind(plural) if self.snapshot is None else self.snapshot.get(plural, {})

    def _written(self, request: Request) -> None:
        self.writes.append(request)

    def _stamp(self, shift: float = 0) -> str:
        return format_time(self.now() + timedelta(seconds=shift))


def _no(status: int, reason: str, message: str) -> Response:
    return Response(status=status, body={"kind": "Status", "reason": reason, "message": message, "code": status})


def _matches(obj: Json, selector: str) -> bool:
    labels = obj["metadata"].get("labels") or {}
    for term in filter(None, selector.split(",")):
        name, _, value = term.partition("=")
        if name not in labels or (value and labels[name] != value):
            return False
    return True
