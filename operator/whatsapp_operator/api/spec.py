"""What a person writes about a session: `spec`, block by block, with the rules that the API server holds it to.

Each default here is the one in effect. Those marked STORED_DEFAULT the API server writes into the object; the others
the operator fills in when it reads (see `base`). A field with a `Variable` is one of the runner's settings: it goes into
the pod's environment under that name (`core.objects.container`).
"""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field
from session_protocol.environment import Variable
from session_protocol.vocabulary import CallHandling, LinkMethod, OnLogout, Presence

from whatsapp_operator.api.base import STORED_DEFAULT, SpecModel
from whatsapp_operator.api.constants import MAX_QUOTA_NAME_LENGTH
from whatsapp_operator.api.fields import AnswerTime, Delay, Duration, Int32
from whatsapp_operator.api.messaging import MessagingSpec
from whatsapp_operator.api.pod_options import PodOptions, name_of
from whatsapp_operator.api.profile import PROFILE_CHANGES, ProfileSpec
from whatsapp_operator.api.proxy import BrowserSpec, ProxySpec
from whatsapp_operator.api.resources import ResourcesSpec
from whatsapp_operator.api.rules import Rule, validations
from whatsapp_operator.api.webhooks import Webhooks


class OperatingMode(StrEnum):
    """Whether the session should have a pod."""

    RUNNING = "Running"
    SUSPENDED = "Suspended"


class LinkSpec(SpecModel):
    """How the session is linked to a phone."""

    method: Annotated[LinkMethod, Variable.LINK_METHOD] = LinkMethod.QR
    """QR shows a code that the phone scans. PairingCode also shows one that is typed into the phone whose number
    phoneNumberSecretName names; where WhatsApp gives none, the QR code remains."""
    phone_number_secret_name: Annotated[str | None, name_of("a Secret")] = None
    """The Secret of this namespace whose entry phoneNumber is the telephone number of the account to link, with the
    country's code, such as +15550100000. Whoever sets it must be allowed to get that Secret. It is mounted into the pod, and
    a change of it counts within two minutes. A phone of another account that is linked anew is unlinked at once; one that
    was linked before stays, and Linked says UnexpectedAccount."""
    max_rounds: Annotated[
        int, Field(ge=1, le=1000, json_schema_extra={"format": "int32"}), Variable.LINK_MAX_ROUNDS
    ] = 5
    """How many rounds of QR codes, of about 160 seconds each, are shown. After the last one the state is LinkExpired:
    the pod is deleted, its reservation in the quota is released, the volume claim stays. No code is shown until somebody
    asks for one with the annotation wasession.dev/relink-at, or suspends the session and resumes it; an edit alone does
    not show one."""
    on_logout: Annotated[OnLogout, Variable.ON_LOGOUT] = OnLogout.RELINK
    """What follows when the phone logs the session out: Relink shows a new QR code, Wait does so only when somebody
    asks for one with the annotation wasession.dev/relink-at. After a ban or a locked account it always waits."""
    presence: Presence = Presence.UNAVAILABLE
    """Unavailable: the phone keeps its notifications, and the account is not shown online, except for a moment every 7 days,
    since WhatsApp unlinks devices that look unused. Available: the account is shown online, as that of a person who looks at
    WhatsApp Web, so the phone may show no notifications. A change reaches the running pod within two minutes."""


class RecoverySpec(SpecModel):
    """What happens when the runner fails.

    What comes from outside of the session (a drain, a node that is lost, short of something or refuses the pod, an image or
    a page that cannot be fetched) is no failure: the pod is replaced at once, or, if it never got to run, after baseDelay,
    doubled each time up to 5m.
    """

    max_attempts: Annotated[int, Field(ge=1, le=100, json_schema_extra={"format": "int32"})] = 5
    """How many failures in a row are answered with a new pod. The next one stalls the session, and its reservation in
    the quota is released, until somebody asks for a restart with the annotation wasession.dev/restart-at or changes the
    spec."""
    base_delay: Delay = timedelta(seconds=5)
    """How long to wait after the first failure before a new pod is created, at most 5m. Each further failure in a row
    doubles the wait, up to 5m."""
    healthy_after: Duration = timedelta(minutes=10)
    """After a pod has run this long without a break, linked or not, earlier failures are forgotten, and the next one
    counts as the first."""


class TimeoutsSpec(SpecModel):
    """How long the runner, the program in the pod, waits for browser, page and connection."""

    startup: Annotated[Duration, Variable.STARTUP_TIMEOUT] = timedelta(seconds=60)
    """From the container's start until the page shows a QR code or its linked session. When this time is over, and the page has
    arrived but is still Loading or LoadError, the runner exits, and recovery creates a new pod. A page that cannot be fetched
    never ends the runner: it is tried again at least once a minute, and has this time anew once it has arrived. A page that is
    Offline keeps retrying. A page that later reloads by itself has this time anew."""
    launch: Annotated[Duration, Variable.LAUNCH_TIMEOUT] = timedelta(seconds=30)
    """For the browser to start; this time is part of startup. When it is over, the runner exits, and recovery creates a new pod."""
    protocol: Annotated[Duration, Variable.PROTOCOL_TIMEOUT] = timedelta(seconds=60)
    """For one command to the browser, such as showing new QR codes. When it is over, that command has failed. More than a fifth
    of healthCheck counts as a fifth of it."""
    connection_check: Annotated[Duration, Variable.CONNECTION_CHECK_TIMEOUT] = timedelta(seconds=30)
    """How long a session whose connection was lost is Reconnecting, before its state becomes Offline, Conflict or Degraded. The
    page keeps trying to connect."""
    health_check: Annotated[AnswerTime, Variable.HEALTH_CHECK_TIMEOUT] = timedelta(seconds=45)
    """How long the page may leave a question unanswered before it counts as dead: the runner then closes the browser and
    exits, and recovery creates a new pod. A page that is merely busy has all of this time, and the message says since when
    it has not answered. A healthy page is asked every few seconds. At least 3s."""


_ONE = Rule("self == 1", "a session has exactly one pod: to stop it set spec.operatingMode to Suspended")


class SessionSpec(SpecModel):
    """What the session should be."""

    model_config = ConfigDict(json_schema_extra=validations(*PROFILE_CHANGES))

    operating_mode: Annotated[OperatingMode, STORED_DEFAULT] = OperatingMode.RUNNING
    """Running gives the session a pod; Suspended takes the pod away, keeps the profile, and releases its reservation
    in the quota."""
    replicas: Annotated[
        int, Field(ge=1, le=1, json_schema_extra={"format": "int32", **validations(_ONE)}), STORED_DEFAULT
    ] = 1
    """Always 1. It exists for the scale subresource, by which one PodDisruptionBudget can stand for all sessions; to
    stop a session set operatingMode to Suspended."""
    quota_name: Annotated[str, name_of("a WhatsAppSessionQuota", longest=MAX_QUOTA_NAME_LENGTH), STORED_DEFAULT] = (
        "default"
    )
    """The WhatsAppSessionQuota that the session counts against; while none of that name exists, the session waits.
    Cannot be changed while the session is admitted: suspend it first."""
    priority: Annotated[Int32, STORED_DEFAULT] = 0
    """Which of the namespace's sessions that wait for room in the quota is admitted first: the one with the highest priority, of
    equal ones the one created first. Sessions of other namespaces keep their places in the queue, and no admitted session
    makes room for another one."""
    resources: ResourcesSpec = ResourcesSpec()
    """Memory, CPU and disk of the node for the session's pod. Whatever is left out has a default, so that the pod always has
    requests and limits. A change takes effect with the next pod."""
    profile: ProfileSpec = ProfileSpec()
    """The volume with the browser's profile, which holds the login: without it the phone has to be linked again."""
    link: LinkSpec = LinkSpec()
    """How the session is linked to a phone. A change takes effect with the next pod."""
    proxy: ProxySpec | None = None
    """The proxy through which the session reaches WhatsApp. A change takes effect with the next pod, a changed login in the
    Secret within two minutes. Default: none."""
    browser: BrowserSpec = BrowserSpec()
    """What the page learns of its surroundings: language and time zone. A change takes effect with the next pod."""
    messaging: MessagingSpec = MessagingSpec()
    """How the session sends messages, and which it marks as read. A change reaches the running pod within two minutes."""
    webhooks: Webhooks = ()
    """Where events of the session are sent. A change reaches the running pod within two minutes; a Secret that the pod does
    not have yet needs the next pod."""
    calls: CallHandling = CallHandling.IGNORE
    """What becomes of calls that come in. Ignore lets them ring on the phone; Reject ends them at once, on the phone, too.
    Either way webhooks that name the event call get one. A change reaches the running pod within two minutes."""
    recovery: RecoverySpec = RecoverySpec()
    """What happens when the runner, the program in the pod, fails. A change takes effect at once."""
    timeouts: TimeoutsSpec = TimeoutsSpec()
    """How long the runner, the program in the pod, waits for browser, page and connection. A change takes effect
    with the next pod."""
    pod: PodOptions = PodOptions()
    """What else the pod should have. A change takes effect with the next pod; the annotation
    wasession.dev/restart-at replaces the pod now."""
