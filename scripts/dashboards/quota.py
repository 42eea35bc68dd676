"""One quota: what is used of it, who waits, and who holds a reservation without running."""

from typing import Final

from dashboards.charts import Chart, Dashboard, Query, Section, Shape, Unit, Variable, figure, one

THIS: Final = 'quota="$quota"'
NO_STATUS: Final = "The quota has no status yet"
UNLIMITED: Final = "The quota does not limit this"


def _one(metric: str) -> str:
    return one(metric, by="quota", selector=THIS)


_MEMBERS: Final = f" * on (session_namespace, session) group_left () {one('whatsapp_session_info', selector=THIS)}"
_STATES: Final = f"max by (session_namespace, session, state) (whatsapp_session_state){_MEMBERS}"
_AGES: Final = (
    "(time() - max by (session_namespace, session) (whatsapp_session_state_since_timestamp_seconds))"
    f" * on (session_namespace, session) group_left (state) ({_STATES})"
)


def _against_limit(title: str, description: str, unit: Unit, used: str, limit: str) -> Chart:
    queries = (Query(_one(used), "reserved"), Query(_one(limit), "limit"))
    return Chart(title, description, unit, queries, NO_STATUS, width=8)


DASHBOARD: Final = Dashboard(
    uid="whatsapp-quota",
    title="WhatsApp sessions: quota",
    description="One WhatsAppSessionQuota: what is used of it, who waits for it, and who holds it without running.",
    variables=(Variable("quota", "Quota", "whatsapp_quota_sessions"),),
    sections=(
        Section(
            "Now",
            (
                figure(
                    "Sessions reserved",
                    _one("whatsapp_quota_sessions"),
                    "Sessions with a reservation in this quota.",
                    empty=NO_STATUS,
                ),
                figure(
                    "Sessions of the limit",
                    f"{_one('whatsapp_quota_sessions')} / {_one('whatsapp_quota_sessions_limit')}",
                    "The part of the sessions that is reserved.",
                    empty=UNLIMITED,
                    unit=Unit.RATIO,
                    bad_from=0.9,
                ),
                figure(
                    "Memory of the limit",
                    f"{_one('whatsapp_quota_memory_bytes')} / {_one('whatsapp_quota_memory_limit_bytes')}",
                    "The part of the memory that is reserved.",
                    empty=UNLIMITED,
                    unit=Unit.RATIO,
                    bad_from=0.9,
                ),
                figure(
                    "Queued",
                    _one("whatsapp_quota_pending_sessions"),
                    "Sessions that wait for room.",
                    empty=NO_STATUS,
                    bad_from=1,
                ),
                figure(
                    "Longest wait",
                    f"time() - {_one('whatsapp_quota_oldest_pending_timestamp_seconds')}",
                    "How long the session that has been Queued for longest has been so.",
                    empty="No session is Queued",
                    unit=Unit.SECONDS,
                    bad_from=600,
                ),
                figure(
                    "Reserved, not running",
                    _one("whatsapp_quota_not_running_sessions"),
                    "Sessions that hold a reservation and have had no running pod for more than a minute.",
                    empty=NO_STATUS,
                    bad_from=1,
                ),
            ),
        ),
        Section(
            "Use",
            (
                _against_limit(
                    "Sessions",
                    "Reserved sessions against the limit; without a limit there is one line.",
                    Unit.COUNT,
                    "whatsapp_quota_sessions",
                    "whatsapp_quota_sessions_limit",
                ),
                _against_limit(
                    "Memory",
                    "Reserved memory against the limit; without a limit there is one line.",
                    Unit.BYTES,
                    "whatsapp_quota_memory_bytes",
                    "whatsapp_quota_memory_limit_bytes",
                ),
                Chart(
                    "Storage",
                    "Reserved storage of the profiles against the limit.",
                    Unit.BYTES,
                    (
                        Query(_one("whatsapp_quota_storage_bytes"), "reserved"),
                        Query(_one("whatsapp_quota_storage_limit_bytes"), "limit"),
                    ),
                    UNLIMITED,
                    width=8,
                ),
            ),
        ),
        Section(
            "Sessions",
            (
                Chart(
                    "Sessions by state",
                    "How many sessions of this quota are in each state.",
                    Unit.COUNT,
                    (Query(f"count by (state) ({_STATES})", "{{state}}"),),
                    "No session names this quota, or sessions have no series of their own",
                    Shape.AREAS,
                ),
                Chart(
                    "All sessions",
                    "Every session of this quota, its state, and for how long it has been in it.",
                    Unit.SECONDS,
                    (Query(_AGES),),
                    "No session names this quota, or sessions have no series of their own",
                    Shape.TABLE,
                    hides=("Time",),
                    links_to_session=True,
                ),
                Chart(
                    "Queued and not running",
                    "Sessions that wait, and sessions that hold a reservation without a running pod.",
                    Unit.COUNT,
                    (
                        Query(_one("whatsapp_quota_pending_sessions"), "queued"),
                        Query(_one("whatsapp_quota_not_running_sessions"), "reserved, not running"),
                    ),
                    NO_STATUS,
                    width=24,
                ),
            ),
        ),
    ),
)
