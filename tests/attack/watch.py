"""What the honest notice meanwhile: their sessions' states, the Lease, and how long their runners take to answer.

Two threads that look every second until they are stopped; what they saw is handed over at the end.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from campaigns.looking import looking
from session_bench.pod_network import PodNetwork
from session_devtools.http_client import Client


class Seen(NamedTuple):
    """One look at one session."""

    state: str
    pod_uid: str
    restarts: int


class Holder(NamedTuple):
    """One look at the Lease."""

    identity: str
    transitions: int


@dataclass(kw_only=True)
class Observations:
    """What was seen, look by look."""

    sessions: dict[str, list[Seen]] = field(default_factory=dict)
    leases: list[Holder] = field(default_factory=list)
    answered: dict[str, list[float]] = field(default_factory=dict)
    """ Seconds from a request for `/v1/state` to its answer, by session. """
    unanswered: Counter[str] = field(default_factory=Counter)


class Target(NamedTuple):
    """Where a session's runner is asked for its state."""

    name: str
    host: str
    port: int
    token: str


@dataclass(frozen=True, kw_only=True)
class Watcher:
    """Looks at one namespace's sessions, the Lease and the runners."""

    api: Client
    network: PodNetwork
    namespace: str
    lease: str
    """ Its path at the API server. """
    names: frozenset[str]

    @contextmanager
    def watching(self, targets: list[Target]) -> Iterator[Observations]:
        """Look until the block ends."""
        seen = Observations()
        with looking(lambda: self._look(seen), lambda: self._ask(targets, seen)):
            yield seen

    def _look(self, seen: Observations) -> None:
        sessions = self._list(f"/apis/wasession.dev/v1alpha1/namespaces/{self.namespace}/whatsappsessions")
        pods = self._list(f"/api/v1/namespaces/{self.namespace}/pods")
        lease = self.api.request(self.lease, timeout=10)
        if sessions is None or pods is None or not lease.ok:
            return  # the API server did not answer: nothing was seen
        restarts = {pod["metadata"]["name"]: _restarts(pod) for pod in pods}
        for session in sessions:
            name, status = session["metadata"]["name"], session.get("status", {})
            if name in self.names:
                look = Seen(status.get("state", ""), status.get("podUID", ""), restarts.get(name, 0))
                seen.sessions.setdefault(name, []).append(look)
        spec = lease.json_object()["spec"]
        seen.leases.append(Holder(spec.get("holderIdentity", ""), spec.get("leaseTransitions", 0)))

    def _list(self, path: str) -> list[dict[str, Any]] | None:
        answer = self.api.request(path, timeout=10)
        return list(answer.json_object()["items"]) if answer.ok else None

    def _ask(self, targets: list[Target], seen: Observations) -> None:
        for target, asked in [(target, self.network.start(_time_state, target)) for target in targets]:
            took = asked.result()
            if took is None:
                seen.unanswered[target.name] += 1
            else:
                seen.answered.setdefault(target.name, []).append(took)


def _time_state(target: Target) -> float | None:
    begun = time.monotonic()
    answer = Client(f"http://{target.host}:{target.port}", token=target.token).request("/v1/state", timeout=10)
    return time.monotonic() - begun if answer.ok else None


def _restarts(pod: dict[str, Any]) -> int:
    statuses = pod.get("status", {}).get("containerStatuses", ())
    return sum(int(status["restartCount"]) for status in statuses)
