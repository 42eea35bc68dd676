"""Whose account each runner's session is linked to, as a hash.

The poller asks here after each answer. A state has only a count of accounts, so a runner is asked for the number when it
has counted on, when the pod is another one, or when the operator's key is: once for each link, pod and start of the
operator, and never at rest. The client hashes it before it comes here.

What a runner says is its own word. One that is taken over, or is an image of somebody's own, could claim one number after
the other and look in its session's status whether one of them has the hash of another session that it may read. So each
session's account is read seldom, after the first few times (`BURST`, `PER_SECOND`).
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, NamedTuple

from session_protocol.answers import State

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import AccountHash, KeyID, PodUID
from whatsapp_operator.runtime.process.clock import Clock
from whatsapp_operator.runtime.process.token_bucket import TokenBucket
from whatsapp_operator.runtime.runners.client import NoAnswer, RunnerClient, Target

logger = logging.getLogger(__name__)

BURST: Final = 5
""" Times that a session's account is read at once: it is linked, gets another pod, is linked anew. """
PER_SECOND: Final = 1 / 60
""" The same in the long run. """
SECONDS: Final = 3.0
""" For a runner to tell it, so that it does not look silent meanwhile. """


class _Source(NamedTuple):
    """What an account's hash is made of, but for the number."""

    pod_uid: PodUID
    account_revision: int
    key_id: KeyID


class AccountReader:
    """The last known account of each session."""

    def __init__(self, *, client: RunnerClient, clock: Clock, current_key: Callable[[], KeyID]) -> None:
        self._client = client
        self._clock = clock
        self._current_key = current_key
        self._known: dict[ObjectKey, tuple[_Source, AccountHash]] = {}
        self._buckets: dict[ObjectKey, TokenBucket] = {}

    def forget(self, key: ObjectKey) -> None:
        """Drop what is known of a session that is gone."""
        self._known.pop(key, None)
        self._buckets.pop(key, None)

    async def read(self, target: Target, answer: State) -> AccountHash | None:
        """Return whose account the answer speaks of; None: nobody's, or it cannot be told now."""
        if answer.account_revision is None:
            return None
        source = _Source(target.pod_uid, answer.account_revision, self._current_key())
        known = self._known.get(target.key)
        if known is not None and known[0] == source:
            return known[1]
        bucket = self._buckets.setdefault(target.key, TokenBucket(BURST, PER_SECOND))
        if not bucket.has(1, now=self._clock.monotonic()):
            return None
        bucket.take(1)
        try:
            async with asyncio.timeout(SECONDS):
                revision, read = await self._client.get_account(target, key_id=source.key_id)
        except (NoAnswer, TimeoutError) as error:
            why = str(error) or "no answer in time"
            logger.debug("Runner did not tell its account", extra={**target.key.log_fields, "error": why})
            return None
        self._known[target.key] = source._replace(account_revision=revision), read
        return read if revision == answer.account_revision else None
