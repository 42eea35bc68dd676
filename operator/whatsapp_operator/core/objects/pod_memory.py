"""How much memory a pod may take, by its own JSON, and how much of that its quota counts.

The operator makes a pod with one container, but others add to it on its way: a mesh its proxy, as a container or as an
init container that stays, a RuntimeClass its overhead, a webhook another limit. The rules are Kubernetes' own
(`PodLimits` of k8s.io/component-helpers): all containers together, with the init containers that are restarted for as
long as the pod is there; but no less than the largest init container beside those of the latter that were started before
it; instead of this sum the limit of the whole pod, where it has one; and the overhead on top.

A container without a limit may take all that the node has. That cannot be counted, so its request is, which is what the
node sets aside for it.
"""

from typing import Final

from session_protocol.quantities import GI

from whatsapp_operator.core.model import Seal
from whatsapp_operator.core.objects.reading import Json, amount, items, part, text

MOST_ADDED: Final = int(8 * GI)
""" Bytes that others can add to what one pod counts; the largest proxies ask for one or two gibibytes. """
_MEMORY: Final = "memory"


def counted_memory(pod: Json, seal: Seal) -> int:
    """Return the bytes that a sealed pod counts: what it may take, but no less than the operator made it with.

    A webhook that lowers a limit moves no reservation, because the next pod is made as the spec says. What others add
    counts up to MOST_ADDED, so that a pod with a copied seal cannot take a whole quota.
    """
    return max(seal.memory, min(pod_memory(pod), seal.memory + MOST_ADDED))


def pod_memory(pod: Json) -> int:
    """Return the bytes that the pod may take."""
    spec, status = part(pod, "spec"), part(pod, "status")
    infeasible = _resize_is_infeasible(status)
    statuses = {text(found, "name"): found for found in items(status, "containerStatuses")}
    statuses |= {text(found, "name"): found for found in items(status, "initContainerStatuses")}

    def memory_of(container: Json) -> int:
        found = statuses.get(text(container, "name"), {})
        return _in_effect(part(container, "resources"), part(found, "resources"), infeasible=infeasible)

    together = sum(memory_of(container) for container in items(spec, "containers"))
    staying = largest = 0
    for container in items(spec, "initContainers"):
        memory = memory_of(container)
        if container.get("restartPolicy") == "Always":
            staying += memory
            largest = max(largest, staying)
        else:
            largest = max(largest, staying + memory)
    taken = max(together + staying, largest)
    if amount(part(part(spec, "resources"), "limits"), _MEMORY) is not None:
        taken = _in_effect(part(spec, "resources"), part(status, "resources"), infeasible=infeasible)
    return taken + max(0, amount(part(spec, "overhead"), _MEMORY) or 0)


def _in_effect(wanted: Json, actual: Json, *, infeasible: bool) -> int:
    """Return what holds while a resize is under way: the larger one, or the actual one if the node cannot follow."""
    actuated = amount(part(actual, "limits"), _MEMORY)
    if actuated is not None and infeasible:
        return max(0, actuated)
    limit = amount(part(wanted, "limits"), _MEMORY)
    asked = limit if limit is not None else amount(part(wanted, "requests"), _MEMORY)
    return max(0, asked or 0, actuated or 0)


def _resize_is_infeasible(status: Json) -> bool:
    """Whether somebody asked for a resize that the pod's node has no room for, ever."""
    return any(
        condition.get("type") == "PodResizePending" and condition.get("reason") == "Infeasible"
        for condition in items(status, "conditions")
    )
