"""What the kubelet says about a container that it ends, in events alone."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Probe(StrEnum):
    """The kubelet's probes that end a container when they fail."""

    STARTUP = "startup"
    LIVENESS = "liveness"


@dataclass(frozen=True, kw_only=True)
class KubeletEvent:
    """One event about the runner's container, which may stand for many that were alike."""

    note: str
    seen: datetime | None = None
    """ When it was recorded last; None: it does not say. """
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class ProbeKill:
    """What the kubelet's events say about a container that it has ended."""

    pod_uid: str
    probe: Probe
    note: str = ""
    """ How the probe failed, in the kubelet's words; empty: it does not say. """


@dataclass(frozen=True, kw_only=True)
class Eviction:
    """A pod that the kubelet has evicted, by an event alone: its status does not say so when the container ended with 0."""

    pod_uid: str
    note: str
