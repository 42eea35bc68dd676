"""The alerts about quotas, all sessions together, and the operator itself."""

from collections.abc import Callable
from typing import Final

from manifests.alerts.ages import lifetime
from manifests.alerts.cases import (
    LAST,
    OWNERS,
    Case,
    Expected,
    Firing,
    Series,
    flat,
    inhibiting,
    labelled,
    of_operator,
    operator,
    then,
)

BROKEN: Final = (
    "Pending", "Loading", "LoadError", "ProxyError", "UnsupportedBrowser", "Reconnecting", "Offline", "ServiceUnavailable",
    "UpdateNeeded", "Degraded", "Unresponsive", "Crashed", "Unreachable", "Recovering",
)  # fmt: skip
RESTING: Final = (
    "Suspended", "Queued", "Stalled", "LinkExpired", "QRPending", "PairingCodePending", "PasskeyRequired", "LoggedOut",
    "Conflict", "TemporarilyBanned",
)  # fmt: skip
""" Not to be up now. """


def quota(metric: str, name: str, value: float, *, pod: int = 1, ops: str = "ops") -> Series:
    """Return one series of the operator about a quota."""
    return {operator(f"whatsapp_quota_{metric}", pod=pod, ops=ops, quota=name): value}


def quota_nearly_full() -> tuple[Case, ...]:
    """More than nine tenths of sessions, memory or storage are taken."""
    pairs = {
        "sessions": ("sessions", "sessions_limit"),
        "memory": ("memory_bytes", "memory_limit_bytes"),
        "storage": ("storage_bytes", "storage_limit_bytes"),
    }
    given: Series = quota("sessions", "unlimited", 1000)
    for used, limit in pairs.values():
        given |= quota(used, f"full-{used}", 901) | quota(limit, f"full-{used}", 1000)
        given |= quota(used, f"fits-{used}", 900) | quota(limit, f"fits-{used}", 1000)
    fires = tuple(
        Firing(of_operator("ops") | {"quota": f"full-{used}", "resource": resource}, 0.901)
        for resource, (used, _) in pairs.items()
    )

    def known(name: str, pod: int, ops: str) -> Series:
        return quota("sessions", name, 10, pod=pod, ops=ops) | quota("sessions_limit", name, 10, pod=pod, ops=ops)

    return (
        Case(given, {14: (), 15: fires}),
        lifetime(known, lambda name, _: Firing(of_quota(name, resource="sessions"), 1)),
    )


def of_quota(name: str, **labels: str) -> dict[str, str]:
    """Return the labels of an alert about a quota of `lifetime`."""
    return of_operator(OWNERS[name]) | {"quota": name} | labels


def quota_held_idle() -> tuple[Case, ...]:
    """Places are held without running while others wait."""
    given: Series = {}
    for name, idle, pending in (("held", 1, 1), ("runs", 0, 1), ("nobody-waits", 1, 0)):
        given |= quota("not_running_sessions", name, idle) | quota("pending_sessions", name, pending)

    def known(name: str, pod: int, ops: str) -> Series:
        idle = quota("not_running_sessions", name, 2, pod=pod, ops=ops)
        return idle | quota("pending_sessions", name, 1, pod=pod, ops=ops)

    return (
        Case(given, {14: (), 15: (Firing(of_operator("ops") | {"quota": "held"}),)}),
        lifetime(known, lambda name, _: Firing(of_quota(name))),
    )


def quota_queue_old() -> tuple[Case, ...]:
    """The first in the queue has waited for more than half an hour."""
    minute = 40
    given = quota("oldest_pending_timestamp_seconds", "old", minute * 60 - 1801)
    given |= quota("oldest_pending_timestamp_seconds", "young", minute * 60 - 1800)

    def known(name: str, pod: int, ops: str) -> Series:
        return quota("oldest_pending_timestamp_seconds", name, 0, pod=pod, ops=ops)

    return (
        Case(given, {minute: (Firing(of_operator("ops") | {"quota": "old"}, 1801),)}),
        lifetime(known, lambda name, minute: Firing(of_quota(name), minute * 60), later=30),
    )


def fleet_broken() -> tuple[Case, ...]:
    """More than a fifth of the sessions that are to be up, and more than two."""

    def fleet(ops: str, broken: int, well: int, *, state_name: str = "Degraded", pod: int = 1) -> Series:
        name = "whatsapp_operator_sessions"
        return {
            operator(name, pod=pod, ops=ops, session_namespace="shop", state=state_name): broken,
            operator(name, pod=pod, ops=ops, session_namespace="other", state="Connected"): well,
        }

    given = (
        fleet("share", 5, 19)
        | fleet("exactly", 5, 20)
        | fleet("few", 2, 3)
        | fleet("stalled", 9, 1, state_name="Stalled")
    )
    for state_name in BROKEN:
        given |= fleet(f"three-{state_name.lower()}", 3, 9, state_name=state_name)
    for state_name in RESTING:  # many of them hide nothing, and are no trouble
        name = operator("whatsapp_operator_sessions", ops=f"rest-{state_name.lower()}", state=state_name)
        given |= fleet(f"rest-{state_name.lower()}", 3, 9) | {name: 100}
    fires = (
        Firing(inhibiting("share"), 5 / 24),
        *(Firing(inhibiting(f"three-{state_name.lower()}"), 0.25) for state_name in BROKEN),
        *(Firing(inhibiting(f"rest-{state_name.lower()}"), 0.25) for state_name in RESTING),
    )

    def known(_: str, pod: int, ops: str) -> Series:
        return fleet(ops, 5, 5, pod=pod)

    return (
        Case(given, {9: (), 10: fires}),
        lifetime(known, lambda name, _: Firing(inhibiting(OWNERS[name]), 0.5)),
    )


def quantile_case(
    metric: str,
    *,
    low: float,
    limit: float,
    high: float,
    share: float,
    late: tuple[int, int],
    pending: int,
    **labels: str,
) -> tuple[Case, ...]:
    """Return a histogram whose quantile is just above the limit, and one where it is just below.

    `share` per cent are within the limit, and the rest is not; `late` are the minutes of the last look at which it
    fires and the first at which the window has gone by. Everything was counted in two minutes.
    """

    def grown(value: float) -> str:
        return then((0, 20), (value, 5), (2 * value, 200))

    def histogram(ops: str, counts: dict[str, float]) -> Series:
        return {operator(f"{metric}_bucket", ops=ops, le=le, **labels): grown(value) for le, value in counts.items()}

    given = histogram("slow", {f"{limit:g}": share - 0.5, f"{high:g}": share + 0.5, "+Inf": 100})
    given |= histogram("fast", {f"{low:g}": share - 0.5, f"{limit:g}": share + 0.5, f"{high:g}": 100, "+Inf": 100})
    given |= histogram("exactly", {f"{limit:g}": 50, "+Inf": 100})  # beyond its last limit, which is told
    fires = Firing(of_operator("slow"), (limit + high) / 2)
    first = 20 + pending
    return (Case(given, {first - 1: (), first: (fires,), late[0]: (fires,), late[1]: ()}),)


def starts_slow() -> tuple[Case, ...]:
    """One start in twenty takes more than two minutes, and there were more than five."""
    name = "whatsapp_operator_session_start_seconds"
    (quantile,) = quantile_case(name, low=119, limit=120, high=121, share=95, late=(53, 56), pending=15)
    many: Series = {
        operator(f"{name}_count", ops=ops): then((0, 20), (100, 25), (200, 200)) for ops in ("slow", "fast", "exactly")
    }
    few: Series = {}
    for ops, count in (("five", 5), ("six", 6)):
        few |= step(f"{name}_bucket", 0, ops=ops, le="120") | step(f"{name}_count", count, ops=ops)
        for le in ("240", "+Inf"):  # which go on, so that it is the count that ends it
            few[operator(f"{name}_bucket", ops=ops, le=le)] = then((0, 20), (count, 25), (2 * count, 200))
    fires = Firing(of_operator("six"), 234)
    return (
        Case(quantile.given | many, quantile.checks),
        Case(few, {34: (), 35: (fires,), 48: (fires,), 51: ()}),
    )


def reconcile_errors() -> tuple[Case, ...]:
    """More than a tenth of reconciliations fail."""
    given: Series = {}
    for ops, bad in (("bad", 101), ("well", 100)):
        failed = operator("controller_runtime_reconcile_errors_total", ops=ops, controller="whatsappsession")
        total = operator("controller_runtime_reconcile_total", ops=ops, result="success", controller="whatsappsession")
        given |= counted({failed: bad, total: 1000})
        other = operator("controller_runtime_reconcile_errors_total", ops=ops, controller="other")
        given |= counted({other: 900, operator("controller_runtime_reconcile_total", ops=ops, controller="other"): 900})
    fires = Firing(of_operator("bad"), 0.101)
    return (Case(given, {29: (), 30: (fires,), 34: (fires,), 35: ()}),)


def counted(values: Series) -> Series:
    """Return counters that grow by so much at the minutes 20 and 25, and not before or after."""
    return {series: then((0, 20), (float(value), 5), (2 * float(value), 60)) for series, value in values.items()}


def api_errors() -> tuple[Case, ...]:
    """More than a twentieth of the operator's requests fail; other programs' requests are not ours."""
    given: Series = {}
    codes = ("500", "503", "429", "<error>")
    for number, code in enumerate((*codes, "409")):
        given |= requests(f"ops-{number}", 51, code)
    given |= requests("well", 50, "500")
    fires = tuple(Firing(of_operator(f"ops-{number}"), 0.051) for number in range(len(codes)))
    return (Case(given, {29: (), 30: fires, 34: fires, 35: ()}),)


def requests(ops: str, bad: float, code: str) -> Series:
    """Return an operator's requests, of 1000 so many with this code, beside two programs that fail all the time."""
    name = "rest_client_requests_total"
    found = counted({
        operator(name, ops=ops, code=code, method="GET", host="a"): bad,
        operator(name, ops=ops, code="200", method="GET", host="a"): 1000 - bad,
        operator(name, ops=ops, pod=2, code="500", method="GET", host="a"): 9000,
        operator(name, ops=ops, job="another", code="500", method="GET", host="a"): 9000,
    })  # fmt: skip
    return found | {operator("whatsapp_operator_build_info", ops=ops, version="1"): 1}


def step(metric: str, count: float, *, ops: str = "ops", at: int = 20, **labels: str) -> Series:
    """Return a counter that grows by so much at this minute."""
    return {operator(metric, ops=ops, **labels): then((0, at), (count, 200))}


def gauges(
    metric: str, bad: float, well: float, minute: int, value: float | None = None, **labels: str
) -> tuple[Case, ...]:
    """Return a gauge that is too high for so many minutes, one that is not, and when it fires."""
    given: Series = {operator(metric, ops="bad", **labels): bad, operator(metric, ops="well", **labels): well}
    # The standby beside the one that acts has a figure of its own, and it is the highest that counts.
    given[operator(metric, ops="bad", pod=2, **labels)] = well
    before: dict[int, tuple[Firing, ...]] = {minute - 1: ()} if minute else {}
    return (Case(given, before | {minute: (Firing(of_operator("bad"), value),)}),)


def operator_down() -> tuple[Case, ...]:
    """An operator is not scraped any more, whatever others are, also of its namespace or its name."""
    build = "whatsapp_operator_build_info"
    given: Series = {
        operator(build, version="1"): f"{flat(1, 10)} {LAST}",
        operator(build, version="1", ops="other-ops"): f"{flat(1, 10)} {LAST}",
        operator(build, version="1", ops="other-ops", pod=2): 1,
        operator(build, version="1", ops="ops/second"): 1,
    }
    fires = Firing(inhibiting("ops"))
    hours: Series = {operator(build, version="1"): then((1, 3), (None, 60)), operator(build, version="1", ops="o"): 1}
    return (
        Case(given, {14: (), 15: (fires,)}),
        Case({operator(build, version="1"): f"{flat(1, 10)} {LAST}"}, {14: (), 15: (fires,)}),
        Case({"another": 1}, {4: (), 5: (Firing({}),)}),
        # The last sample that says so is of minute 60.
        Case(hours, {24 * 60 + 30: (fires,), 25 * 60 + 30: ()}, step=30),
        Case({operator("whatsapp_operator_build_info", version="1"): 1}, {20: ()}),
    )


def leader_missing() -> tuple[Case, ...]:
    """Operators are scraped, and none of an instance holds its Lease."""
    name = "leader_election_master_status"
    given: Series = {
        operator(name, name="whatsapp-operator"): 0,
        operator(name, name="whatsapp-operator", pod=2): 0,
        operator(name, name="whatsapp-operator-demo"): 0,
        operator(name, name="whatsapp-operator-demo", pod=2): 1,
        operator(name, name="whatsapp-operator-shop", ops="shop-ops"): 0,
        operator(name, name="whatsapp-operator", ops="other-ops"): 1,
        operator(name, name="another"): 0,
    }
    fires = (
        Firing(inhibiting("ops") | {"name": "whatsapp-operator"}),
        Firing(inhibiting("shop-ops") | {"name": "whatsapp-operator-shop"}),
    )
    return (Case(given, {2: (), 3: fires}),)


def operator_restarts() -> tuple[Case, ...]:
    """More than three restarts within an hour."""

    def starts(count: int, **labels: str) -> Series:
        name = labelled("process_start_time_seconds", labels)
        return {name: then(*((minute, 10) for minute in range(count)), (count, 100))}

    def scraped(ops: str, job: str = "operator", pod: int = 1) -> dict[str, str]:
        return of_operator(ops) | {"instance": f"{ops}-{pod}:8080", "job": job}

    given = starts(4, **scraped("bad")) | starts(3, **scraped("well"))
    given |= starts(9, **scraped("well", job="another")) | starts(9, **scraped("well", pod=7))
    for ops in ("bad", "well"):
        given[labelled("whatsapp_operator_build_info", scraped(ops) | {"version": "1"})] = 1
    return (Case(given, {69: (Firing(of_operator("bad")),), 71: ()}),)


def recovery_paused() -> tuple[Case, ...]:
    """Recovery is paused in all namespaces."""
    return (Case(pauses(), {0: (), 1: (Firing(inhibiting("all")), Firing(inhibiting("some/second")))}),)


def namespace_paused() -> tuple[Case, ...]:
    """Recovery is paused in a namespace by its own failures, and goes on in others."""
    fires = tuple(
        Firing(inhibiting("some") | {"namespace": name, "session_namespace": name}) for name in ("shop", "club")
    )
    return (Case(pauses(), {0: (), 1: fires}),)


def pauses() -> Series:
    """Return the series of four operators: two namespaces, or all, are paused, or none is; the first has a neighbour."""
    some, everywhere = "whatsapp_operator_namespace_recovery_paused", "whatsapp_operator_recovery_paused"
    return {
        operator(everywhere, ops="some"): 0,
        operator(everywhere, ops="some/second"): 1,
        operator(some, ops="some", session_namespace="shop"): 1,
        operator(some, ops="some", pod=2, session_namespace="shop"): 1,  # the one before has not gone yet
        operator(some, ops="some", session_namespace="club"): 1,
        operator(everywhere, ops="all"): 1,
        operator(some, ops="all", session_namespace="other"): 1,
        operator(everywhere, ops="none"): 0,
    }


def resync_old() -> tuple[Case, ...]:
    """The last full list is more than four minutes old, for as long as that is so and an operator is there."""
    minute, name = 20, "whatsapp_operator_resync_last_success_timestamp_seconds"
    given: Series = {operator(name, ops="old"): minute * 60 - 241, operator(name, ops="young"): minute * 60 - 240}
    given[operator(name, ops="young", pod=2)] = 0  # it does not act any more, and keeps what it knew
    # From minute 6 on it cannot list any more, ends itself and begins anew, seen at one minute in 15, until it is removed.
    build, end = "whatsapp_operator_build_info", 180
    seen = " ".join([f"1 {LAST} _x13"] * (end // 15))
    again: Series = {operator(build, version="1"): f"{seen} 1 {LAST}", operator(name): f"{flat(0, 6)} {LAST}"}
    for neighbour in ("other-ops", "ops/second"):  # which have nothing to do with it, and are gone for good
        again |= {operator(each, ops=neighbour): f"{flat(0, 6)} {LAST}" for each in (build, name)}
    # It never listed anything: since when it is seen.
    never: Series = {operator(build, version="1"): f"_x10 {flat(1, 60)}"}
    return (
        Case(given, {minute: (Firing(of_operator("old"), 241),)}),
        Case(again, {end + 15: (Firing(of_operator("ops"), (end + 15) * 60),), end + 16: ()}),
        Case(never, {14: (), 15: (Firing(of_operator("ops"), 300),)}),
    )


def panics() -> tuple[Case, ...]:
    """A reconciliation ended with an exception."""
    name = "controller_runtime_reconcile_panics_total"
    given = step(name, 1, ops="bad", controller="whatsappsession") | step(
        name, 0, ops="well", controller="whatsappsession"
    )
    given |= step(name, 5, ops="well", controller="other")
    return (Case(given, {20: (Firing(of_operator("bad")),), 34: (Firing(of_operator("bad")),), 35: ()}),)


def calls_fail() -> tuple[Case, ...]:
    """A call fails in each five minutes of a quarter of an hour."""

    def every(minutes: int, ops: str) -> Series:
        name = operator("whatsapp_operator_failed_calls_total", ops=ops, verb="create", kind="Service")
        return {name: " ".join(str(minute // minutes) for minute in range(60))}

    given = every(5, "bad") | every(6, "seldom") | step("whatsapp_operator_failed_calls_total", 90, ops="burst")
    given |= step("whatsapp_operator_failed_calls_total", 0, ops="never")
    fires = Firing(of_operator("bad") | {"verb": "create", "kind": "Service"})
    return (Case(given, {19: (), 20: (fires,), 44: (fires,), 59: (fires,)}),)


def answers_rejected() -> tuple[Case, ...]:
    """More than three answers within a quarter of an hour did not count."""
    name = "whatsapp_operator_runner_answers_rejected_total"
    given = step(name, 4, reason="unsigned") | step(name, 3, reason="other_pod") | step(name, 2, reason="status")
    fires = Firing(of_operator("ops") | {"reason": "unsigned"})
    return (Case(given, {34: (fires,), 35: ()}),)


def clock_offset() -> tuple[Case, ...]:
    """The clock was set by more than half a minute, ahead or back."""
    name = "whatsapp_operator_clock_offset_seconds"
    given: Series = {operator(name, ops=ops): value for ops, value in (("ahead", 30.5), ("back", -30.5), ("well", 30))}
    fires = (Firing(of_operator("ahead"), 30.5), Firing(of_operator("back"), 30.5))
    return (Case(given, {4: (), 5: fires}),)


def key_expires() -> tuple[Case, ...]:
    """A retired key is left less than 20 hours before its end."""
    minute, name = 10, "whatsapp_operator_key_expiration_timestamp_seconds"
    last = minute * 60 + 20 * 3600
    given: Series = {operator(name, ops="late"): last - 1, operator(name, ops="due"): last}
    return (Case(given, {minute: (Firing(of_operator("late"), 20 * 3600 - 1),)}),)


def keys_restored() -> tuple[Case, ...]:
    """Keys were put back within the last hour, for the first time or once more."""
    name = "whatsapp_operator_keys_restored_total"
    given: Series = {
        operator(name, ops="first", result="success"): f"_x10 {flat(1, 90)}",
        operator(name, ops="again", result="success"): then((1, 10), (2, 90)),
        operator(name, ops="never", result="success"): f"_x10 {flat(0, 90)}",
    }
    fires = (Firing(of_operator("first")), Firing(of_operator("again")))
    return (Case(given, {10: fires, 69: fires, 71: ()}),)


def cache_resets() -> tuple[Case, ...]:
    """Everything began anew three times within an hour."""
    name = "whatsapp_operator_cache_resets_total"
    given = step(name, 3, at=10, reason="watch_stopped") | step(name, 2, at=10, reason="versions_went_back")
    fires = Firing(of_operator("ops") | {"reason": "watch_stopped"})
    return (Case(given, {68: (fires,), 71: ()}),)


def platform(alert: str, severity: str, cases: Callable[[], tuple[Case, ...]] | tuple[Case, ...]) -> Expected:
    """Return what is expected of an alert for whoever runs the operator."""
    return Expected(alert, severity, "platform", cases if isinstance(cases, tuple) else cases())


FLEET: Final = (
    platform("WhatsAppQuotaNearlyFull", "info", quota_nearly_full),
    platform("WhatsAppQuotaHeldIdle", "warning", quota_held_idle),
    platform("WhatsAppQuotaQueueOld", "warning", quota_queue_old),
    Expected("WhatsAppNamespaceRecoveryPaused", "warning", "tenant", namespace_paused()),
    platform("WhatsAppFleetBroken", "critical", fleet_broken),
    platform("WhatsAppFleetStartsSlow", "warning", starts_slow()),
    platform("WhatsAppOperatorDown", "critical", operator_down),
    platform("WhatsAppOperatorLeaderMissing", "critical", leader_missing),
    platform("WhatsAppOperatorRestartsOften", "warning", operator_restarts),
    platform("WhatsAppOperatorRecoveryPaused", "critical", recovery_paused),
    platform("WhatsAppOperatorResyncOld", "critical", resync_old),
    platform("WhatsAppOperatorReconcileErrors", "warning", reconcile_errors),
    platform("WhatsAppOperatorPanics", "warning", panics),
    platform(
        "WhatsAppOperatorWorkqueueSlow",
        "warning",
        quantile_case(
            "workqueue_queue_duration_seconds",
            low=9,
            limit=10,
            high=11,
            share=95,
            late=(34, 35),
            pending=10,
            name="whatsappsession",
        ),
    ),
    platform(
        "WhatsAppOperatorWorkerStuck",
        "warning",
        gauges("workqueue_longest_running_processor_seconds", 301, 300, 0, 301, name="whatsappsession"),
    ),
    platform(
        "WhatsAppOperatorLoopLag",
        "warning",
        quantile_case(
            "whatsapp_operator_event_loop_lag_seconds",
            low=0.49,
            limit=0.5,
            high=0.51,
            share=99,
            late=(34, 35),
            pending=10,
        ),
    ),
    platform(
        "WhatsAppOperatorStatusFieldsDropped", "warning", gauges("whatsapp_operator_status_fields_dropped", 1, 0, 15, 1)
    ),
    platform("WhatsAppOperatorCallsFail", "warning", calls_fail),
    platform("WhatsAppOperatorAPIErrors", "warning", api_errors),
    platform("WhatsAppOperatorAnswersRejected", "warning", answers_rejected),
    platform("WhatsAppOperatorClockOffset", "warning", clock_offset),
    platform("WhatsAppOperatorKeyExpires", "warning", key_expires),
    platform("WhatsAppOperatorKeysRestored", "warning", keys_restored),
    platform("WhatsAppOperatorCacheResets", "warning", cache_resets),
    platform(
        "WhatsAppOperatorSessionsUnseen", "info", gauges("whatsapp_operator_sessions_without_metrics", 1, 0, 15, 1)
    ),
)
