"""What one `Operator` is made of: its settings, the kinds that it watches, and the seams that tests replace."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from whatsapp_operator.api.constants import EVENT_CONTROLLER, MANAGED_BY, MANAGED_BY_LABEL
from whatsapp_operator.core.model import Defaults
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.resources import NETWORK_POLICIES, PODS, PVCS, QUOTAS, SERVICES, SESSIONS, Resource
from whatsapp_operator.runtime.process.clock import Clock, Jitter, spread
from whatsapp_operator.runtime.process.garbage import Garbage
from whatsapp_operator.runtime.process.metrics import Metrics
from whatsapp_operator.runtime.process.slices import Offload, inline
from whatsapp_operator.runtime.runners.client import RunnerClient

MANAGED_SELECTOR: Final = f"{MANAGED_BY_LABEL}={MANAGED_BY}"
SELECTORS: Final[dict[Resource, str]] = {
    SESSIONS: "",
    QUOTAS: "",
    PODS: MANAGED_SELECTOR,
    PVCS: MANAGED_SELECTOR,
    SERVICES: MANAGED_SELECTOR,
    NETWORK_POLICIES: MANAGED_SELECTOR,
}
""" The kinds to watch and list, with their label selectors; sessions first. """


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of the runtime."""

    defaults: Defaults
    namespace: str
    """ The operator's own. """
    key_secret: str
    identity: str
    """ Who reports events: the pod's name. """
    instance: str = ""
    namespaces: tuple[str, ...] = ()
    resync_interval: timedelta = timedelta(seconds=60)
    workers: int = 8
    component: str = EVENT_CONTROLLER


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """The seams, which tests replace."""

    kube: Kube
    clock: Clock
    metrics: Metrics
    runner_client: RunnerClient | None = None
    """ None: over HTTP. """
    jitter: Jitter = spread
    offload: Offload = inline
    """ Where long computations run. """
    garbage: Garbage | None = None
    """ None: garbage is collected as the interpreter likes, for tests. """
