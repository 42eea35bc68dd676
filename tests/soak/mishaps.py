"""The mishaps, as a table: what happens, for how long, what the session must say meanwhile, and by when it is over.

Each is a context manager: its cause is there from its beginning to its end. The next one begins when everything is as
before. A mishap that hits one session names it; those that hit all of them (the node, the API server) still pick one,
whose pod is deleted meanwhile, because that is when it hurts.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from soak import harm
from soak.harm import Cause, Site


@dataclass(frozen=True, kw_only=True)
class Mishap:
    """One row of the table."""

    name: str
    cause: Cause
    lasts: float = 0.0
    """ Seconds from its beginning to its end; 0: what happens, happens at once. """
    within: float = 180.0
    """ Seconds after its end in which every session is Connected again, without anybody's help. """
    says: str = ""
    """ A pattern that Ready, Stalled or Recovering of the session must match meanwhile, if it lasts for a minute. """
    spares: bool = False
    """ No session may even leave Connected. """


def _at_once(act: Callable[[Site, str], object]) -> Cause:
    @contextmanager
    def cause(site: Site, victim: str) -> Iterator[None]:
        act(site, victim)
        yield

    return cause


def _while_starting(lasting: Cause) -> Cause:
    """The victim's pod is deleted once the cause is there: what runs goes on, what starts meets it."""

    @contextmanager
    def cause(site: Site, victim: str) -> Iterator[None]:
        with lasting(site, victim):
            site.tenant.delete_pod(victim)
            yield

    return cause


MISHAPS: Sequence[Mishap] = (
    Mishap(name="a pod is deleted", cause=_at_once(lambda on, victim: on.tenant.delete_pod(victim))),
    Mishap(name="a pod is evicted", cause=_at_once(lambda on, victim: on.tenant.evict(victim))),
    Mishap(name="a browser is killed", cause=_at_once(lambda on, victim: on.tenant.kill_browser(victim))),
    Mishap(name="a runner is killed", cause=_at_once(harm.kill_runner)),
    Mishap(name="the connection drops", cause=_at_once(lambda on, victim: on.tenant.command_device(victim, "drop"))),
    Mishap(name="a page is busy", cause=harm.busy_page, lasts=20.0),
    Mishap(name="a phone is offline", cause=harm.phone("offline"), lasts=30.0),
    Mishap(name="the service is unavailable", cause=harm.phone("service-unavailable"), lasts=30.0),
    Mishap(name="a volume is full", cause=harm.full_volume, lasts=75.0, says="(?i)volume|space|storage|full"),
    Mishap(
        name="the page's host hangs",
        cause=_while_starting(harm.page_host_hangs),
        lasts=40.0,
        within=300.0,
    ),
    Mishap(
        name="nothing answers at the page's host",
        cause=_while_starting(harm.no_page_host),
        lasts=90.0,
        within=300.0,
        says="(?i)standin-web|fetch|route|refused|answer",
    ),
    Mishap(
        name="no name is resolved",
        cause=_while_starting(harm.stopped("coredns")),
        lasts=75.0,
        within=300.0,
        says="(?i)name|dns|resolve|fetch",
    ),
    Mishap(name="the operator is killed", cause=_at_once(harm.kill_operator), spares=True),
    Mishap(name="the Lease's process is killed", cause=_at_once(harm.kill_lease_process), spares=True),
    Mishap(name="the operator is away", cause=harm.no_operator, lasts=20.0, spares=True),
    Mishap(name="the API server is restarted", cause=harm.stopped("kube-apiserver"), lasts=5.0),
    Mishap(name="etcd is stopped", cause=harm.stopped("etcd"), lasts=20.0),
    Mishap(name="containerd is restarted", cause=harm.stopped("containerd"), lasts=3.0),
    Mishap(name="the kubelet is away", cause=harm.stopped("kubelet"), lasts=25.0),
    Mishap(name="the keys are deleted", cause=_at_once(harm.delete_keys), spares=True),
    Mishap(name="a status is lost", cause=_at_once(harm.wipe_status)),
    Mishap(name="the Service is deleted", cause=_at_once(harm.delete_service), spares=True),
    Mishap(
        name="a webhook leads nowhere",
        cause=_while_starting(harm.webhook_to_nowhere),
        lasts=75.0,
        within=400.0,
        says="(?i)webhook",
    ),
    Mishap(
        name="a policy refuses pods",
        cause=_while_starting(harm.policy_refuses_pods),
        lasts=75.0,
        within=400.0,
        says="(?i)soak-no-pods|denied|not today",
    ),
)
