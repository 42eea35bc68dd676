"""Writes how full the quotas are, after a round: what differs, not too often, and less and less often where it fails.

Rounds do not wait for it: it is done beside them, by what the last one counted.

A round is valid whether or not its figures can be written. A write that fails is tried again with another round, which
costs three LISTs; so it waits as any other failed call does (`core.calls`). What the API server took and did not keep,
because its CustomResourceDefinition is an older one, is not written again until it is another.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from whatsapp_operator.api.quota import WhatsAppSessionQuota
from whatsapp_operator.core.calls import is_same_failure, retry_delay
from whatsapp_operator.core.objects.reading import redacted
from whatsapp_operator.core.quota.reservations import Usage, quota_status
from whatsapp_operator.core.writes.kept import Path, field_names, missing, overlaid
from whatsapp_operator.core.writes.merge_patch import merge_patch
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import Conflict, KubeError, NotFound
from whatsapp_operator.runtime.kube.resources import QUOTAS, Json
from whatsapp_operator.runtime.process.clock import Clock, Jitter
from whatsapp_operator.runtime.process.metrics import Metrics

logger = logging.getLogger(__name__)

INTERVAL: Final = 1.0
""" The fewest seconds between two writes of one quota's status. """
GIVE_WAY: Final = 0.1
""" Seconds after a round until what it counted is written: the sessions that it admitted come first. """


class Counted(NamedTuple):
    """What a round found of the quotas."""

    quotas: list[Json]
    usage: Mapping[str, Usage]


@dataclass
class _Written:
    """What is known of the writes of one quota."""

    next_at: float = 0.0
    """ Monotonic seconds. """
    failures: int = 0
    error: str = ""
    gaps: Mapping[Path, Any] | None = None
    asked: bool = False
    """ A round is to follow at `next_at`. """


class QuotaWriter:
    """Writes the statuses of quotas."""

    def __init__(
        self, *, kube: Kube, clock: Clock, jitter: Jitter, metrics: Metrics, request: Callable[[], None]
    ) -> None:
        self._kube = kube
        self._clock = clock
        self._jitter = jitter
        self._metrics = metrics
        self._request = request
        """ Requests another round. """
        self._quotas: dict[str, _Written] = {}
        self._counted: Counted | None = None
        """ What is to be written. """
        self._wake = asyncio.Event()

    def show(self, counted: Counted) -> None:
        """Have it written, in a moment, unless another round counts anew until then."""
        self._counted = counted
        self._wake.set()

    async def run(self) -> None:
        """Write what was counted last, until cancelled."""
        while True:
            await self._wake.wait()
            await self._clock.sleep(GIVE_WAY)
            self._wake.clear()
            counted, self._counted = self._counted, None
            if counted is not None:
                self._retain({quota["metadata"]["name"] for quota in counted.quotas})
                for quota in counted.quotas:
                    await self._write(quota, counted.usage)

    async def _write(self, quota: Json, usage: Mapping[str, Usage]) -> None:
        """Write a quota's status if it differs and its time has come; else another round follows then."""
        parsed = WhatsAppSessionQuota.parse(quota)
        known = self._quotas.setdefault(parsed.name, _Written())
        wanted = quota_status(parsed, usage=usage.get(parsed.name, Usage()), now=self._clock.now()).to_dict()
        stored = quota.get("status") or {}
        patch = merge_patch(overlaid(stored, known.gaps) if known.gaps else stored, wanted)
        if not patch:
            return
        wait = known.next_at - self._clock.monotonic()
        if wait > 0:
            self._request_later(known, wait)
            return
        known.next_at = self._clock.monotonic() + INTERVAL
        try:
            answer = await self._kube.patch_status(QUOTAS, observed=quota, patch=patch)
        except KubeError as error:
            self._failed(parsed.name, known, error)
            return
        self._metrics.status_writes.labels(QUOTAS.plural, "written").inc()
        known.failures, known.error = 0, ""
        gaps = missing(wanted, answer.get("status") or {})
        if gaps and set(gaps) != set(known.gaps or ()):
            logger.warning(
                "The API server does not keep fields of a quota's status: apply the CRDs of this release",
                extra={"quota": parsed.name, "fields": list(field_names(gaps))},
            )
        known.gaps = gaps

    def _retain(self, names: set[str]) -> None:
        """Forget quotas that are gone."""
        self._quotas = {name: known for name, known in self._quotas.items() if name in names}

    def _failed(self, name: str, known: _Written, error: KubeError) -> None:
        outdated = isinstance(error, Conflict | NotFound)
        self._metrics.status_writes.labels(QUOTAS.plural, "conflict" if outdated else "error").inc()
        known.failures += 1
        message = redacted(str(error), keep="start")
        if not outdated and not is_same_failure(known.error, message):
            logger.warning("Quota's status could not be written", extra={"quota": name, "error": message})
            known.error = message
        if outdated and known.failures == 1:  # it changed since the LIST: the next round has the newer one
            self._request()
            return
        delay = self._jitter(retry_delay(known.failures))
        known.next_at = self._clock.monotonic() + delay
        self._request_later(known, delay)

    def _request_later(self, known: _Written, delay: float) -> None:
        """Request a round; one is enough, however many others there are until then."""

        def request() -> None:
            known.asked = False
            self._request()

        if not known.asked:
            known.asked = True
            self._clock.call_later(delay, request)
