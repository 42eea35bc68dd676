"""The other alerts about one session: those that join series, count, or come from its runner."""

import re
from typing import Final

from manifests.alerts.ages import lifetime
from manifests.alerts.cases import (
    LAST,
    Case,
    Expected,
    Firing,
    Series,
    acting,
    flat,
    of,
    of_runner,
    operator,
    runner,
    stalled,
    state,
    tenant,
    then,
    unready,
    until,
)

MIB, GIB = 1024**2, 1024**3
WAITS: Final = (
    "Suspended", "Queued", "QRPending", "PairingCodePending", "PasskeyRequired", "LinkExpired", "ActionRequired",
    "Restricted", "ScreenLocked", "UpdateNeeded", "Syncing",
)  # fmt: skip
""" What no session is down for: it was asked for, or has an alert of its own. """


def session(metric: str, name: str, value: str | float, *, namespace: str = "shop") -> Series:
    """Return one series of the operator about a session."""
    return {operator(f"whatsapp_session_{metric}", **of(name, namespace)): value}


NEIGHBOUR: Final = until(50, acting(ops="other-ops/second"))
""" Another operator of the namespace in which one acts all the time: that it goes away says nothing of the other's sessions. """


def linked(name: str, value: str | float, *, pod: int = 1, ops: str = "ops") -> Series:
    """Return whether a session is linked, over time."""
    return {operator("whatsapp_session_linked", pod=pod, ops=ops, **of(name)): value}


def link_lost() -> tuple[Case, ...]:
    """A session was linked within a day, and is not any more."""
    minute = 40
    late, due = minute * 60 - 601, minute * 60 - 600
    lost = then((1, 20), (0, 30))
    given = unready("lost", late) | linked("lost", lost)
    given |= unready("lost-just-now", due) | linked("lost-just-now", lost)
    given |= unready("never", late) | linked("never", 0)
    given |= unready("linked", late) | linked("linked", 1)
    given |= unready("stalled", late) | linked("stalled", lost) | stalled("stalled", "LoggedOut", 0)
    given |= stalled("lost", "LoggedOut", 0, namespace="other") | state("lost", "Suspended", 0, namespace="other")
    for value in ("Suspended", "Queued"):
        given |= unready(value.lower(), late) | linked(value.lower(), lost) | state(value.lower(), value, 0)
    forgotten = unready("lost") | linked("lost", then((1, 3), (0, 60)))

    # Linked for an hour, in which both pods of the operator have seen it.
    first = until(50, unready("lost") | acting()) | linked("lost", f"{then((1, 20), (0, 30))} {LAST}") | NEIGHBOUR
    second = {
        series: f"_x56 {flat(0, 60)}" for series in unready("lost", pod=2) | acting(pod=2) | linked("lost", 0, pod=2)
    }
    gone = until(50, unready("deleted", ops="other-ops")) | acting(ops="other-ops")
    gone |= linked("deleted", f"{then((1, 20), (0, 30))} {LAST}", ops="other-ops")
    # Whether this one is linked is not known any more, as its own operator says.
    gone |= unready("unknown", ops="other-ops") | linked("unknown", f"{then((1, 20), (0, 30))} {LAST}", ops="other-ops")
    fires = Firing(tenant("lost"))
    at_first = (fires, Firing(tenant("deleted")), Firing(tenant("unknown", operator_namespace="other-ops")))
    return (
        Case(given, {minute: (fires,)}),
        # The last sample that says so is of minute 60.
        Case(forgotten, {24 * 60 + 30: (fires,), 25 * 60 + 30: ()}, step=30),
        Case(first | second | gone, {49: at_first, 53: (fires,), 57: (fires,)}),
    )


def down() -> tuple[Case, ...]:
    """A session is not ready, and neither waits for anything nor is stalled."""
    given: Series = {}
    for value in WAITS:
        given |= unready(f"waits-{value.lower()}") | state(f"waits-{value.lower()}", value, 0)
    given |= unready("down") | state("down", "Recovering", 0) | state("down", "Suspended", 0, namespace="other")
    given |= unready("conflict") | state("conflict", "Stalled", 0) | stalled("conflict", "Conflict", 0)
    given |= stalled("down", "Conflict", 0, namespace="other")
    given |= unready("full") | state("full", "Offline", 0) | stalled("full", "ClaimResizeRefused", 0)
    given |= session("ready", "well", 1) | session("ready_since_timestamp_seconds", "well", 0)
    fires = (Firing(tenant("down")), Firing(tenant("full")))

    def known(name: str, pod: int, ops: str) -> Series:
        return unready(name, pod=pod, ops=ops)

    return (
        Case(given, {14: (), 15: fires}),
        lifetime(known, lambda name, _: Firing(tenant(name))),
    )


def pod_pending() -> tuple[Case, ...]:
    """A pod does not start, or did not, and its session waits for its turn to try again."""
    minute = 20

    def gave_up(name: str, last: int, *, now: str = "Queued", begun: int = 0) -> Series:
        labels = of(name)
        return {
            operator("whatsapp_session_state", state="Pending", **labels): f"{flat(1, last + 1)} {LAST}",
            operator("whatsapp_session_state", state=now, **labels): f"_x{last + 1} {flat(1, 60)}",
            operator("whatsapp_session_state_since_timestamp_seconds", **labels): then((begun, last + 1), (1200, 60)),
        }

    def ran(name: str, last: int, *, first: int) -> Series:
        """Return a session that was up until a minute, and Pending before or after it."""
        since, labels = "whatsapp_session_state_since_timestamp_seconds", of(name)
        pending = (f"_x{last + 1} {flat(1, first - last)}" if first > last else flat(1, first + 1)) + f" {LAST}"
        up = (flat(1, last + 1) if first > last else f"_x{first + 1} {flat(1, last - first)}") + f" {LAST}"
        begun = (
            ((0, last + 1), ((last + 1) * 60, first - last)) if first > last else ((0, first + 1), (60, last - first))
        )
        return {
            operator("whatsapp_session_state", state="Pending", **labels): pending,
            operator("whatsapp_session_state", state="Connected", **labels): up,
            operator("whatsapp_session_state", state="Queued", **labels): f"_x{max(first, last) + 1} {flat(1, 60)}",
            operator(since, **labels): then(*begun, (max(first, last) * 60 + 60, 60)),
        }

    given = state("old", "Pending", minute * 60 - 481) | state("young", "Pending", minute * 60 - 480)
    given |= gave_up("waits", 6) | gave_up("waited", 3) | gave_up("runs", 10, now="Connected")
    given |= state("runs", "Queued", 0, namespace="other") | state("waits", "Connected", 0, namespace="other")
    given |= gave_up("late", 13, begun=minute * 60 - 481) | gave_up("due", 13, begun=minute * 60 - 480)
    given |= until(11, state("deleted", "Pending", 0)) | state("deleted", "Queued", 0, namespace="other")
    # It ran for a while after a short start, and waits; it ran until too short a time ago; and long enough ago.
    given |= ran("resumed", 9, first=6) | ran("ran", 6, first=11) | ran("evicted", 4, first=11)

    def known(name: str, pod: int, ops: str) -> Series:
        return state(name, "Pending", 0, pod=pod, ops=ops)

    return (
        Case(given, {minute: tuple(Firing(tenant(name)) for name in ("old", "waits", "late", "evicted"))}),
        lifetime(known, lambda name, _: Firing(tenant(name))),
    )


def status_behind() -> tuple[Case, ...]:
    """The status is of an older generation, or there is none."""
    given = session("generation", "behind", 3) | session("observed_generation", "behind", 2)
    given |= session("generation", "follows", 3) | session("observed_generation", "follows", 3)
    given |= session("generation", "none", 1)

    def known(name: str, pod: int, ops: str) -> Series:
        return {operator("whatsapp_session_generation", pod=pod, ops=ops, **of(name)): 2}

    return (
        Case(given, {9: (), 10: (Firing(tenant("behind")), Firing(tenant("none")))}),
        lifetime(known, lambda name, _: Firing(tenant(name))),
    )


def restarts(name: str, count: int, *, at: int, namespace: str = "shop") -> Series:
    """Return the count of new pods, all of them at this minute."""
    return session("pod_restarts_total", name, then((2, at), (2 + count, 250)), namespace=namespace)


def replaced(name: str, count: int) -> Series:
    """Return the same, over an operator that is replaced: at 50 it goes, at 56 the next one is there."""
    labels = of(name)
    return {
        operator("whatsapp_session_pod_restarts_total", **labels): f"{then((2, 12), (2 + count, 38))} {LAST}",
        operator("whatsapp_session_pod_restarts_total", pod=2, **labels): f"_x56 {flat(2 + count, 60)}",
    } | until(50, acting()) | {next(iter(acting(pod=2))): f"_x56 {flat(0, 60)}"}  # fmt: skip


def vanished(name: str, count: int) -> Series:
    """Return the same of a session that is deleted while its operator, another one, acts."""
    series = operator("whatsapp_session_pod_restarts_total", ops="other-ops", **of(name))
    return {series: f"{then((2, 12), (2 + count, 38))} {LAST}"} | acting(ops="other-ops")


def _with_ends(samples: str) -> str:
    """Return samples in which a series that ends says so, as a scrape that does not find it any more has it."""
    return re.sub(r"(\+0x\d+) _x(\d+)", lambda found: f"{found[1]} {LAST} _x{int(found[2]) - 1}", samples)


def failures(
    name: str, *times: tuple[int, int, str], end: int = 0, ops: str = "ops", pod: int = 1, namespace: str = "shop"
) -> Series:
    """Return how a session failed last: from a minute on at that second, by that class; `end` is when that is not told any more."""
    info, labels = "whatsapp_session_last_failure_info", of(name, namespace)
    ends = [first for first, _, _ in times[1:]] + [end or 300]
    tail = f" {LAST}" if end else ""
    pieces: dict[str, list[tuple[float | None, int]]] = {value: [(None, times[0][0])] for _, _, value in times}
    for (first, _, value), last in zip(times, ends, strict=True):
        for each, parts in pieces.items():
            parts.append((1 if each == value else None, last - first))
    when = then((None, times[0][0]), *((at, last - first) for (first, at, _), last in zip(times, ends, strict=True)))
    found: Series = {
        operator(info, ops=ops, pod=pod, **{"class": value}, **labels): _with_ends(
            then(*(one for one in parts if one[1]))
        )
        + tail
        for value, parts in pieces.items()
    }
    found |= {
        operator("whatsapp_session_last_failure_timestamp_seconds", ops=ops, pod=pod, **labels): when.removeprefix(
            "_x0 "
        )
        + tail
    }
    return found


def restarts_often() -> tuple[Case, ...]:
    """More than three new pods within an hour."""
    fires, deleted = Firing(tenant("often")), Firing(tenant("deleted"))
    return (
        Case(restarts("often", 4, at=12) | restarts("seldom", 3, at=12), {70: (fires,), 73: ()}),
        Case(
            replaced("often", 4) | vanished("deleted", 4) | NEIGHBOUR,
            {49: (fires, deleted), 53: (fires,), 57: (fires,)},
        ),
    )


def out_of_memory() -> tuple[Case, ...]:
    """The browser was killed twice within three hours, whatever else replaced its pod."""
    kernel, browser, crash = "OOMKilled", "OutOfMemory", "PageCrashed"
    at = 600  # minute 10
    # Killed for the first time, and again; by the one and the other; with another failure between; after one of old.
    given = failures("kernel", (10, at, kernel), (20, 1200, kernel)) | failures(
        "both", (10, at, kernel), (20, 1200, browser)
    )
    given |= failures("browser", (10, at, browser), (15, 900, crash), (20, 1200, browser))
    given |= failures("again", (0, -20000, kernel), (10, at, kernel), (20, 1200, kernel))
    # Once, once after one of old, one of old through drains, and other failures.
    given |= failures("once", (10, at, kernel)) | failures("once-more", (0, -20000, kernel), (20, 1200, kernel))
    given |= failures("drained", (0, -20000, kernel)) | restarts("drained", 2, at=12)
    given |= failures("crash", (10, at, crash), (20, 1200, crash))
    given |= failures("otherwise", (10, at, kernel), (12, 720, kernel), (15, 900, crash))
    # Once, and two operators tell of it.
    given |= failures("moved", (10, at, kernel)) | failures("moved", (10, at, kernel), ops="other-ops")
    # Three hours after the first: a second less, and no second less; one that was told late, after one of old.
    end = 195
    given |= failures("due", (10, end * 60 - 3 * 3600, kernel), (20, 1200, kernel))
    given |= failures("late", (10, end * 60 - 3 * 3600 + 2, kernel), (20, 1200, kernel))
    given |= failures("told-late", (0, -20000, kernel), (10, end * 60 - 3 * 3600 + 30, kernel), (100, 6000, kernel))
    fires = tuple(Firing(tenant(name)) for name in ("kernel", "both", "browser", "again", "due", "late"))
    late = Firing(tenant("told-late"))
    last = tuple(Firing(tenant(name)) for name in ("late", "told-late"))
    lost, deleted = Firing(tenant("often")), Firing(tenant("deleted"))
    twice = ((10, at, kernel), (12, 720, kernel))
    first = failures("often", *twice, end=50) | until(50, acting()) | acting(ops="other-ops") | NEIGHBOUR
    second = failures("often", (56, 720, kernel), pod=2) | {next(iter(acting(pod=2))): f"_x56 {flat(0, 60)}"}
    gone = failures("deleted", *twice, end=50, ops="other-ops")
    gone |= failures("deleted", (10, at, kernel), ops="other-ops", namespace="other")
    return (
        Case(given, {30: fires, 189: (*fires, late), end: last, 205: ()}),
        Case(first | second | gone, {49: (lost, deleted), 53: (lost,), 57: (lost,)}),
    )


def memory() -> tuple[Case, ...]:
    """More than nine tenths for a quarter of an hour."""
    given: Series = {}
    for name, used in (("full", 901), ("fits", 900)):
        given[runner("whatsapp_runner_memory_working_set_bytes", name)] = used
        given[runner("whatsapp_runner_memory_limit_bytes", name)] = 1000
    other = {"namespace": "other", "session_namespace": "other"}
    given[runner("whatsapp_runner_memory_working_set_bytes", "full", pod=2, **other)] = 10
    given[runner("whatsapp_runner_memory_limit_bytes", "full", pod=2, **other)] = 1000
    return (Case(given, {14: (), 15: (Firing(of_runner("full"), 0.901),)}),)


def volume_nearly_full() -> tuple[Case, ...]:
    """Less than a tenth, between 32 MiB and 1 GiB."""
    given: Series = {}
    for name, capacity, limit in (("mid", GIB, GIB // 10 + 1), ("small", 64 * MIB, 32 * MIB), ("big", 99 * GIB, GIB)):
        for full, available in (("full", limit - 1), ("fits", limit)):
            given[runner("whatsapp_runner_profile_available_bytes", f"{name}-{full}")] = available
            given[runner("whatsapp_runner_profile_capacity_bytes", f"{name}-{full}")] = capacity
    fires = tuple(Firing(of_runner(f"{name}-full")) for name in ("mid", "small", "big"))
    return (Case(given, {9: (), 10: fires}),)


def volume_full() -> tuple[Case, ...]:
    """Less than 32 MiB, or 256 inodes."""
    given: Series = {}
    for name, available, inodes in (
        ("bytes", 32 * MIB - 1, 5000),
        ("inodes", GIB, 255),
        ("fits", 32 * MIB, 256),
    ):
        given[runner("whatsapp_runner_profile_available_bytes", name)] = available
        given[runner("whatsapp_runner_profile_inodes_free", name)] = inodes
    return (Case(given, {0: (), 1: (Firing(of_runner("bytes")), Firing(of_runner("inodes")))}),)


def reconnects() -> tuple[Case, ...]:
    """Five within half an hour, over two pods."""
    name = "whatsapp_runner_reconnects_total"
    given: Series = {
        runner(name, "restless"): then((0, 12), (3, 60)),
        runner(name, "restless", pod=2): then((0, 12), (2, 60)),
        runner(name, "calm"): then((0, 12), (4, 60)),
        runner(name, "restless", namespace="other", session_namespace="other", instance="other:8080"): 0,
    }
    return (Case(given, {41: (Firing(of_runner("restless")),), 44: ()}),)


def page_silent() -> tuple[Case, ...]:
    """A connected page has not answered for more than five minutes."""
    minute = 20
    given: Series = {}
    for name, pod, age, connected in (
        ("silent", 1, 301, 1),
        ("speaks", 1, 300, 1),
        ("loading", 1, 900, 0),
        ("replaced", 1, 100, 0),
        ("replaced", 2, 400, 1),
    ):
        given[runner("whatsapp_runner_last_probe_timestamp_seconds", name, pod=pod)] = minute * 60 - age
        given[runner("whatsapp_runner_state", name, pod=pod, state="Connected")] = connected
        given[runner("whatsapp_runner_state", name, pod=pod, state="LoadError")] = 1 - connected
    return (Case(given, {minute: (Firing(of_runner("silent"), 301), Firing(of_runner("replaced"), 400))}),)


def not_scraped() -> tuple[Case, ...]:
    """More than a tenth of the ready sessions have no series of their runner."""

    def fleet(ready: int, unseen: int) -> Series:
        given: Series = {}
        for number in range(ready):
            given |= session("ready", f"s{number}", 1)
            if number >= unseen:
                given[runner("whatsapp_runner_last_probe_timestamp_seconds", f"s{number}")] = 0
        for name in ("hash:abcdefghijkl", "uid:0af1-u"):
            given |= session("ready", name, 1)
        # The same names in another namespace, on one side each.
        given |= session("ready", "s0", 0, namespace="other") | session("ready", "unready", 0)
        given[runner("whatsapp_runner_last_probe_timestamp_seconds", "s0", session_namespace="other")] = 0
        return given

    return (
        Case(fleet(19, 2), {14: (), 15: (Firing({}, 2 / 19),)}),
        Case(fleet(10, 1), {20: ()}),
    )


SESSIONS: Final = (
    Expected("WhatsAppSessionLinkLost", "critical", "tenant", link_lost()),
    Expected("WhatsAppSessionDown", "critical", "tenant", down()),
    Expected("WhatsAppSessionPodPending", "warning", "platform", pod_pending()),
    Expected("WhatsAppSessionStatusBehind", "warning", "platform", status_behind()),
    Expected("WhatsAppSessionRestartsOften", "warning", "tenant", restarts_often()),
    Expected("WhatsAppSessionOutOfMemory", "warning", "tenant", out_of_memory()),
    Expected("WhatsAppSessionMemoryNearLimit", "warning", "tenant", memory()),
    Expected("WhatsAppSessionVolumeNearlyFull", "warning", "tenant", volume_nearly_full()),
    Expected("WhatsAppSessionVolumeFull", "critical", "tenant", volume_full()),
    Expected("WhatsAppSessionReconnectsOften", "warning", "tenant", reconnects()),
    Expected("WhatsAppSessionPageSilent", "warning", "tenant", page_silent()),
    Expected("WhatsAppRunnersNotScraped", "warning", "platform", not_scraped()),
)
