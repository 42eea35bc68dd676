"""The shipped alerts in the real Prometheus and Alertmanager, which scrape as the shipped PodMonitors say.

All durations of the rules are divided by one number (`session_devtools.monitoring.acceleration`), and Debian's programs
run in the cluster behind its policies' label. What the tests ask is what people are promised: an alert that names its
session fires, goes on without its pod and over another operator, reaches whom it concerns, and ends when all is well.
All that rules and dashboards ask for is looked for there, too (`live_queries`).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import pytest
from e2e.harness import ClusterHarness
from e2e.live_queries import empty_panels, missing_series, unknown_values
from e2e.tenant import LONG_TIMEOUTS, Object, Tenant
from session_devtools.monitoring.configuration import AGENT, PROMETHEUS
from session_devtools.monitoring.stack import Monitoring, install_monitoring, remove_monitoring
from session_devtools.progress import ConsoleProgress
from support.sessions import has_condition, without_pod
from support.waiting import until

BY = 30
""" Half an hour in the queue is a minute, and a pod of the operator that is replaced is away for no longer than the rules
bridge: fifteen minutes, so thirty seconds. """
BROKEN = {"maxAttempts": 2, "baseDelay": "1s"}


class Expected(NamedTuple):
    """An alert that the play causes."""

    name: str
    receiver: str
    labels: Object

    def of(self, alerts: Iterable[Object]) -> list[Object]:
        """Return those of the alerts that are this one."""
        wanted = {"alertname": self.name, **self.labels}
        return [alert for alert in alerts if wanted.items() <= alert["labels"].items()]


class Play:
    """Two namespaces in which somebody is needed: a takeover without a pod, a session that gave up, a full quota."""

    def __init__(self, e2e: ClusterHarness, monitoring: Monitoring, shop: Tenant, club: Tenant) -> None:
        self.e2e, self.monitoring, self.shop, self.club = e2e, monitoring, shop, club
        at_shop = {"session_namespace": shop.namespace}
        at_club = {"session_namespace": club.namespace}
        self.expected = [
            Expected("WhatsAppSessionConflict", "shop-on-call", {**at_shop, "session": "sales"}),
            Expected("WhatsAppSessionStalled", "shop-on-call", {**at_shop, "session": "orders"}),
            Expected("WhatsAppSessionQueued", "platform", {**at_club, "session": "second"}),
            Expected("WhatsAppQuotaNearlyFull", "platform", {"quota": club.namespace}),
            Expected("WhatsAppQuotaQueueOld", "platform", {"quota": club.namespace}),
        ]

    def cause(self) -> None:
        """Bring all of it about."""
        self.club.create("first")
        self.club.create("asleep", operatingMode="Suspended")
        # An image that ends at once, again and again: the operator's, which finds no account to work with.
        self.shop.create("orders", recovery=BROKEN, pod={"image": self.e2e.images.operator})
        self.shop.create("sales", timeouts={**LONG_TIMEOUTS, "connectionCheck": "10s"})
        self.club.wait_for("first", has_condition("Admitted"))
        self.club.create("second")
        self.shop.link("sales")
        self.shop.command_device("sales", "replaced")
        self.shop.wait_for("sales", has_condition("Conflict"))
        self.shop.evict("sales")
        self.shop.wait_for("sales", without_pod())
        self.shop.wait_for("orders", has_condition("Stalled"))

    def empty_panels(self) -> list[str]:
        """Return what of the dashboards is empty: for all, for the full quota, and for each session that is to run."""
        club, shop = self.club.namespace, self.shop.namespace
        sessions = [(club, "first"), (club, "second"), (shop, "orders"), (shop, "sales")]
        return empty_panels(
            self.monitoring,
            {
                "whatsapp-fleet": [{"session_namespace": ".*", "quota": ".*", "session": ""}],
                "whatsapp-quota": [{"quota": club, "session_namespace": club, "session": ""}],
                "whatsapp-session": [
                    {"session_namespace": namespace, "quota": ".*", "session": name} for namespace, name in sessions
                ],
            },
        )

    def mend(self) -> None:
        """Do what the runbooks say."""
        self.shop.request("sales", "restart-at")
        self.shop.edit("orders", {"pod": {"image": None}})
        self.club.limit(sessions=5)

    def firing(self) -> dict[str, list[Object]]:
        """Return the expected alerts that fire, by their names."""
        alerts = [alert for alert in self.monitoring.alerts() if alert["state"] == "firing"]
        return {one.name: one.of(alerts) for one in self.expected}

    def received(self, status: str) -> set[tuple[str, str]]:
        """Return which of the expected alerts reached which receiver, firing or resolved."""
        sent = [one for one in self.monitoring.notifications() if one["status"] == status]
        return {(one.name, found["receiver"]) for one in self.expected for found in one.of(sent)}

    def receivers(self) -> set[tuple[str, str]]:
        """Return who should hear of what."""
        return {(one.name, one.receiver) for one in self.expected}


@pytest.fixture
def play(e2e: ClusterHarness, make_tenant: Callable[..., Tenant]) -> Iterator[Play]:
    """The programs and two namespaces; the first one is the tenant of the routing example."""
    shop, club = make_tenant(), make_tenant(sessions=1, memory="64Gi", storage="64Gi")
    monitoring = install_monitoring(
        e2e.kubectl,
        e2e.images.operator,
        by=BY,
        namespaces={"shop": shop.namespace},
        progress=ConsoleProgress(),
        agent=True,
    )
    yield Play(e2e, monitoring, shop, club)
    remove_monitoring(e2e.kubectl)


def test_somebody_is_woken_when_somebody_is_needed_and_no_longer(play: Play) -> None:
    """The alerts fire, go on over a new operator and without a pod, reach the right receiver, and end."""
    play.cause()
    fired = until("all alerts fire", play.firing, lambda firing: all(firing.values()))
    until(
        "everybody concerned hears of it",
        lambda: play.received("firing"),
        lambda received: received == play.receivers(),
    )
    until("all pods are scraped", lambda: _not_up(play.monitoring.targets()), lambda faults: faults == [])
    until("every panel shows something", play.empty_panels, lambda empty: empty == [])
    until("VictoriaMetrics' agent scrapes the same", lambda: _agents_faults(play.monitoring), lambda faults: not faults)
    assert [] == missing_series(play.monitoring)
    assert [] == unknown_values(play.monitoring)
    assert [] == _renamed(play.monitoring)

    assert f"{play.club.namespace}/second waits for a place" in play.monitoring.shown_alert("WhatsAppSessionQueued")

    play.e2e.operator.replace()
    play.e2e.operator.wait_for_resyncs(1)
    goes_on = play.firing()

    assert {name: [one["activeAt"] for one in alerts] for name, alerts in fired.items()} == {
        name: [one["activeAt"] for one in alerts] for name, alerts in goes_on.items()
    }
    assert set() == play.received("resolved")
    assert not play.shop.get("pod", "sales")

    play.mend()
    until("no alert is left", play.firing, lambda firing: not any(firing.values()))
    until(
        "everybody hears of that, too", lambda: play.received("resolved"), lambda received: received == play.receivers()
    )


def _renamed(monitoring: Monitoring) -> list[str]:
    """Return the labels of series that a target's have driven out."""
    return [label for label in monitoring.labels() if label.startswith("exported_")]


def _agents_faults(monitoring: Monitoring) -> list[str]:
    """Return what differs for VictoriaMetrics' agent, which reads the scrape configuration as it is shipped."""
    ours, agents = (
        {tuple(sorted(one["labels"].items())) for one in each} for each in map(monitoring.targets, (PROMETHEUS, AGENT))
    )
    return _not_up(monitoring.targets(AGENT)) + [str(one) for one in ours ^ agents]


def _not_up(targets: list[Object]) -> list[str]:
    """Return the targets that are not scraped, and the jobs that have none."""
    missing = {"whatsapp-session-operator", "whatsapp-session"} - {target["labels"]["job"] for target in targets}
    return [
        *missing,
        *(f"{target['scrapeUrl']}: {target['lastError']}" for target in targets if target["health"] != "up"),
    ]
