"""Which pods are a session's, and which only have its name. Called once for each snapshot."""

from dataclasses import dataclass

from whatsapp_operator.core.model import Observation, PodFacts, PodUID
from whatsapp_operator.core.objects import names


@dataclass(frozen=True, kw_only=True)
class SessionPods:
    """The pods that a decision is about."""

    own: PodFacts | None
    """ The session's pod: the one with its owner reference. """
    since_status: tuple[PodUID, ...]
    """ The pods that are not in status yet, oldest first, with the present one if it is one of them. """
    duplicates: tuple[PodFacts, ...]
    """ More pods with its owner reference. The operator makes one, so a person made the others. """
    foreign: PodFacts | None
    """ A pod with the session's name that is not its own. """


def find_pods(observation: Observation) -> SessionPods:
    """Return the session's own pod, and what else there is of pods."""
    session = observation.session
    pod_name = names.pod_name(session)
    owned = sorted(
        (pod for pod in observation.pods if pod.owner_uid == session.metadata.uid),
        # One that is being deleted is no duplicate of the one that stays.
        key=lambda pod: (pod.deletion is not None, pod.name != pod_name, pod.created, pod.uid),
    )
    pod = owned[0] if owned else None
    return SessionPods(
        own=pod,
        since_status=_pods_since_status(observation, pod),
        duplicates=tuple(duplicate for duplicate in owned[1:] if duplicate.deletion is None),
        foreign=next((other for other in observation.pods if other.name == pod_name and other not in owned), None),
    )


def _pods_since_status(observation: Observation, pod: PodFacts | None) -> tuple[PodUID, ...]:
    """Return the pods that are not in status yet. One that a person created is included only as the present pod."""
    stored = observation.session.status.pod_uid
    if pod is None:
        return observation.pods_since_status
    if pod.uid == stored:
        return ()
    return (*(uid for uid in observation.pods_since_status if uid != pod.uid), pod.uid)
