"""All settings of the operator: environment variables, each with its meaning, unit, default and consequence.

Read once at start, by `main`. `make generate` writes docs/reference/settings.md from this class, and a test compares
the two. A bad value ends the process with a message that names the variable and says what would be right.
"""

import re
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from session_protocol.durations import format_duration, parse_duration
from session_protocol.hosts import WHATSAPP_HOSTS, WHATSAPP_WEB_URL

from whatsapp_operator.api.constants import CLIENT_NAME, KEYS_SUFFIX
from whatsapp_operator.app import peers
from whatsapp_operator.app.hosts import allowed_hosts, page_host
from whatsapp_operator.app.tokens import read_token
from whatsapp_operator.core.model import Allowed, Defaults
from whatsapp_operator.core.network import RunnerNetwork
from whatsapp_operator.runtime.metrics import SESSIONS_LIMIT
from whatsapp_operator.runtime.process.lease import LeaseTimes

_ALONE = (
    "WATCH_NAMESPACES is set and INSTANCE is not: quotas are counted over these namespaces alone. That is right for the "
    "only operator of a cluster. If there is another one, both would admit up to each limit and overwrite each other's "
    "quota status: give one of them an INSTANCE, and label its namespaces and quotas wasession.dev/instance with that name."
)
SHORTEST_TOKEN = 16
_PROFILE_PATH = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


class BadSettings(Exception):
    """A setting is missing or wrong; the message names each and says what would be right."""


def _positive(length: timedelta) -> timedelta:
    if length <= timedelta():
        raise ValueError("should be longer than zero, such as 10s")
    return length


def _names(given: object) -> object:
    if not isinstance(given, str):
        return given
    return tuple(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))


def _label(name: str) -> str:
    if not _LABEL.fullmatch(name):
        raise ValueError("should be a DNS label: lower case letters, digits and '-'")
    return name


def _optional_label(name: str) -> str:
    return _label(name) if name else name


def _within_a_minute(length: timedelta) -> timedelta:
    if length > timedelta(minutes=1):
        raise ValueError("should be at most 1m: what a watch missed stays wrong until the next resync")
    return length


def _from_ten_seconds_to_a_day(length: timedelta) -> timedelta:
    if not timedelta(seconds=10) <= length <= timedelta(days=1):
        raise ValueError("should be from 10s to 24h: 10m is the default")
    return length


def _profile_path(path: str) -> str:
    if not _PROFILE_PATH.fullmatch(path) or ".." in path.split("/"):
        raise ValueError(
            "should be a path below the kubelet's seccomp folder, such as whatsapp-session-operator/chromium-sandbox.json"
        )
    return path


def _page(url: str) -> str:
    page_host(url)
    return url


def _images(entries: tuple[str, ...]) -> tuple[str, ...]:
    for entry in entries:
        if "*" in entry or "://" in entry or re.search(r"\s", entry):
            raise ValueError(
                "should name registries or images such as registry.example.com/team/ or "
                "registry.example.com/team/whatsapp-runner, without blanks, * and https://"
            )
    return entries


def _hosts(text: str) -> str:
    allowed_hosts(text)
    return text


def _scrapers(text: str) -> str:
    peers.scrapers(text)
    return text


def _egress(text: str) -> str:
    peers.egress(text)
    return text


Length = Annotated[timedelta, BeforeValidator(parse_duration), AfterValidator(_positive)]
Name = Annotated[str, AfterValidator(_label)]


class Settings(BaseSettings):
    """What can be set. The variable's name is the field's in capitals."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", use_attribute_docstrings=True, env_ignore_empty=True, case_sensitive=False
    )

    runner_image: str
    """The image of the session runner, for every session that does not name one. There is no default: the manifests set it to
    the image of the same release."""
    runner_image_pull_policy: Annotated[str, Field(pattern="^(Always|IfNotPresent|Never)$")] = "IfNotPresent"
    """When a node fetches the runner's image: Always, IfNotPresent or Never. Never needs images loaded by hand."""
    runner_log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    """How much runners log: debug, info, warning or error. debug doubles the volume of logs."""
    runner_user: Annotated[int, Field(ge=1, lt=2**31)] = 10001
    """The user and group that runners run as, and that owns a profile's files. Changing it makes storage drivers
    change the owner of every file at the next start."""
    whatsapp_web_url: Annotated[str, AfterValidator(_page)] = WHATSAPP_WEB_URL
    """The page that runners open. Must be https, because the page only works in a secure context, and its host must be
    in `ALLOWED_HOSTS`. Pods made afterwards use it."""
    allowed_hosts: Annotated[str, AfterValidator(_hosts)] = WHATSAPP_HOSTS
    """Hosts that the page may reach, by comma; `*.` stands for any subdomain. No other host resolves in the runners'
    browsers, addresses included. Pods made afterwards use it."""
    allowed_images: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names), AfterValidator(_images)] = ()
    """What sessions may name as their image, by comma: a registry or a part of a path (`registry.example.com/team/`), an
    image with any tag, or one with its tag or digest. `RUNNER_IMAGE` is always allowed. Empty: any image, for whoever may
    create pods. A session with another image gets no new pod and says so; a running pod stays."""
    allowed_priority_classes: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = ()
    """The priority classes that sessions may name, by comma. Empty: any that does not begin with `system-`."""
    allowed_annotations: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = ()
    """The annotations that sessions may give their pods, by comma: keys, or their beginnings with a `/` at the end
    (`cluster-autoscaler.kubernetes.io/`). Labels of an injector need to be named here, too; other labels do not. Empty:
    any but those of known injectors (istio, linkerd, vault, consul, dapr, identities of the clouds and others) and of container runtimes."""
    extra_ca_file: Path | None = None
    """A PEM file with further certificate authorities that runners trust. It goes into each session's Secret; pods made
    afterwards use it."""
    network_policies: bool = True
    """Whether each namespace with sessions gets a NetworkPolicy: runners are reached by the operator, by pods of their
    namespace with the label `wasession.dev/client: "true"` and by namespaces with the label
    `wasession.dev/scrapes-metrics: "true"`, and reach DNS and public addresses on port 443. false: the operator makes
    none, and deletes those that it made."""
    network_policy_scrapers: Annotated[str, AfterValidator(_scrapers)] = ""
    """Who else may connect to runners, to read their metrics, where the label `wasession.dev/scrapes-metrics: "true"` on a
    namespace is not wanted: namespaces by comma, each with labels if need be, such as
    `monitoring/app.kubernetes.io/name=prometheus` (several labels: joined by `&`). The operator itself is opened by that
    label alone."""
    network_policy_egress: Annotated[str, AfterValidator(_egress)] = ""
    """Where else runners may connect to: addresses or pods by comma, each with its port, such as `10.1.2.3:3128`,
    `10.1.0.0/16:3128`, `[fd00::/64]:3128` or `proxies/app=squid:3128`. For a proxy or a page of your own. `/udp` after
    the port means UDP, for DNS that does not listen on port 53: `openshift-dns:5353,openshift-dns:5353/udp`."""
    webhook_destinations: Annotated[str, AfterValidator(_egress)] = ""
    """Where webhooks may go, and the files of messages be fetched from, beside public addresses on port 443: addresses or
    pods by comma, each with its port, as in NETWORK_POLICY_EGRESS: `10.1.0.0/16:8080`, `automation/app=n8n:5678`. Of a namespace it opens the Services, by their names
    (`n8n.automation.svc`), on the port of its pods. Runners check it at each connection, and each namespace's NetworkPolicy
    opens the same."""
    browser_sandbox: bool = False
    """true: Chromium puts each page into a sandbox of its own. The nodes need the seccomp profile first, which
    manifests/components/browser-sandbox puts there. A pod on a node without it is ended after a minute and tried again.
    Pods made afterwards use it."""
    browser_seccomp_profile: Annotated[str, AfterValidator(_profile_path), Field(max_length=253)] = (
        "whatsapp-session-operator/chromium-sandbox.json"
    )
    """Where that profile is, below the kubelet's seccomp folder (/var/lib/kubelet/seccomp). Used with BROWSER_SANDBOX
    alone."""
    user_namespaces: bool = False
    """true: each pod has a user namespace (`hostUsers: false`), so that its users are nobody on the node. It takes
    Kubernetes 1.33, containerd 2 with runc 1.2 or CRI-O with crun, and a kernel that can map the volumes' owners. A pod
    on a node that cannot is ended after a minute and tried again. Pods made afterwards use it."""
    pod_start_timeout: Annotated[Length, AfterValidator(_from_ten_seconds_to_a_day)] = Defaults.pod_start_timeout
    """How long a session may hold its place in its quota while it is said why its pod cannot run: an image that cannot be
    pulled, no node that fits, a creation that is refused. Then the pod is deleted, and the session asks for a place again
    in its turn: a tenth of this time later, then twice as long, up to this time. Three times as long where nobody says
    why, because an image may still be pulled or a volume made; six times as long for a session with a linked phone.
    At least 10s."""
    watch_namespaces: Annotated[tuple[Name, ...], NoDecode, BeforeValidator(_names)] = ()
    """The namespaces whose sessions are this operator's, by comma. Empty: all, except those that carry another
    instance's label. It alone makes no room for a second operator: each counts quotas over its own namespaces only, so
    two would exceed every limit and overwrite each other's figures. Where there is a second one, give it an INSTANCE."""
    instance: Annotated[str, AfterValidator(_optional_label), Field(max_length=40)] = ""
    """A name that sets this operator apart from others in the cluster. It takes the namespaces and quotas that carry the
    label `wasession.dev/instance` with this name, and no others; its Lease and key Secret carry the name too. Empty: it
    takes those without the label."""
    operator_namespace: Annotated[str, AfterValidator(_optional_label)] = ""
    """The operator's own namespace, for its Lease and its key Secret. Empty: the one of the pod it runs in."""
    pod_name: str = ""
    """The operator's pod, as the Lease and events name it. Empty: the host name."""
    resync_interval: Annotated[Length, AfterValidator(_within_a_minute)] = timedelta(seconds=60)
    """How often everything is listed again, at most 60s. Shorter: what a watch missed is noticed sooner, and the API
    server has more to do. After three intervals without success `/healthz` fails, after five the process ends."""
    workers: Annotated[int, Field(ge=1, le=64)] = 8
    """How many sessions are reconciled at the same time. More: faster after a node loss, more requests at once."""
    list_page_size: Annotated[int, Field(ge=10, le=5000)] = 500
    """Objects per page when everything is listed, at most: a page of more than 2 MB is asked for again with fewer.
    Smaller pages need less memory at once and more requests."""
    request_timeout: Length = timedelta(seconds=30)
    """How long one request to the API server may take. The Lease has its own, shorter one."""
    lease_duration: Length = timedelta(seconds=10)
    """After this time without a renewal by the acting operator another one takes over."""
    lease_renew_deadline: Length = timedelta(seconds=7)
    """After this time without a renewal the acting operator ends itself. Shorter than the duration."""
    lease_renew_interval: Length = timedelta(seconds=2)
    """How often the Lease is renewed. Each renewal is one write to the API server."""
    lease_request_timeout: Length = timedelta(seconds=3)
    """How long one request about the Lease may take. Together with the interval not longer than the deadline."""
    event_loop_timeout: Length = timedelta(seconds=60)
    """After this time without a sign of life of its event loop the operator ends itself. It keeps the Lease meanwhile, so
    that work that takes long gives no other operator a turn."""
    http_address: str = "0.0.0.0"  # noqa: S104 -- the kubelet and Prometheus come from outside of the pod
    """The address that `/healthz`, `/readyz` and `/metrics` are served on."""
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Their port. 0: any free one, which the log names."""
    metrics_token_file: Path | None = None
    """A file with the bearer token that `/metrics` of the operator needs, at least 16 characters. It is read at each
    scrape, so a replaced one counts at once. Unset: everybody who reaches the port may read the metrics."""
    metrics_sessions_limit: Annotated[int, Field(ge=0, le=100_000)] = SESSIONS_LIMIT
    """How many sessions have series of their own in `/metrics`, 16 at most each. Of more sessions than that, each namespace
    keeps an equal share, its oldest; `whatsapp_operator_sessions_without_metrics` says how many have none. 0: none has.
    Sums over all sessions are not limited."""
    runner_metrics_need_token: bool = False
    """Whether `/metrics` of the runners needs a token of the scope `state`. Pods made afterwards use it; switching it on or
    off restarts running sessions like any other change of their template."""
    shutdown_timeout: Length = timedelta(seconds=8)
    """How long the operator may take to stop after SIGTERM; then the process is ended. Below the pod's grace period."""
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    """How much the operator logs: debug, info, warning or error. debug logs every decision."""

    def advice(self) -> tuple[str, ...]:
        """Return what is allowed but may not be intended, with what to do about it; logged at the start."""
        alone = bool(self.watch_namespaces) and not self.instance
        return (_ALONE,) if alone else ()

    @model_validator(mode="after")
    def _lease_times_fit(self) -> "Settings":
        self.lease_times()
        return self

    @model_validator(mode="after")
    def _metrics_token_is_there(self) -> "Settings":
        path = self.metrics_token_file
        if path is not None and len(read_token(path)) < SHORTEST_TOKEN:
            raise ValueError(
                f"METRICS_TOKEN_FILE: {path} holds no token that can be read, of at least {SHORTEST_TOKEN} characters"
            )
        return self

    @model_validator(mode="after")
    def _page_is_allowed(self) -> "Settings":
        host = page_host(self.whatsapp_web_url)
        if not allowed_hosts(self.allowed_hosts).allows(host):
            raise ValueError(
                f"ALLOWED_HOSTS does not contain {host}, the host of WHATSAPP_WEB_URL: add it there, or no session can "
                "open its page"
            )
        return self

    def lease_times(self) -> LeaseTimes:
        """Return the Lease's times."""
        return LeaseTimes(
            duration=self.lease_duration,
            renew_deadline=self.lease_renew_deadline,
            renew_every=self.lease_renew_interval,
            request_timeout=self.lease_request_timeout,
        )

    @property
    def object_name(self) -> str:
        """The name of the Lease; the key Secret's begins with it."""
        return f"{CLIENT_NAME}-{self.instance}" if self.instance else CLIENT_NAME

    @property
    def key_secret(self) -> str:
        """The name of the Secret with the keys."""
        return f"{self.object_name}{KEYS_SUFFIX}"

    def network(self, namespace: str) -> RunnerNetwork | None:
        """Return what NetworkPolicies allow, for an operator in this namespace; None: there shall be none."""
        if not self.network_policies:
            return None
        return RunnerNetwork(
            operator_namespace=namespace,
            scrapers=peers.scrapers(self.network_policy_scrapers),
            egress=tuple(
                dict.fromkeys([*peers.egress(self.network_policy_egress), *peers.egress(self.webhook_destinations)])
            ),
        )

    def defaults(self) -> Defaults:
        """Return what the settings say about every session's pod; its `network` is asked for with the namespace.

        :raises BadSettings: the extra CA cannot be read, or is not a certificate.
        """
        return Defaults(
            runner_image=self.runner_image,
            page_url=self.whatsapp_web_url,
            allowed_hosts=self.allowed_hosts,
            extra_ca=_certificate(self.extra_ca_file) if self.extra_ca_file is not None else "",
            image_pull_policy=self.runner_image_pull_policy,
            log_level=self.runner_log_level,
            run_as_user=self.runner_user,
            allowed=Allowed(
                images=self.allowed_images,
                priority_classes=self.allowed_priority_classes,
                annotations=self.allowed_annotations,
            ),
            metrics_need_token=self.runner_metrics_need_token,
            webhook_destinations=peers.egress(self.webhook_destinations),
            browser_sandbox=self.browser_sandbox,
            browser_seccomp_profile=self.browser_seccomp_profile,
            user_namespaces=self.user_namespaces,
            pod_start_timeout=self.pod_start_timeout,
        )


def load(**given: Any) -> Settings:
    """Read the settings from the environment; `given` wins over it, for tests.

    :raises BadSettings: something is missing or wrong.
    """
    try:
        return Settings(**given)
    except ValidationError as error:
        raise BadSettings("; ".join(_problem(found) for found in error.errors(include_url=False))) from error


def shown(value: object) -> str:
    """Return a default as a person would write it."""
    match value:
        case timedelta():
            return format_duration(value)
        case tuple():
            return ",".join(value)
        case bool():
            return str(value).lower()
        case None:
            return ""
    return str(value)


def _problem(found: Any) -> str:
    # The value is not repeated: somebody may have put a secret into the wrong variable.
    name = "_".join(str(step) for step in found["loc"]).upper()
    message = str(found["msg"]).removeprefix("Value error, ")
    if found["type"] == "missing":
        return f"{name} is not set; docs/reference/settings.md says what it is for"
    return f"{name}: {message}" if name else message


def _certificate(path: Path) -> str:
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"EXTRA_CA_FILE: {path} cannot be read as PEM text: {error}") from error
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise BadSettings(f"EXTRA_CA_FILE: {path} has no certificate in PEM form")
    try:
        # Here and not by every runner, each of which would end with BadConfiguration.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except ssl.SSLError as error:
        raise BadSettings(f"EXTRA_CA_FILE: {path} has a damaged certificate: replace the file") from error
    return text
