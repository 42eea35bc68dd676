"""One session: how it is, what happened to it, and what its runner takes."""

from typing import Final

from dashboards.charts import RATE, Chart, Dashboard, Query, Section, Shape, Unit, Variable, figure, one

THIS: Final = 'session_namespace="$session_namespace", session="$session"'
NO_SERIES: Final = "This session has no series of its own (METRICS_SESSIONS_LIMIT), or the operator is not scraped"
NO_RUNNER: Final = "No runner of this session is scraped: it has no pod, or there is no PodMonitor for runners"


def _one(metric: str) -> str:
    return one(metric, selector=THIS)


def _runner(metric: str, *, by: str = "") -> str:
    """A runner's metric; two pods of a session are never there together for longer than a scrape takes to notice."""
    labels = "session_namespace, session" + (f", {by}" if by else "")
    return one(metric, by=labels, selector=THIS)


NOW: Final = Section(
    "Now",
    (
        Chart(
            "State",
            "The session's state, as in its status; docs/reference/api.md says what the states mean.",
            Unit.COUNT,
            (Query(one("whatsapp_session_state", by="state", selector=THIS), "{{state}}"),),
            NO_SERIES,
            Shape.NAME,
            width=4,
        ),
        figure(
            "In this state for",
            f"time() - {_one('whatsapp_session_state_since_timestamp_seconds')}",
            "How long the session has been in its state.",
            empty=NO_SERIES,
            unit=Unit.SECONDS,
        ),
        figure(
            "Ready",
            _one("whatsapp_session_ready"),
            "Whether the session can send and receive.",
            empty=NO_SERIES,
            unit=Unit.YES_NO,
            bad_below=1,
        ),
        figure(
            "Linked",
            _one("whatsapp_session_linked"),
            "Whether a phone is linked.",
            empty="Not known yet",
            unit=Unit.YES_NO,
            bad_below=1,
        ),
        Chart(
            "Waits for a person",
            "Why a person has to act; the session's condition Stalled says what to do.",
            Unit.COUNT,
            (Query(one("whatsapp_session_stalled_reason", by="reason", selector=THIS), "{{reason}}"),),
            "No",
            Shape.NAME,
            bad_from=1,
            width=4,
        ),
        Chart(
            "Last failure",
            "The cause of the last failure of its runner; docs/causes.md says what each means.",
            Unit.COUNT,
            (Query(one("whatsapp_session_last_failure_info", by="class", selector=THIS), "{{class}}"),),
            "It never failed",
            Shape.NAME,
            width=4,
        ),
    ),
)

HISTORY: Final = Section(
    "History",
    (
        Chart(
            "States",
            "The states that the session went through, also while it had no pod.",
            Unit.COUNT,
            (Query(one("whatsapp_session_state", by="state", selector=THIS), "{{state}}"),),
            NO_SERIES,
            Shape.TIMELINE,
            width=24,
        ),
        Chart(
            "Pods after the first",
            "How often the session got a new pod, for whatever reason.",
            Unit.COUNT,
            (Query(_one("whatsapp_session_pod_restarts_total"), "restarts"),),
            NO_SERIES,
            width=8,
        ),
        Chart(
            "Failures in a row",
            "As they count for spec.recovery.maxAttempts; ten minutes without one set them back.",
            Unit.COUNT,
            (Query(_one("whatsapp_session_consecutive_failures"), "failures"),),
            NO_SERIES,
            width=8,
        ),
        Chart(
            "Edits that the status does not tell yet",
            "The generation of the object less the one that its status is about: more than 0 for longer is an operator that does not follow.",
            Unit.COUNT,
            (
                Query(
                    f"{_one('whatsapp_session_generation')} - {_one('whatsapp_session_observed_generation')}",
                    "generations",
                ),
            ),
            NO_SERIES,
            width=8,
        ),
    ),
)

MESSAGES: Final = Section(
    "Messages",
    (
        Chart(
            "The oldest that waits",
            "accepted: for its page; paced: for its turn, because the session sends no faster; handed_over: for WhatsApp's word.",
            Unit.SECONDS,
            (
                Query(
                    f"time() - {_runner('whatsapp_runner_messages_oldest_timestamp_seconds', by='progress')}",
                    "{{progress}}",
                ),
            ),
            "Nothing waits, or no runner of this session is scraped",
            width=8,
        ),
        Chart(
            "Wait for their turn",
            "How many messages wait because the session sends no faster; what would wait for more than an hour is refused.",
            Unit.COUNT,
            (Query(_runner("whatsapp_runner_messages_paced"), "messages"),),
            NO_RUNNER,
            width=8,
        ),
        Chart(
            "Accepted and sent",
            "Messages that were stored to be sent, and those that WhatsApp has taken.",
            Unit.PER_SECOND,
            (
                Query(f"sum(rate(whatsapp_runner_messages_accepted_total{{{THIS}}}[{RATE}]))", "accepted"),
                Query(f"sum(rate(whatsapp_runner_messages_sent_total{{{THIS}}}[{RATE}]))", "sent"),
            ),
            NO_RUNNER,
            width=8,
        ),
        Chart(
            "Refused and failed",
            "By the Cloud API's code, in the hour before: refused when they were asked for, or failed later.",
            Unit.COUNT,
            (
                Query(
                    f"sum by (code) (increase(whatsapp_runner_messages_refused_total{{{THIS}}}[1h])) > 0",
                    "refused: {{code}}",
                ),
                Query(
                    f"sum by (code) (increase(whatsapp_runner_messages_failed_total{{{THIS}}}[1h])) > 0",
                    "failed: {{code}}",
                ),
            ),
            "None in this time",
            Shape.AREAS,
            width=8,
        ),
        Chart(
            "Events that wait for webhooks",
            "How many, and how many are not tried any more (dead letters); kubectl whatsapp lists those.",
            Unit.COUNT,
            (
                Query(_runner("whatsapp_runner_webhook_backlog", by="webhook"), "{{webhook}}"),
                Query(_runner("whatsapp_runner_webhook_dead_letters", by="webhook"), "{{webhook}}: dead letters"),
            ),
            "The session has no webhook, or no runner of it is scraped",
            width=8,
        ),
        Chart(
            "The oldest event that waits",
            "For how long each webhook has not got its oldest event.",
            Unit.SECONDS,
            (
                Query(
                    f"time() - {_runner('whatsapp_runner_webhook_oldest_timestamp_seconds', by='webhook')}",
                    "{{webhook}}",
                ),
            ),
            "Nothing waits, or the session has no webhook",
            width=8,
        ),
    ),
)

RUNNER: Final = Section(
    "Runner",
    (
        Chart(
            "Memory",
            "The container's working set, as the kubelet counts it, against its limit.",
            Unit.BYTES,
            (
                Query(_runner("whatsapp_runner_memory_working_set_bytes"), "working set"),
                Query(_runner("whatsapp_runner_memory_limit_bytes"), "limit"),
            ),
            NO_RUNNER,
        ),
        Chart(
            "Memory by part",
            "What of it is the browser's, its driver's and the runner's own.",
            Unit.BYTES,
            (Query(_runner("whatsapp_runner_memory_bytes", by="part"), "{{part}}"),),
            NO_RUNNER,
            Shape.AREAS,
        ),
        Chart(
            "Profile volume",
            "What is free on the volume with the login, and its size.",
            Unit.BYTES,
            (
                Query(_runner("whatsapp_runner_profile_available_bytes"), "available"),
                Query(_runner("whatsapp_runner_profile_capacity_bytes"), "capacity"),
            ),
            NO_RUNNER,
            width=8,
        ),
        Chart(
            "Files that still fit",
            "Free inodes of the profile's volume.",
            Unit.COUNT,
            (Query(_runner("whatsapp_runner_profile_inodes_free"), "inodes"),),
            "The volume's file system counts no inodes, or no runner of this session is scraped",
            width=8,
        ),
        Chart(
            "Answers of the page",
            "How long a look at the page takes; near timeouts.healthCheck the page counts as dead.",
            Unit.SECONDS,
            tuple(
                Query(
                    f"histogram_quantile({q}, sum by (le) (rate(whatsapp_runner_probe_duration_seconds_bucket{{{THIS}}}[{RATE}])))",
                    name,
                )
                for q, name in ((0.5, "median"), (0.95, "95 %"))
            ),
            NO_RUNNER,
            width=8,
        ),
        Chart(
            "Lost connections",
            "How often a connected page lost its connection, in the hour before.",
            Unit.COUNT,
            (Query(f"sum(increase(whatsapp_runner_reconnects_total{{{THIS}}}[1h]))", "reconnects"),),
            NO_RUNNER,
            width=8,
        ),
        Chart(
            "Page fetches that failed",
            "By the reason, in the hour before.",
            Unit.COUNT,
            (
                Query(
                    f"sum by (reason) (increase(whatsapp_runner_page_fetch_failures_total{{{THIS}}}[1h])) > 0",
                    "{{reason}}",
                ),
            ),
            "None in this time",
            Shape.AREAS,
            width=8,
        ),
        Chart(
            "Rounds of QR codes",
            "How many rounds of codes this pod has shown; link.maxRounds ends them.",
            Unit.COUNT,
            (Query(_runner("whatsapp_runner_qr_rounds_total"), "rounds"),),
            NO_RUNNER,
            width=8,
        ),
        Chart(
            "Browser",
            "The version of the browser in the session's pod.",
            Unit.COUNT,
            (Query(_runner("whatsapp_runner_browser_info", by="version"), "{{version}}"),),
            NO_RUNNER,
            Shape.NAME,
            width=8,
        ),
        Chart(
            "Alerts that fire",
            "The shipped alerts about this session.",
            Unit.COUNT,
            (Query(f'ALERTS{{alertname=~"WhatsApp.*", alertstate="firing", {THIS}}}'),),
            "No alert fires",
            Shape.TABLE,
            width=16,
            hides=(
                "Time",
                "__name__",
                "alertstate",
                "Value",
                "instance",
                "job",
                "pod",
                "container",
                "endpoint",
                "operator",
                "operator_namespace",
            ),
        ),
    ),
)

DASHBOARD: Final = Dashboard(
    uid="whatsapp-session",
    title="WhatsApp sessions: session",
    description="One WhatsAppSession: how it is, what happened to it, and what its runner takes.",
    variables=(
        Variable("session_namespace", "Namespace", "whatsapp_session_info"),
        Variable("quota", "Quota", 'whatsapp_session_info{session_namespace=~"$session_namespace"}', several=True),
        Variable(
            "session",
            "Session",
            'whatsapp_session_info{session_namespace=~"$session_namespace", quota=~"$quota"}',
        ),
    ),
    sections=(NOW, HISTORY, MESSAGES, RUNNER),
)
