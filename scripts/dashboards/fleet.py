"""All sessions, their quotas, and the operator itself."""

from typing import Final

from dashboards.charts import (
    OF_OURS,
    RARE,
    RATE,
    Chart,
    Dashboard,
    Query,
    Section,
    Shape,
    Unit,
    Variable,
    figure,
    one,
    quantiles,
)

HERE: Final = 'session_namespace=~"$session_namespace"'
QUOTA: Final = 'quota=~"$quota"'
CONTROLLER: Final = 'controller="whatsappsession"'
LEASES: Final = 'name=~"whatsapp-operator.*"'
NOT_SCRAPED: Final = "The operator is not scraped"
NO_EVENTS: Final = "Nothing of the kind in this time"
_AWAKE: Final = f'{HERE}, state!="Suspended"'
_CONNECTED: Final = f'{HERE}, state="Connected"'
_OLDEST_AGE: Final = f"time() - {one('whatsapp_quota_oldest_pending_timestamp_seconds', by='quota', selector=QUOTA)}"
_LISTED: Final = "max by (namespace, operator) (whatsapp_operator_resync_last_success_timestamp_seconds)"
_STALLED: Final = (
    f"(time() - {one('whatsapp_session_stalled_since_timestamp_seconds', selector=HERE)})"
    " * on (session_namespace, session) group_left (reason) "
    f"{one('whatsapp_session_stalled_reason', by='session_namespace, session, reason', selector=HERE)}"
)
_NOT_READY: Final = (
    f"(time() - {one('whatsapp_session_state_since_timestamp_seconds', selector=HERE)})"
    " * on (session_namespace, session) group_left (state) "
    f"{one('whatsapp_session_state', by='session_namespace, session, state', selector=_AWAKE)}"
    f" and on (session_namespace, session) ({one('whatsapp_session_ready', selector=HERE)} == 0)"
)

NOW: Final = Section(
    "Now",
    (
        figure(
            "Sessions",
            f"sum({one('whatsapp_operator_sessions', by='session_namespace, state', selector=HERE)})",
            "All sessions of this operator in the chosen namespaces, whatever their state.",
            empty="No sessions, or the operator is not scraped",
        ),
        figure(
            "Connected",
            f"sum({one('whatsapp_operator_sessions', by='session_namespace, state', selector=_CONNECTED)})",
            "Sessions that are linked, synced and connected.",
            empty="No session is connected",
        ),
        figure(
            "Stalled",
            f"sum({one('whatsapp_session_stalled', selector=HERE)})",
            "Sessions that wait for a person: a conflict, a ban, a logout, attempts used up. The table below names them.",
            empty="Sessions have no series of their own (METRICS_SESSIONS_LIMIT)",
            bad_from=1,
        ),
        figure(
            "Queued",
            f"sum({one('whatsapp_quota_pending_sessions', by='quota', selector=QUOTA)})",
            "Sessions that wait for room in the chosen quotas.",
            empty="No quota has a status yet",
            bad_from=1,
        ),
        figure(
            "Recovery paused",
            "max(whatsapp_operator_recovery_paused)",
            "Whether too many sessions failed together, so that no session's pod is replaced for a while.",
            empty=NOT_SCRAPED,
            unit=Unit.YES_NO,
            bad_from=1,
        ),
        figure(
            "Leader",
            f"min({one('leader_election_master_status', by='namespace, operator, name', selector=LEASES)})",
            "Whether an operator holds the Lease, of several Leases each; without one nothing is started or replaced.",
            empty=NOT_SCRAPED,
            unit=Unit.YES_NO,
            bad_below=1,
        ),
    ),
)

SESSIONS: Final = Section(
    "Sessions",
    (
        Chart(
            "Sessions by state",
            "How many sessions are in each state; docs/reference/api.md says what the states mean.",
            Unit.COUNT,
            (
                Query(
                    f"sum by (state) ({one('whatsapp_operator_sessions', by='session_namespace, state', selector=HERE)})",
                    "{{state}}",
                ),
            ),
            "No sessions, or the operator is not scraped",
            Shape.AREAS,
        ),
        Chart(
            "Alerts that fire",
            "The shipped alerts that fire at present.",
            Unit.COUNT,
            (Query('ALERTS{alertname=~"WhatsApp.*", alertstate="firing"}'),),
            "No alert fires",
            Shape.TABLE,
            hides=("Time", "__name__", "alertstate", "Value", "instance", "job", "pod", "container", "endpoint"),
        ),
        Chart(
            "Waiting for a person",
            "Stalled sessions, why, and for how long; the session's condition Stalled says what to do.",
            Unit.SECONDS,
            (Query(_STALLED),),
            "No session is Stalled",
            Shape.TABLE,
            hides=("Time",),
            links_to_session=True,
        ),
        Chart(
            "Not ready",
            "Sessions that are neither ready nor suspended, their state, and for how long they have been in it.",
            Unit.SECONDS,
            (Query(_NOT_READY),),
            "All sessions are ready or suspended",
            Shape.TABLE,
            hides=("Time",),
            links_to_session=True,
        ),
        Chart(
            "Failures by class",
            "Runners that failed in the hour before, by the cause; docs/causes.md says what each means.",
            Unit.COUNT,
            (Query(f"sum by (class) (increase(whatsapp_operator_session_failures_total[{RARE}])) > 0", "{{class}}"),),
            NO_EVENTS,
            Shape.AREAS,
        ),
        Chart(
            "Pods created by reason",
            "Pods that the operator created in the hour before, and why.",
            Unit.COUNT,
            (Query(f"sum by (reason) (increase(whatsapp_operator_pods_created_total[{RARE}])) > 0", "{{reason}}"),),
            NO_EVENTS,
            Shape.AREAS,
        ),
    ),
)

TIMES: Final = Section(
    "How long it takes",
    (
        Chart(
            "Wait for admission",
            "From the wish to run to the reservation in the quota, of sessions of the hour before.",
            Unit.SECONDS,
            quantiles("whatsapp_operator_admission_wait_seconds", over=RARE),
            NO_EVENTS,
            width=8,
        ),
        Chart(
            "Start",
            "From the reservation to a QR code or a connection, of sessions of the hour before.",
            Unit.SECONDS,
            quantiles("whatsapp_operator_session_start_seconds", over=RARE),
            NO_EVENTS,
            width=8,
        ),
        Chart(
            "Recovery",
            "From unready to ready again, without a person in between, of sessions of the hour before.",
            Unit.SECONDS,
            quantiles("whatsapp_operator_session_recovery_seconds", over=RARE),
            NO_EVENTS,
            width=8,
        ),
    ),
)

QUOTAS: Final = Section(
    "Quotas",
    (
        Chart(
            "Sessions of the limit",
            "The part of each quota's sessions that is reserved; quotas without that limit are not here.",
            Unit.RATIO,
            (
                Query(
                    f"{one('whatsapp_quota_sessions', by='quota', selector=QUOTA)}"
                    f" / {one('whatsapp_quota_sessions_limit', by='quota', selector=QUOTA)}",
                    "{{quota}}",
                ),
            ),
            "No quota limits its sessions",
            width=8,
        ),
        Chart(
            "Memory of the limit",
            "The part of each quota's memory that is reserved; quotas without that limit are not here.",
            Unit.RATIO,
            (
                Query(
                    f"{one('whatsapp_quota_memory_bytes', by='quota', selector=QUOTA)}"
                    f" / {one('whatsapp_quota_memory_limit_bytes', by='quota', selector=QUOTA)}",
                    "{{quota}}",
                ),
            ),
            "No quota limits its memory",
            width=8,
        ),
        Chart(
            "Longest wait",
            "How long the session that has been Queued for longest has been so, in each quota.",
            Unit.SECONDS,
            (Query(_OLDEST_AGE, "{{quota}}"),),
            "No session is Queued",
            width=8,
        ),
    ),
)

OPERATOR: Final = Section(
    "Operator",
    (
        Chart(
            "Work queue",
            "Keys that wait for a worker; growing means that the operator does not keep up.",
            Unit.COUNT,
            (Query('max by (name) (workqueue_depth{name="whatsappsession"})', "depth"),),
            NOT_SCRAPED,
            width=8,
        ),
        Chart(
            "Reconciliations",
            "Looks at a session, by their result.",
            Unit.PER_SECOND,
            (
                Query(
                    f"sum by (result) (rate(controller_runtime_reconcile_total{{{CONTROLLER}}}[{RATE}]))", "{{result}}"
                ),
            ),
            NOT_SCRAPED,
            width=8,
        ),
        Chart(
            "Duration of a reconciliation",
            "How long one look at a session takes, its requests to the API server included.",
            Unit.SECONDS,
            quantiles("controller_runtime_reconcile_time_seconds", over=RATE, selector=CONTROLLER),
            NO_EVENTS,
            width=8,
        ),
        Chart(
            "Requests to the API server",
            "By the status of the answer.",
            Unit.PER_SECOND,
            (Query(f"sum by (code) (rate(rest_client_requests_total[{RATE}]) {OF_OURS})", "{{code}}"),),
            NOT_SCRAPED,
            width=8,
        ),
        Chart(
            "Calls that failed",
            "Requests that were refused, failed or undone in the hour before, and are tried again.",
            Unit.COUNT,
            (
                Query(
                    f"sum by (verb, kind) (increase(whatsapp_operator_failed_calls_total[{RARE}])) > 0",
                    "{{verb}} {{kind}}",
                ),
            ),
            NO_EVENTS,
            Shape.AREAS,
            width=8,
        ),
        Chart(
            "Lag of the event loop",
            "How late the operator's loop is; seconds of it mean that one step blocks all others.",
            Unit.SECONDS,
            quantiles("whatsapp_operator_event_loop_lag_seconds", over=RATE),
            NOT_SCRAPED,
            width=8,
        ),
        Chart(
            "Age of the last full list",
            "The operator lists everything about once a minute; older means that it does not see the cluster.",
            Unit.SECONDS,
            (Query(f"time() - min({_LISTED})", "age"),),
            "No operator has listed everything yet",
            width=8,
        ),
        Chart(
            "Memory",
            "The resident memory of each operator's process that is scraped.",
            Unit.BYTES,
            (Query(f"process_resident_memory_bytes {OF_OURS}", "{{pod}}"),),
            NOT_SCRAPED,
            width=8,
        ),
        Chart(
            "Sessions without series",
            "How many sessions are over METRICS_SESSIONS_LIMIT, and so on no dashboard and in no alert of their own.",
            Unit.COUNT,
            (Query("max(whatsapp_operator_sessions_without_metrics)", "sessions"),),
            "No operator acts",
            width=8,
        ),
    ),
)

DASHBOARD: Final = Dashboard(
    uid="whatsapp-fleet",
    title="WhatsApp sessions: fleet",
    description="All sessions of the operator, their quotas, and the operator itself.",
    variables=(
        Variable("session_namespace", "Namespace", "whatsapp_operator_sessions", several=True),
        Variable("quota", "Quota", "whatsapp_quota_sessions", several=True),
    ),
    sections=(NOW, SESSIONS, TIMES, QUOTAS, OPERATOR),
)
