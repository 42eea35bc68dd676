"""The settings: defaults, refusals that say what to do, and the reference page."""

import pytest
from session_protocol.environment import Variable
from session_protocol.vocabulary import LinkMethod, OnLogout, ProxyType
from session_runner.settings import Settings, SettingsError, read_settings, settings_table

REQUIRED = {"PROFILE_DIR": "/profile", "TOKEN_DIR": "/tokens", "SESSION_UID": "s-1", "POD_UID": "p-1"}


def read(**more: str) -> Settings:
    """Read an environment that is complete and has these variables beside or instead."""
    return read_settings(REQUIRED | more)


def test_the_defaults_are_the_published_ones() -> None:
    """A pod that sets only what it must gets the defaults of the resource."""
    settings = read()

    assert settings.url == "https://web.whatsapp.com/"
    assert settings.allowed_hosts.patterns == ("*.whatsapp.com", "*.whatsapp.net")
    assert settings.port == 8080
    assert (settings.link_method, settings.link_max_rounds, settings.on_logout) == (LinkMethod.QR, 5, OnLogout.RELINK)
    assert (settings.startup_timeout, settings.launch_timeout, settings.protocol_timeout) == (60, 30, 60)
    assert (settings.connection_check_timeout, settings.health_check_timeout) == (30, 45)
    assert settings.extra_ca_file is None
    assert settings.relink_request is None


@pytest.mark.parametrize(
    ("host", "expected"), [("Proxy.example.com", "Proxy.example.com"), ("10.0.0.5", "10.0.0.5"), ("FD00::5", "fd00::5")]
)
def test_a_proxy_is_a_type_a_host_and_a_port(host: str, expected: str) -> None:
    """Without a host there is none."""
    assert read().proxy is None
    assert (ProxyType.SOCKS5, expected, 1080) == read(PROXY_TYPE="SOCKS5", PROXY_HOST=host, PROXY_PORT="1080").proxy


def test_the_settings_reach_the_policy() -> None:
    """What decides states is handed on in seconds and words."""
    policy = read(STARTUP_TIMEOUT="1m30s", CONNECTION_CHECK_TIMEOUT="10s", ON_LOGOUT="Wait", LINK_MAX_ROUNDS="7").policy

    assert (policy.startup, policy.connection_check, policy.on_logout, policy.max_rounds) == (90, 10, "Wait", 7)


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_a_missing_required_variable_is_named(name: str) -> None:
    """Without it the runner cannot work; the message names it."""
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        read_settings({key: value for key, value in REQUIRED.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PORT", "http", "whole number"),
        ("PORT", "65536", "0 to 65535"),
        ("PORT", "²", "whole number"),
        ("PORT", "", "PORT=8080"),
        ("PORT", "+80", "whole number"),
        ("PORT", "8_080", "whole number"),
        ("PORT", "\u0661", "whole number"),
        ("PORT", "9" * 5000, "whole number"),
        ("EXTRA_CA_FILE", "ca.crt", "absolute path, for example EXTRA_CA_FILE=/"),
        ("POD_UID", "", "for example POD_UID=1b4e28ba"),
        ("ON_LOGOUT", "never", "for example ON_LOGOUT=Relink"),
        ("STARTUP_TIMEOUT", "5 days", "duration"),
        ("STARTUP_TIMEOUT", "0s", "more than 0"),
        ("STARTUP_TIMEOUT", "60ms", "at least 1s"),
        ("HEALTH_CHECK_TIMEOUT", "2s", "at least 3s"),
        ("WHATSAPP_WEB_URL", "http://web.whatsapp.com/", "https"),
        ("WHATSAPP_WEB_URL", "web.whatsapp.com", "https"),
        ("WHATSAPP_WEB_URL", "https://example.com/", "ALLOWED_HOSTS does not contain"),
        ("ALLOWED_HOSTS", " , ", "at least one host"),
        ("ALLOWED_HOSTS", "*", "host names"),
        ("ALLOWED_HOSTS", "https://web.whatsapp.com", "without scheme"),
        ("ALLOWED_HOSTS", "a.example, MAP * 10.0.0.1", "host names"),
        ("LINK_METHOD", "qr", "QR, PairingCode"),
        ("ON_LOGOUT", "Never", "Relink, Wait"),
        ("LINK_MAX_ROUNDS", "0", "1 to 1000"),
        ("PROXY_TYPE", "SOCKS4", "HTTP, SOCKS5"),
        ("PROXY_HOST", "http://proxy.example.com", "without scheme"),
        ("PROXY_HOST", "shop:secret@proxy.example.com", "without scheme"),
        ("PROXY_HOST", f"{'x' * 64}.example.com", "without scheme"),
        ("PROXY_PORT", "0", "1 to 65535"),
        ("PROXY_LOGIN_DIR", "login", "absolute"),
        ("BROWSER_LANGUAGE", "pt_BR", "BCP 47"),
        ("BROWSER_LANGUAGE", "pt-BR --no-sandbox", "BCP 47"),
        ("BROWSER_TIME_ZONE", "America/Sao_Paolo", "IANA"),
        ("BROWSER_TIME_ZONE", "America", "IANA"),
        ("BROWSER_TIME_ZONE", "../etc/passwd", "IANA"),
        ("PROFILE_DIR", "profile", "absolute"),
        ("CACHE_DIR", "/profile/cache", "profile volume"),
        ("CACHE_DIR", "/profile", "profile volume"),
        ("SESSION_UID", "a b", "UID"),
        ("LOG_LEVEL", "LOUD", "DEBUG"),
    ],
)
def test_a_wrong_value_is_refused_with_what_to_do(name: str, value: str, says: str) -> None:
    """The message names the variable and what is wanted."""
    with pytest.raises(SettingsError, match=name) as caught:
        read(**{name: value})

    assert says in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "WHATSAPP_WEB_URL",
        "EXTRA_CA_FILE",
        "PROFILE_DIR",
        "CACHE_DIR",
        "TOKEN_DIR",
        "SESSION_UID",
        "POD_UID",
        "BROWSER_EXECUTABLE",
        "PROXY_HOST",
        "PROXY_LOGIN_DIR",
        "TERMINATION_LOG",
    ],
)
def test_what_could_be_a_secret_is_not_repeated(name: str) -> None:
    """A token pasted into the wrong variable would end up in the session's status."""
    with pytest.raises(SettingsError, match=f"^{name} must be .*, for example {name}=.*") as caught:
        read(**{name: "hunter2 hunter2"})

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["PORT", "LINK_METHOD", "STARTUP_TIMEOUT", "LOG_LEVEL"])
def test_a_wrong_number_or_text_is_shown_and_cut(name: str) -> None:
    """It helps to find it; a long one would hide the rest of the message."""
    with pytest.raises(SettingsError, match=f"^{name}='x{{40}}' ") as caught:
        read(**{name: "x" * 100_000})

    assert len(str(caught.value)) < 300


def test_a_missing_variable_comes_with_an_example() -> None:
    """Whoever runs the image by hand sees what to write."""
    with pytest.raises(SettingsError, match=r"for example TOKEN_DIR=/run/whatsapp-session/tokens\.$"):
        read_settings({key: value for key, value in REQUIRED.items() if key != "TOKEN_DIR"})


def test_a_local_page_may_do_without_tls() -> None:
    """Names below localhost are a secure context in the browser even over plain HTTP."""
    assert read(WHATSAPP_WEB_URL="http://web.localhost:1/", ALLOWED_HOSTS="web.localhost").url.startswith("http://")


def test_empty_optional_variables_count_as_absent() -> None:
    """A manifest may leave a variable empty."""
    settings = read(EXTRA_CA_FILE="", RELINK_REQUEST="")

    assert (settings.extra_ca_file, settings.relink_request) == (None, None)


def test_a_request_is_taken_as_it_stands() -> None:
    """The operator counts a blank value, or one with another blank, as a request; so must the runner."""
    start = read(RESTART_REQUEST=" ", RELINK_REQUEST="noon ", RESUMED_TIME="t1").start

    assert (" ", "noon ", "t1") == (start.restart, start.relink, start.resumed)


def test_every_variable_is_a_setting() -> None:
    """The names that the operator imports and the settings are the same."""
    table = settings_table()

    assert all(f"| `{variable}` |" in table for variable in Variable)
    assert len(Variable) == table.count("\n") - 2
