"""One mishap after the other, at random but repeatable, until the time is over; and what was seen all the while.

    begin:   the sessions are linked, their logins on disk, everything is at rest; then messages flow, both ways
    mishap:  one of the table, for as long as it lasts; then everybody has its time to come back
    end:     the last messages arrive; rest, in which nothing may be written; `soak.verdict.judge` says what held

`make soak` calls it with a cluster of its own, the end-to-end tests with theirs.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from campaigns.rest import requests_at_rest
from e2e.harness import ClusterHarness
from e2e.tenant import Tenant
from local_cluster.full.readiness import api_client
from session_devtools.audit_log import writes
from session_devtools.errors import ToolError, WaitTimeout
from session_devtools.progress import Progress
from support.sessions import has_durable_login
from support.waiting import until

from soak.harm import Site
from soak.mishaps import MISHAPS, Mishap
from soak.traffic import Traffic
from soak.verdict import Findings, Happened
from soak.watch import Record, Watcher


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """One run against one cluster."""

    e2e: ClusterHarness
    tenant: Tenant
    """ Its sessions are linked and Connected. """
    names: tuple[str, ...]
    seconds: float
    seed: int
    progress: Progress
    mishaps: Sequence[Mishap] = MISHAPS

    def run(self) -> Findings:
        """Do it all; returns what was seen."""
        for name in self.names:
            self.tenant.wait_for(name, has_durable_login())
        self.tenant.limit(sessions=len(self.names))
        self.progress.info(f"the seed is {self.seed}")
        watcher = Watcher(
            api=lambda: api_client(self.e2e.cluster.instance),
            pids=self.e2e.cluster.pids,
            namespace=self.tenant.namespace,
        )
        traffic = Traffic(e2e=self.e2e, tenant=self.tenant, names=self.names)
        with traffic.flowing(), watcher.watching() as record:
            end = time.monotonic() + self.seconds
            self._wait_connected(record, within=60)
            happened: list[Happened] = []
            for mishap, victim in self._order():
                if happened and time.monotonic() + mishap.lasts >= end:
                    break
                happened.append(self._carry_out(mishap, victim, record))
        asked = requests_at_rest(self.e2e.audit, self.e2e.operator)
        return Findings(
            record=record,
            happened=happened,
            places=len(self.names),
            written=writes(asked, but=("leases",)),
            messages=traffic.ledger,
        )

    def _order(self) -> Iterator[tuple[Mishap, str]]:
        """Yield mishaps with their victims without end: all of them in each round, each round in another order."""
        random = Random(self.seed)
        while True:
            for mishap in random.sample(self.mishaps, len(self.mishaps)):
                yield mishap, random.choice(self.names)

    def _carry_out(self, mishap: Mishap, victim: str, record: Record) -> Happened:
        began, failure = time.monotonic(), ""
        self.progress.info(f"{mishap.name} ({victim})")
        try:
            with mishap.cause(Site(e2e=self.e2e, tenant=self.tenant), victim):
                time.sleep(max(0.0, began + mishap.lasts - time.monotonic()))
        except ToolError as error:  # one that cannot be brought about, or ended, is told with the rest
            failure = str(error)
        ended = time.monotonic()
        back = self._wait_connected(record, within=mishap.within)
        self.progress.info(
            f"{mishap.name} ({victim}): " + (f"back after {back:.0f} s" if back is not None else "not back")
        )
        return Happened(mishap=mishap, victim=victim, began=began, ended=ended, back=back, failure=failure)

    def _wait_connected(self, record: Record, *, within: float) -> float | None:
        """Wait until two looks, some seconds apart, show everybody Connected; returns how long that took, or None.

        An operator has to act as well: what one that is away said last is no sign, and the next mishap would be a second one.
        """
        begun = time.monotonic()

        def since() -> float | None:
            """Return since when everybody is Connected and the Lease renewed, of the looks of this wait."""
            first, renewed, acts = None, None, False
            for look in record.between(begun, time.monotonic()):
                renewed = renewed if renewed is not None else look.renewed
                acts = acts or look.renewed != renewed
                well = (
                    acts
                    and look.sessions.keys() >= set(self.names)
                    and all(look.sessions[name].state == "Connected" and look.pods[name] == 1 for name in self.names)
                )
                first = (first or look.time) if well else None
            return first if first is not None and time.monotonic() - first >= SETTLED else None

        try:
            return until("everybody is Connected", since, within=within + SETTLED, every=0.5) - begun
        except WaitTimeout:
            return None


SETTLED = 3.0
""" Seconds for which everybody must have been Connected: what was just hit may still look well for a moment. """
