"""The runner's settings, all from environment variables, read once at the start.

The operator writes them into the pod. A wrong value ends the runner at once with its own exit code and a message
that names the variable, says what is expected and shows an example, because a restart cannot cure it. A value that
is free text (an address, a path, a UID) is not repeated: a secret may have been pasted there, and the message reaches
the session's status. `docs/reference/runner-settings.md` holds the same table; a test compares it with this file.

The few parsers are ours and not msgspec's `convert(strict=False)`: paths, hosts, durations and requests would need a
hook of their own there as well, and its messages ("Expected `int` <= 65535 - at `$.port`") name neither the variable
nor what to write instead.
"""

# ruff: noqa: RUF009 -- _setting() returns a fresh dataclass field, which is what the rule wants to protect

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from session_protocol.durations import BadDuration, parse_duration
from session_protocol.environment import Variable
from session_protocol.hosts import WHATSAPP_HOSTS, WHATSAPP_WEB_URL, AllowedHosts
from session_protocol.live_settings import LiveSettings, read_live_settings
from session_protocol.vocabulary import LinkMethod, OnLogout, ProxyType, TokenScope

from session_runner.states.hold import Start
from session_runner.states.policy import Policy
from session_runner.states.proxy_failures import Proxy

DEFAULT_BROWSER = "/usr/lib/chromium/chromium-headless-shell"
_DAY = 86_400.0
""" Seconds: the longest timeout. """
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*"
)


class SettingsError(Exception):
    """A setting is missing or wrong; the text names the variable and says what to do."""


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value.strip()


def _request(value: str) -> str | None:
    # As it stands, blanks included: the operator compares the same text, and what counts there must count here.
    return value or None


def _uid(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", value):
        raise ValueError("must be a UID: letters, digits, dots and dashes, at most 64")
    return value


def _path(value: str) -> Path:
    path = Path(_text(value))
    if not path.is_absolute():
        raise ValueError("must be an absolute path")
    return path


def _maybe_path(value: str) -> Path | None:
    return _path(value) if value.strip() else None


def _url(value: str) -> str:
    wanted = "must be an https:// address with a host, since the page needs a secure context"
    try:
        parts = urlsplit(_text(value))
        port = parts.port
    except ValueError as error:
        raise ValueError(wanted) from error
    local = parts.hostname is not None and (parts.hostname == "localhost" or parts.hostname.endswith(".localhost"))
    if not parts.hostname or port == 0 or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise ValueError(wanted)
    return value.strip()


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value.strip(), re.ASCII) or not low <= int(value) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(value)

    return parse


def _at_least(shortest: int) -> Callable[[str], float]:
    """Seconds, within the bounds of the resource: what the API server accepts the runner accepts too."""

    def parse(value: str) -> float:
        try:
            seconds = parse_duration(value).total_seconds()
        except BadDuration as error:
            raise ValueError('is not a duration; write it like "45s", "1m30s" or "500ms"') from error
        if not 0 < seconds <= _DAY:
            raise ValueError("must be more than 0 and at most 24h")
        if seconds < shortest:
            raise ValueError(f'must be at least {shortest}s; write it like "45s"')
        return seconds

    return parse


def _one_of(kind: type[LinkMethod | OnLogout | ProxyType]) -> Callable[[str], Any]:
    def parse(value: str) -> Any:
        if value not in list(kind):
            raise ValueError(f"must be one of {', '.join(kind)}")
        return kind(value)

    return parse


def _language(value: str) -> str | None:
    if value and not _LANGUAGE.fullmatch(value):
        raise ValueError("must be a BCP 47 language tag")
    return value or None


def _time_zone(value: str) -> str | None:
    if not value:
        return None
    from zoneinfo import ZoneInfo  # only sessions that set one pay for it

    try:
        return ZoneInfo(value).key
    except (KeyError, OSError, ValueError) as error:  # unknown; a folder's name, a path
        raise ValueError("must be the name of a time zone in the IANA database") from error


def _host(value: str) -> str | None:
    if not value or _HOST_NAME.fullmatch(value):
        return value or None
    try:
        return str(ipaddress.ip_address(value))
    except ValueError as error:
        raise ValueError("must be a host's name or its address, without scheme, port and login") from error


def _live(value: str) -> LiveSettings:
    try:
        return read_live_settings(value)
    except ValueError as error:
        raise ValueError("must be live settings as JSON, such as the operator writes") from error


def _boolean(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return value.lower() == "true"


def _level(value: str) -> str:
    if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("must be one of DEBUG, INFO, WARNING, ERROR")
    return value.upper()


def _setting(
    variable: Variable, parse: Callable[[str], Any], default: str | None, meaning: str, *, example: str | None = None
) -> Any:
    """One setting: a default of `None` makes the variable required. The default is the example where no other is given."""
    return field(
        metadata={
            "variable": variable,
            "parse": parse,
            "default": default,
            "meaning": meaning,
            "example": f"{variable}={example or default}",
        }
    )


_SOME_UID = "1b4e28ba-2fa1-4d11-883f-0016d3cca427"
_FREE_TEXT = (_text, _uid, _path, _maybe_path, _url, _host, _live)
""" What is parsed by these could be anything, so a wrong value is not repeated. """


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set. Times are seconds here and durations ("45s") in the environment."""

    url: str = _setting(
        Variable.WHATSAPP_WEB_URL,
        _url,
        WHATSAPP_WEB_URL,
        "The page, over https. Its host must be one of ALLOWED_HOSTS.",
    )
    allowed_hosts: AllowedHosts = _setting(
        Variable.ALLOWED_HOSTS,
        AllowedHosts.parse,
        WHATSAPP_HOSTS,
        "Hosts the browser may talk to, by comma; `*.` stands for any subdomain. No other host resolves, addresses included.",
    )
    extra_ca_file: Path | None = _setting(
        Variable.EXTRA_CA_FILE,
        _maybe_path,
        "",
        "PEM file of certificate authorities that the browser trusts beside its own. Empty: none.",
        example="/run/whatsapp-session/tokens/ca.crt",
    )
    profile_dir: Path = _setting(
        Variable.PROFILE_DIR,
        _path,
        None,
        "The profile volume: the login lives here, and nothing that may be lost.",
        example="/profile",
    )
    cache_dir: Path = _setting(
        Variable.CACHE_DIR,
        _path,
        "/tmp/session-runner",  # noqa: S108 -- private to the container
        "Caches of the browser: an emptyDir, never the profile volume.",
    )
    token_dir: Path = _setting(
        Variable.TOKEN_DIR,
        _path,
        None,
        f"Folder with one file per scope ({', '.join(TokenScope)}) holding `sha256:` and the hash of its token, or the token "
        "itself; an absent file turns the scope off. The file `operator` holds the key of the operator's signed calls.",
        example="/run/whatsapp-session/tokens",
    )
    session_uid: str = _setting(
        Variable.SESSION_UID, _uid, None, "UID of the session, repeated in every state answer.", example=_SOME_UID
    )
    pod_uid: str = _setting(
        Variable.POD_UID, _uid, None, "UID of the pod, repeated in every state answer.", example=_SOME_UID
    )
    port: int = _setting(Variable.PORT, _number(0, 65535), "8080", "Port of the HTTP API; 0 takes any free one.")
    metrics_need_token: bool = _setting(
        Variable.METRICS_NEED_TOKEN,
        _boolean,
        "false",
        "Whether /metrics needs a token of the scope state: true or false.",
    )
    link_method: LinkMethod = _setting(
        Variable.LINK_METHOD,
        _one_of(LinkMethod),
        "QR",
        "QR or PairingCode; the latter asks for pairing codes for the number in PHONE_NUMBER_FILE, and shows the QR code, too.",
    )
    phone_number_file: Path | None = _setting(
        Variable.PHONE_NUMBER_FILE,
        _maybe_path,
        "",
        "File with the telephone number of the account that is to be linked, with the country's code; read again at each look. A phone of another number that is linked is unlinked at once. Empty: any account may be linked.",
        example="/run/whatsapp-session/phone-number/phoneNumber",
    )
    link_max_rounds: int = _setting(
        Variable.LINK_MAX_ROUNDS,
        _number(1, 1000),
        "5",
        "Rounds of QR codes (about 160 s each) before the session says LinkExpired and waits for a person.",
    )
    on_logout: OnLogout = _setting(
        Variable.ON_LOGOUT,
        _one_of(OnLogout),
        "Relink",
        "Relink shows a new QR code after a logout, Wait leaves it to a person. A ban or a locked account always waits.",
    )
    browser_language: str | None = _setting(
        Variable.BROWSER_LANGUAGE,
        _language,
        "",
        "The page's language, a BCP 47 tag. Empty: English, in which the runner knows the texts of windows that only their text tells apart.",
        example="pt-BR",
    )
    browser_time_zone: str | None = _setting(
        Variable.BROWSER_TIME_ZONE,
        _time_zone,
        "",
        "The page's time zone, a name of the IANA database. Empty: the container's.",
        example="America/Sao_Paulo",
    )
    proxy_type: ProxyType = _setting(
        Variable.PROXY_TYPE, _one_of(ProxyType), "HTTP", "What the proxy is asked by: HTTP (CONNECT) or SOCKS5."
    )
    proxy_host: str | None = _setting(
        Variable.PROXY_HOST,
        _host,
        "",
        "The proxy's name or address. Empty: no proxy. With one, all of the browser's connections go through it, and it resolves the names.",
        example="proxy.example.com",
    )
    proxy_port: int = _setting(Variable.PROXY_PORT, _number(1, 65535), "3128", "The proxy's port.")
    proxy_login_dir: Path | None = _setting(
        Variable.PROXY_LOGIN_DIR,
        _maybe_path,
        "",
        "Folder with the files `username` and `password` for the proxy, read for each connection. Empty: it gets no login.",
        example="/run/whatsapp-session/proxy-login",
    )
    relink_request: str | None = _setting(
        Variable.RELINK_REQUEST,
        _request,
        "",
        "What a person's last request for linking anew says (the annotation's value). A value not seen before on this profile lets a logged-out session show a QR code, whatever ON_LOGOUT says.",
    )
    restart_request: str | None = _setting(
        Variable.RESTART_REQUEST,
        _request,
        "",
        "What a person's last request for a restart says. A value not seen before on this profile opens the page although an earlier runner stopped in a conflict, a ban or a logout; so does a new RELINK_REQUEST.",
    )
    resumed_time: str | None = _setting(
        Variable.RESUMED_TIME,
        _request,
        "",
        "When the session was last resumed after a suspension. A later time than any seen before on this profile opens the page like a new RESTART_REQUEST.",
    )
    live_settings: LiveSettings = _setting(
        Variable.LIVE_SETTINGS,
        _live,
        "{}",
        "What of the spec reaches a running pod (webhooks, messaging, calls, presence), and where webhooks may go beside public addresses: "
        "JSON, as in `PUT /v1/settings`, which replaces it while the runner lives.",
    )
    webhook_secrets_dir: Path | None = _setting(
        Variable.WEBHOOK_SECRETS_DIR,
        _maybe_path,
        "",
        "Folder with a folder for each Secret that a webhook names, with the files `signingSecret`, `verifyToken` and `authorization`, read for each delivery. Empty: there is none.",
        example="/run/whatsapp-session/webhooks",
    )
    startup_timeout: float = _setting(
        Variable.STARTUP_TIMEOUT,
        _at_least(1),
        "60s",
        "A page that has arrived and comes no further than loading for so long after the start of the process ends the runner (LoadFailed). Half of it makes LoadError. What cannot be fetched is tried again for as long as it takes.",
    )
    launch_timeout: float = _setting(
        Variable.LAUNCH_TIMEOUT,
        _at_least(1),
        "30s",
        "For starting the browser; passed, the runner ends (LaunchFailed).",
    )
    protocol_timeout: float = _setting(
        Variable.PROTOCOL_TIMEOUT,
        _at_least(1),
        "60s",
        "For one order to the browser, such as asking for a new QR code; never more than a fifth of HEALTH_CHECK_TIMEOUT.",
    )
    connection_check_timeout: float = _setting(
        Variable.CONNECTION_CHECK_TIMEOUT,
        _at_least(1),
        "30s",
        "How long a lost connection is Reconnecting before it becomes Offline, Conflict or Degraded.",
    )
    health_check_timeout: float = _setting(
        Variable.HEALTH_CHECK_TIMEOUT,
        _at_least(3),  # a busy node needs that long for one answer
        "45s",
        "A page that leaves a question unanswered for so long is dead; the runner closes it and ends (PageUnresponsive). At least 3s.",
    )
    browser_executable: Path = _setting(
        Variable.BROWSER_EXECUTABLE,
        _path,
        DEFAULT_BROWSER,
        "The browser. Debian's program itself, not its shell wrapper, which would stay as one process more.",
    )
    browser_sandbox: bool = _setting(
        Variable.BROWSER_SANDBOX,
        _boolean,
        "false",
        "Whether Chromium puts the page into a sandbox of its own (true or false). The container's seccomp profile must allow it; where it or the kernel does not, the runner ends (SandboxRefused).",
    )
    log_level: str = _setting(Variable.LOG_LEVEL, _level, "INFO", "DEBUG, INFO, WARNING or ERROR.")
    termination_log: Path = _setting(
        Variable.TERMINATION_LOG,
        _path,
        "/dev/termination-log",
        "Where the last words go when the runner fails; nothing is written when the file does not exist.",
    )

    @property
    def start(self) -> Start:
        """Return the requests that people had made when this pod was created."""
        return Start(
            session_uid=self.session_uid,
            restart=self.restart_request,
            relink=self.relink_request,
            resumed=self.resumed_time,
        )

    @property
    def proxy(self) -> Proxy | None:
        """Return where the proxy is; None: there is none."""
        return None if self.proxy_host is None else Proxy(self.proxy_type, self.proxy_host, self.proxy_port)

    @property
    def policy(self) -> Policy:
        """Return the settings that decide states."""
        return Policy(
            host=urlsplit(self.url).hostname or "",
            startup=self.startup_timeout,
            connection_check=self.connection_check_timeout,
            max_rounds=self.link_max_rounds,
            method=self.link_method,
            on_logout=self.on_logout,
        )


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Parse the environment. :raises SettingsError: at the first thing that is wrong."""
    values: dict[str, Any] = {}
    for item in fields(Settings):
        variable, default = item.metadata["variable"], item.metadata["default"]
        raw, example = environment.get(variable, default), item.metadata["example"]
        if raw is None:
            meaning = item.metadata["meaning"].rstrip(".")
            raise SettingsError(f"{variable} is not set; it is required ({meaning}), for example {example}.")
        try:
            values[item.name] = item.metadata["parse"](raw)
        except ValueError as error:
            got = "" if item.metadata["parse"] in _FREE_TEXT else f"={raw[:40]!r}"
            raise SettingsError(f"{variable}{got} {error}, for example {example}.") from error
    settings = Settings(**values)
    _check_together(settings)
    return settings


def _check_together(settings: Settings) -> None:
    host = urlsplit(settings.url).hostname or ""
    if not settings.allowed_hosts.allows(host):
        raise SettingsError(
            f"WHATSAPP_WEB_URL has the host {host}, which ALLOWED_HOSTS does not contain; add it there."
        )
    if settings.cache_dir == settings.profile_dir or settings.profile_dir in settings.cache_dir.parents:
        raise SettingsError("CACHE_DIR lies on the profile volume; give it a folder of its own, such as an emptyDir.")


def settings_table() -> str:
    """All settings as a Markdown table, for the reference page."""
    rows = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for item in fields(Settings):
        default = item.metadata["default"]
        shown = "required" if default is None else f"`{default}`" if default else "empty"
        rows.append(f"| `{item.metadata['variable']}` | {shown} | {item.metadata['meaning']} |")
    return "\n".join(rows) + "\n"
