"""A pod whose node does not answer any more: what shows it, and why its session waits.

Nobody can know whether the pod still runs there and writes to its profile, so none is made beside it: the operator never
forces a deletion. Kubernetes removes the pod when the node comes back, when its Node object is deleted, or when a person
says that the machine is off for good, by the taint `node.kubernetes.io/out-of-service`.

No right to read nodes is needed. The node controller takes the readiness of a silent node's pods away, 40 to 50 s after
the node's last word, and what was deleted there outlives the time by which it was to be gone.
"""

from datetime import datetime, timedelta
from enum import Enum
from typing import Final, NamedTuple

from whatsapp_operator.core.model import PodFacts, PodPhase

NODE_LOST: Final = "NodeLost"
MARGIN: Final = timedelta(seconds=15)
""" For the clocks of nodes, and for a kubelet that is about to confirm the end of a pod. """


class Doubt(Enum):
    """Why a pod's node is in doubt."""

    NODE_SILENT = 1
    """ The node controller says that the node does not report. """
    END_OVERDUE = 2
    """ The pod was to be gone, and its node has not confirmed that. """
    KEPT_BY_FINALIZERS = 3
    """ The pod has ended, and somebody's finalizers keep its object. """


class Termination(NamedTuple):
    """What is known of a pod's end."""

    doubt: Doubt | None = None
    """ None: nothing is unusual. """
    deadline: datetime | None = None
    """ When to look again at a pod that is being deleted; None: it is not, or was looked at. """


def termination_of(pod: PodFacts, *, now: datetime) -> Termination:
    """Return why the pod's end is not known, or not over."""
    due = pod.deletion + pod.grace + MARGIN if pod.deletion is not None else None
    overdue = due is not None and now >= due
    later = None if overdue else due
    if pod.ended:
        return Termination(Doubt.KEPT_BY_FINALIZERS if overdue and pod.finalizers else None, later)
    if pod.node is not None and (pod.unready_by_node or pod.phase is PodPhase.UNKNOWN or pod.pod_reason == NODE_LOST):
        return Termination(Doubt.NODE_SILENT, later)
    return Termination(Doubt.END_OVERDUE if overdue and pod.node is not None else None, later)
