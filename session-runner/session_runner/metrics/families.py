"""The rows of the runner's metrics; docs/reference/metrics.md is made from them.

No label names a session, a person or a number: a runner has one session, and whoever scrapes it adds the labels of its
pod.
"""

from collections.abc import Mapping
from typing import Final

from session_protocol.metric_family import MetricFamily, MetricType

_PREFIX: Final = "whatsapp_runner_"
_NOT_MEASURED: Final = "while the volume cannot be measured"


def _row(
    kind: MetricType, name: str, meaning: str, labels: Mapping[str, str] | None = None, *, absent: str = ""
) -> MetricFamily:
    return MetricFamily(name=_PREFIX + name, type=kind, meaning=meaning, labels=labels or {}, absent=absent)


STATE: Final = _row(
    MetricType.GAUGE,
    "state",
    "1 for the state that the session is in, 0 for all others",
    {"state": "each [state](runner-api.md#states) that a runner reports"},
)
STATE_SINCE: Final = _row(
    MetricType.GAUGE,
    "state_since_timestamp_seconds",
    "When the state became what it is; the runner's start at the latest",
)
CHANGES: Final = _row(MetricType.COUNTER, "state_changes_total", "Changes of the published state")
RECONNECTS: Final = _row(
    MetricType.COUNTER,
    "reconnects_total",
    "Times that a page that was up lost its connection and tried to connect again",
)
PROBE_SECONDS: Final = _row(
    MetricType.HISTOGRAM, "probe_duration_seconds", "How long the page took to answer one probe"
)
PROBE_TIME: Final = _row(
    MetricType.GAUGE, "last_probe_timestamp_seconds", "When the page last answered", absent="until it has answered"
)
ROUNDS: Final = _row(MetricType.COUNTER, "qr_rounds_total", "Rounds of QR codes asked for after the first")
BLOCKED: Final = _row(
    MetricType.COUNTER,
    "blocked_requests_total",
    "Requests of the page to hosts that are not allowed; each was refused",
)
FETCH_FAILURES: Final = _row(
    MetricType.COUNTER,
    "page_fetch_failures_total",
    "Times that the page or a script of it could not be fetched",
    {"reason": "the reason of the state LoadError or ProxyError"},
    absent="for a reason that there was not yet",
)
LOADS: Final = _row(MetricType.COUNTER, "page_loads_total", "Documents the page has loaded, its own reloads included")
BROWSER_STARTS: Final = _row(
    MetricType.COUNTER, "browser_starts_total", "Browsers that were started; a browser that dies ends its pod"
)
BROWSER: Final = _row(
    MetricType.GAUGE,
    "browser_info",
    "1 for the version of the browser",
    {"version": "as the browser says it"},
    absent="until the browser was asked",
)
BAD_REQUESTS: Final = _row(
    MetricType.COUNTER,
    "http_bad_requests_total",
    "Requests to the API that could not be read; nothing of them is logged",
)
CLOSED: Final = _row(
    MetricType.COUNTER,
    "http_connections_closed_total",
    "Connections to the API that were closed for going beyond a limit",
    {"reason": "`slow_head`, `slow_body`, `long_head`, `long_body`, `slow_reader`, `peer_limit`, `connection_limit`"},
)
EVENTS: Final = _row(
    MetricType.COUNTER, "events_total", "Events of messages, their statuses, calls and the session's state"
)
READING_STOPPED: Final = _row(
    MetricType.GAUGE,
    "message_reading_stopped",
    "1 while so many events wait for webhooks that no more messages are read from the page",
)
UNREADABLE: Final = _row(
    MetricType.COUNTER,
    "unreadable_messages_total",
    "Things in the page's store that are no message as the runner knows them",
)
STREAMS: Final = _row(MetricType.GAUGE, "event_streams", "Streams of events that are open")
AVAILABLE: Final = _row(
    MetricType.GAUGE,
    "profile_available_bytes",
    "Bytes free on the profile volume, for the runner",
    absent=_NOT_MEASURED,
)
CAPACITY: Final = _row(
    MetricType.GAUGE, "profile_capacity_bytes", "Bytes that the profile volume holds", absent=_NOT_MEASURED
)
INODES: Final = _row(
    MetricType.GAUGE,
    "profile_inodes_free",
    "Files that can still be made on the profile volume",
    absent=f"{_NOT_MEASURED}, or does not count files",
)
MEMORY: Final = _row(
    MetricType.GAUGE,
    "memory_bytes",
    "Proportional set size of python, driver and browser",
    {"part": "`python`, `driver`, `browser`"},
)
WORKING_SET: Final = _row(
    MetricType.GAUGE,
    "memory_working_set_bytes",
    "The container's memory as the kubelet counts it: what is used, without files that may be dropped",
    absent="where it cannot be read",
)
MEMORY_LIMIT: Final = _row(
    MetricType.GAUGE,
    "memory_limit_bytes",
    "How much memory the container may use before the kernel kills in it",
    absent="without a limit, or where it cannot be read",
)
WEBHOOK_BACKLOG: Final = _row(
    MetricType.GAUGE,
    "webhook_backlog",
    "Events that a webhook still has to get",
    {"webhook": "the webhook's name"},
    absent="without webhooks",
)
WEBHOOK_OLDEST: Final = _row(
    MetricType.GAUGE,
    "webhook_oldest_timestamp_seconds",
    "When the oldest event was stored that a webhook still has to get",
    {"webhook": "the webhook's name"},
    absent="while there is none",
)
WEBHOOK_DEAD: Final = _row(
    MetricType.GAUGE,
    "webhook_dead_letters",
    "Events that a webhook refused, or did not take for three days",
    {"webhook": "the webhook's name"},
    absent="without webhooks",
)
WEBHOOK_DELIVERIES: Final = _row(
    MetricType.COUNTER,
    "webhook_deliveries_total",
    "Tries to deliver an event to a webhook",
    {
        "webhook": "the webhook's name",
        "code": "`2xx`, `3xx`, `4xx`, `5xx`, `none` (no answer), `refused` (the address is not allowed)",
    },
    absent="for an answer that there was not yet",
)

MESSAGES_ACCEPTED: Final = _row(
    MetricType.COUNTER,
    "messages_accepted_total",
    "Messages that were stored to be sent",
    {"kind": "`text`, `reaction`, `edit` and so on"},
    absent="for a kind that there was not yet",
)
MESSAGES_REFUSED: Final = _row(
    MetricType.COUNTER,
    "messages_refused_total",
    "Messages that were refused when they were asked for",
    {"code": "the Cloud API's [code](../http-api.md#errors)"},
    absent="for a code that there was not yet",
)
MESSAGES_SENT: Final = _row(MetricType.COUNTER, "messages_sent_total", "Messages that WhatsApp has taken")
MESSAGES_FAILED: Final = _row(
    MetricType.COUNTER,
    "messages_failed_total",
    "Messages that were accepted and failed",
    {"code": "the Cloud API's [code](../http-api.md#what-becomes-of-a-message)"},
    absent="for a code that there was not yet",
)
MESSAGES_OLDEST: Final = _row(
    MetricType.GAUGE,
    "messages_oldest_timestamp_seconds",
    "Since when the oldest message has come no further",
    {
        "progress": "`accepted`: the page is to get it; `paced`: it waits for its turn, because the session sends no faster; "
        "`handed_over`: WhatsApp has said nothing of it"
    },
    absent="while there is none",
)
MESSAGES_PACED: Final = _row(
    MetricType.GAUGE, "messages_paced", "Messages that wait for their turn, because the session sends no faster"
)

FAMILIES: Final = (
    STATE, STATE_SINCE, CHANGES, RECONNECTS, PROBE_SECONDS, PROBE_TIME, ROUNDS, BLOCKED, FETCH_FAILURES, LOADS,
    BROWSER_STARTS, BROWSER, MEMORY, WORKING_SET, MEMORY_LIMIT, AVAILABLE, CAPACITY, INODES, BAD_REQUESTS, CLOSED,
    WEBHOOK_BACKLOG, WEBHOOK_OLDEST, WEBHOOK_DEAD, WEBHOOK_DELIVERIES,
    MESSAGES_ACCEPTED, MESSAGES_REFUSED, MESSAGES_SENT, MESSAGES_FAILED, MESSAGES_OLDEST, MESSAGES_PACED,
    EVENTS, READING_STOPPED, UNREADABLE, STREAMS,
)  # fmt: skip
""" All of them, in the order of the reference. """
