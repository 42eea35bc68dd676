"""Every version of a namespace's objects as the API server tells them, in the one order that the store gives them.

Versions of different kinds are comparable: they are revisions of the same etcd. So "before the pod ran" is not a
question of whose clock, or of who was told first.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kubectl_whatsapp.kubectl_errors import KubectlFailed
from session_devtools.kubectl import Kubectl

Object = dict[str, Any]
GROUPS = {"pods": "/api/v1", "whatsappsessions": "/apis/wasession.dev/v1alpha1"}


class Versions:
    """What was told of one kind so far."""

    def __init__(self) -> None:
        self.seen: list[Object] = []

    def first(self, name: str, good: Callable[[Object], object]) -> Object | None:
        """The first version of an object that is good."""
        return next((one for one in self.of(name) if good(one)), None)

    def of(self, name: str) -> list[Object]:
        """All versions of one object, oldest first."""
        return [one for one in list(self.seen) if one["metadata"]["name"] == name]


def revision(thing: Object) -> int:
    """When it became so, on the store's own clock."""
    return int(thing["metadata"]["resourceVersion"])


@contextmanager
def watch(kubectl: Kubectl, plural: str, namespace: str) -> Iterator[Versions]:
    """Watch all objects of a kind in a namespace, from now on: nothing that comes after this call is missed."""
    path = f"{GROUPS[plural]}/namespaces/{namespace}/{plural}"
    now = json.loads(kubectl("get", "--raw", f"{path}?limit=1"))["metadata"]["resourceVersion"]
    query = f"watch=true&resourceVersion={now}&timeoutSeconds=1800"
    versions = Versions()

    def read(lines: Iterator[str]) -> None:
        with suppress(KubectlFailed):  # how it ends when it is ended
            for line in lines:
                versions.seen.append(json.loads(line)["object"])

    with kubectl.stream("get", "--raw", f"{path}?{query}") as stream:
        reader = threading.Thread(target=read, args=(stream,), daemon=True)
        reader.start()
        yield versions
    reader.join()
