"""What a log line of either program may hold: one name, one type and one meaning for each field.

`logs` writes the lines, `docs/reference/log-lines.md` and `schemas/log-line.schema.json` are made from here
(`scripts/log_lines.py`), and a test holds every log call of the source to these names. So whoever collects the lines of
operator and runners needs one mapping, and a field never changes its type from one line to another.

A field that is not known is absent: no line says null. Units are in the names.
"""

from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
_Text = Annotated[str, Meta(min_length=1)] | UnsetType
_Count = Annotated[int, Meta(ge=0)] | UnsetType
_Seconds = Annotated[float, Meta(ge=0)] | UnsetType

HEAD: Final = ("time", "level", "logger", "message")
""" What every line begins with. """


class LogLine(Struct, kw_only=True, forbid_unknown_fields=True):
    """A line of the operator's or a runner's log."""

    time: Annotated[
        str,
        Meta(
            description="RFC 3339 in UTC with milliseconds",
            pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
        ),
    ]
    level: Annotated[Level, Meta(description="libraries log from WARNING on")]
    logger: Annotated[str, Meta(description="the module that logs", min_length=1)]
    message: Annotated[
        str, Meta(description="of our own lines one of the constant texts below; what varies is in fields")
    ]

    session: Annotated[_Text, Meta(description="the session's name")] = UNSET
    namespace: Annotated[_Text, Meta(description="the session's namespace, or the one that the line is about")] = UNSET
    state: Annotated[_Text, Meta(description="the session's state, as in its status")] = UNSET
    previous_state: Annotated[_Text, Meta(description="the state before")] = UNSET
    reason: Annotated[_Text, Meta(description="why, in one word, as in conditions, exit codes and metrics")] = UNSET
    why: Annotated[_Text, Meta(description="why, in a sentence")] = UNSET
    error: Annotated[
        _Text, Meta(description="what went wrong, as the library, the system or the API server puts it")
    ] = UNSET
    duration_seconds: Annotated[_Seconds, Meta(description="how long it took, or how long the state before lasted")] = (
        UNSET
    )

    about: Annotated[
        _Text, Meta(description="of a call to the API server: what it is for, where that is no session")
    ] = UNSET
    action: Annotated[_Text, Meta(description="the kind of request that changed something in the cluster")] = UNSET
    advice: Annotated[_Text, Meta(description="what to look at in the settings")] = UNSET
    ahead_seconds: Annotated[int | UnsetType, Meta(description="how far the machine's clock was set")] = UNSET
    call: Annotated[_Text, Meta(description="the call to the API server: verb, kind and name")] = UNSET
    clean: Annotated[bool | UnsetType, Meta(description="whether the browser closed in order")] = UNSET
    count: Annotated[_Count, Meta(description="how many, of what the message names")] = UNSET
    events: Annotated[_Count, Meta(description="Kubernetes events")] = UNSET
    exit_code: Annotated[_Count, Meta(description="of the runner")] = UNSET
    failed: Annotated[_Count, Meta(description="sessions that are Stalled, or are being recovered after a failure")] = (
        UNSET
    )
    fields: Annotated[list[str] | UnsetType, Meta(description="of a status")] = UNSET
    healthy: Annotated[_Count, Meta(description="sessions that are Ready")] = UNSET
    holder: Annotated[_Text, Meta(description="who holds the Lease")] = UNSET
    host: Annotated[_Text, Meta(description="that the page asked for")] = UNSET
    key_id: Annotated[_Text, Meta(description="the name of a key; never the key")] = UNSET
    kind: Annotated[_Text, Meta(description="the plural of a resource's name")] = UNSET
    lease: Annotated[_Text, Meta(description="the Lease's name")] = UNSET
    logout_reason: Annotated[_Text, Meta(description="as the page gives it")] = UNSET
    lost: Annotated[_Text, Meta(description="what of the keys was lost, in words")] = UNSET
    names: Annotated[list[str] | UnsetType, Meta(description="of processes")] = UNSET
    object: Annotated[
        _Text, Meta(description="an object's name, for kopf and other namespaces with what tells it apart")
    ] = UNSET
    order: Annotated[_Text, Meta(description="the script that the page was to carry out")] = UNSET
    path: Annotated[_Text, Meta(description="of a file, or of a request")] = UNSET
    pod: Annotated[_Text, Meta(description="the session's pod")] = UNSET
    port: Annotated[_Count, Meta(description="that is served")] = UNSET
    pruned: Annotated[
        _Count, Meta(description="files of the profile that were deleted; the browser makes new ones")
    ] = UNSET
    quota: Annotated[_Text, Meta(description="the quota's name")] = UNSET
    remark: Annotated[_Text, Meta(description="beside every state")] = UNSET
    resting: Annotated[_Count, Meta(description="sessions that are suspended")] = UNSET
    retry_seconds: Annotated[_Seconds, Meta(description="until it is tried again")] = UNSET
    role: Annotated[_Text, Meta(description="of the operator's process: standby, syncing, acting, stopping")] = UNSET
    round: Annotated[_Count, Meta(description="of QR codes")] = UNSET
    sandbox: Annotated[bool | UnsetType, Meta(description="whether Chromium has a sandbox of its own")] = UNSET
    secret: Annotated[_Text, Meta(description="the name of a Secret; never its content")] = UNSET
    sessions: Annotated[_Count, Meta(description="all sessions of this operator")] = UNSET
    signal: Annotated[_Text, Meta(description="the signal that ends the process")] = UNSET
    stacks: Annotated[_Text, Meta(description="files, lines and functions of all threads; no values")] = UNSET
    status: Annotated[_Count, Meta(description="the exit status of the process")] = UNSET
    step: Annotated[_Text, Meta(description="the rule that matched")] = UNSET
    text: Annotated[_Text, Meta(description="what another program wrote")] = UNSET
    uptime_seconds: Annotated[_Seconds, Meta(description="since the process began")] = UNSET
    user_namespace: Annotated[bool | UnsetType, Meta(description="whether the pod has one of its own")] = UNSET
    version: Annotated[_Text, Meta(description="of the operator, or of the browser")] = UNSET
    waiting: Annotated[_Count, Meta(description="sessions that are not Ready, and neither failed nor suspended")] = (
        UNSET
    )
    webhook: Annotated[_Text, Meta(description="a webhook's name; never its address")] = UNSET
    way: Annotated[_Text, Meta(description="how a new round of QR codes was asked for")] = UNSET

    template: Annotated[
        _Text, Meta(description="a message that could not be written, before anything was filled in")
    ] = UNSET
    where: Annotated[_Text, Meta(description="file and line of that")] = UNSET
    exc_info: Annotated[_Text, Meta(description="a traceback, on the same line; its end is kept when it is long")] = (
        UNSET
    )
    stack_info: Annotated[_Text, Meta(description="the same of a line without an error")] = UNSET
    extra: Annotated[dict[str, Any] | UnsetType, Meta(description="what a library attached to a line of its own")] = (
        UNSET
    )


FIELDS: Final = LogLine.__struct_fields__
