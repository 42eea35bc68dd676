"""What the kubelet says about a container that it ends, in events alone."""

from dataclasses import dataclass
from enum import StrEnum


class Probe(StrEnum):
    """The kubelet's probes that end a container when they fail."""

    STARTUP = "startup"
    LIVENESS = "liveness"


@dataclass(frozen=True, kw_only=True)
class ProbeKill:
    """What the kubelet's events say about a container that it has ended."""

    pod_uid: str
    probe: Probe
    note: str = ""
    """ How the probe failed, in the kubelet's words; empty: it does not say. """
