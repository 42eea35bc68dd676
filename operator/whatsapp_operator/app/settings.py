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
from whatsapp_operator.app.hosts import allowed_hosts, page_host
from whatsapp_operator.core.model import Defaults
from whatsapp_operator.runtime.process.lease import LeaseTimes

_ALONE = (
    "WATCH_NAMESPACES is set and INSTANCE is not: quotas are counted over these namespaces alone. That is right for the "
    "only operator of a cluster. If there is another one, both would admit up to each limit and overwrite each other's "
    "quota status: give one of them an INSTANCE, and label its namespaces and quotas wasession.dev/instance with that name."
)
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


def _page(url: str) -> str:
    page_host(url)
    return url


def _hosts(text: str) -> str:
    allowed_hosts(text)
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
    extra_ca_file: Path | None = None
    """A PEM file with further certificate authorities that runners trust. It goes into each session's Secret; pods made
    afterwards use it."""
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
    http_address: str = "0.0.0.0"  # noqa: S104 -- the kubelet and Prometheus come from outside of the pod
    """The address that `/healthz`, `/readyz` and `/metrics` are served on."""
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Their port. 0: any free one, which the log names."""
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

    def defaults(self) -> Defaults:
        """Return what the settings say about every session's pod.

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
