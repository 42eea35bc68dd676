"""Memory, CPU and disk of a session's pod: what people may leave out, and the amounts that the pod then has.

`effective` is called when the pod is made and when the quota is counted. The amounts are not defaults of the schema,
because those would fill in a request that nobody wrote, and `limits: {memory: 256Mi}` alone would be refused for
being below it.
"""

import dataclasses
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from pydantic import ConfigDict
from session_protocol.quantities import GI, MI, format_quantity

from whatsapp_operator.api.base import SpecModel
from whatsapp_operator.api.fields import Cpu, EphemeralStorage, Memory, SessionEphemeralStorage, SessionMemory
from whatsapp_operator.api.rules import Rule, validations


class ResourceRequests(SpecModel):
    """What is set aside for the pod on its node."""

    cpu: Cpu | None = None
    """CPUs set aside for the session; half a CPU is 500m or, in quotes, "0.5". Default: 100m, or the CPU limit when that is lower."""
    memory: Memory | None = None
    """Memory set aside for the session, such as 512Mi. Default: 384Mi, or the memory limit when that is lower."""
    ephemeral_storage: EphemeralStorage | None = None
    """Disk of the node set aside for what the pod keeps outside of its profile, such as 256Mi. Default: 128Mi, or the
    limit when that is lower."""


class ResourceLimits(SpecModel):
    """What the pod can take at most."""

    cpu: Cpu | None = None
    """CPUs the session can use at most; half a CPU is 500m or, in quotes, "0.5". Default: 1, or the CPU request when that is higher."""
    memory: SessionMemory | None = None
    """Memory the session can use at most, such as 1Gi, and not less than 256Mi. A session that needs more is killed and
    recovered; a quota counts this amount. Default: 768Mi, or the memory request when that is higher."""
    ephemeral_storage: SessionEphemeralStorage | None = None
    """Disk of the node that the pod may fill at most: the browser's caches, temporary files and the log, not the
    profile and not /dev/shm, which is memory. Not less than 256Mi; a pod that exceeds it is evicted,
    and that counts as a failure. Default: 2Gi, or the request when that is higher."""


def _limit_rule(name: str, text: str | None = None) -> Rule:
    text = text or name
    limit, request = f"self.limits.{name}", f"self.requests.{name}"
    given = f"has(self.limits) && has(self.requests) && has({limit}) && has({request})"
    sound = f"isQuantity(string({limit})) && isQuantity(string({request}))"
    return Rule(
        f"!({given} && {sound}) || quantity(string({limit})).compareTo(quantity(string({request}))) >= 0",
        f"the {text} limit is below the {text} request: raise the limit or lower the request",
        field=f".limits.{name}",
        computed=f"'the {text} limit ' + string({limit}) + ' is below the {text} request ' + string({request}) + "
        "': raise the limit or lower the request'",
    )


class ResourcesSpec(SpecModel):
    """Memory, CPU and disk of the session's pod."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            _limit_rule("memory"), _limit_rule("cpu"), _limit_rule("ephemeralStorage", "ephemeral storage")
        )
    )

    requests: ResourceRequests = ResourceRequests()
    """What is set aside for the pod on its node."""
    limits: ResourceLimits = ResourceLimits()
    """What the pod can take at most; a limit is never below its request."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Amounts:
    """CPU in CPUs, memory and disk in bytes."""

    cpu: Decimal
    memory: Decimal
    ephemeral_storage: Decimal

    def to_dict(self) -> dict[str, str]:
        """Return memory and CPU in the form that a container's resources have: {"cpu": "100m", "memory": "384Mi"}."""
        return {"cpu": format_quantity(self.cpu), "memory": format_quantity(self.memory)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class EffectiveResources:
    """All amounts, none absent."""

    requests: Amounts
    limits: Amounts

    def to_dict(self) -> dict[str, Any]:
        """Return memory and CPU as a container's `resources` has them."""
        return {"requests": self.requests.to_dict(), "limits": self.limits.to_dict()}

    def with_ephemeral_storage(self, resources: Mapping[str, Any]) -> dict[str, Any]:
        """Return a container's `resources` with the disk's amounts beside the others."""
        return {
            "requests": {**resources["requests"], EPHEMERAL_STORAGE: format_quantity(self.requests.ephemeral_storage)},
            "limits": {**resources["limits"], EPHEMERAL_STORAGE: format_quantity(self.limits.ephemeral_storage)},
        }


EPHEMERAL_STORAGE: Final = "ephemeral-storage"
""" What Kubernetes calls the disk of the node: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#local-ephemeral-storage """
DEFAULT_REQUESTS: Final = Amounts(cpu=Decimal("0.1"), memory=384 * MI, ephemeral_storage=128 * MI)
DEFAULT_LIMITS: Final = Amounts(cpu=Decimal(1), memory=768 * MI, ephemeral_storage=2 * GI)
""" The scratch volumes on disk have 1664Mi together; the rest is for the log. """


def effective(resources: ResourcesSpec) -> EffectiveResources:
    """Fill in what a person left out: a missing request is min(default, limit), a missing limit max(default, request).

    Only what was written counts as the other side: with neither written, both are the defaults.
    """
    requests, limits = resources.requests, resources.limits
    return EffectiveResources(
        requests=Amounts(
            cpu=_request(requests.cpu, limits.cpu, DEFAULT_REQUESTS.cpu),
            memory=_request(requests.memory, limits.memory, DEFAULT_REQUESTS.memory),
            ephemeral_storage=_request(
                requests.ephemeral_storage, limits.ephemeral_storage, DEFAULT_REQUESTS.ephemeral_storage
            ),
        ),
        limits=Amounts(
            cpu=_limit(limits.cpu, requests.cpu, DEFAULT_LIMITS.cpu),
            memory=_limit(limits.memory, requests.memory, DEFAULT_LIMITS.memory),
            ephemeral_storage=_limit(
                limits.ephemeral_storage, requests.ephemeral_storage, DEFAULT_LIMITS.ephemeral_storage
            ),
        ),
    )


def _request(given: Decimal | None, limit: Decimal | None, default: Decimal) -> Decimal:
    if given is not None:
        return given
    return default if limit is None else min(default, limit)


def _limit(given: Decimal | None, request: Decimal | None, default: Decimal) -> Decimal:
    if given is not None:
        return given
    return default if request is None else max(default, request)
