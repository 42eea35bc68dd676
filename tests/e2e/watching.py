"""Every version of a namespace's objects as the API server tells them, in the one order that the store gives them.

Versions of different kinds are comparable: they are revisions of the same etcd. So "before the pod ran" is not a
question of whose clock, or of who was told first.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

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
    command = [kubectl.program, *kubectl.flags, "get", "--raw", f"{path}?{query}"]
    versions = Versions()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:

        def read() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                versions.seen.append(json.loads(line)["object"])

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            yield versions
        finally:
            process.terminate()
            process.wait()
            reader.join()
