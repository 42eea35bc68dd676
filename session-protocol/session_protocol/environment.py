"""The names of the runner's environment variables.

The runner reads them (`session_runner.settings` documents meaning, unit and default of each), the operator writes them
into the pod. Both import the names from here so that a renamed variable is a type error and not a silent default.
"""

from enum import StrEnum


class Variable(StrEnum):
    """One environment variable of the runner. Never a secret: those are files in TOKEN_DIR."""

    WHATSAPP_WEB_URL = "WHATSAPP_WEB_URL"
    ALLOWED_HOSTS = "ALLOWED_HOSTS"
    EXTRA_CA_FILE = "EXTRA_CA_FILE"
    PROFILE_DIR = "PROFILE_DIR"
    CACHE_DIR = "CACHE_DIR"
    TOKEN_DIR = "TOKEN_DIR"  # noqa: S105 -- the name of a variable, not a secret
    SESSION_UID = "SESSION_UID"
    POD_UID = "POD_UID"
    PORT = "PORT"
    METRICS_NEED_TOKEN = "METRICS_NEED_TOKEN"  # noqa: S105 -- whether one is needed
    LINK_METHOD = "LINK_METHOD"
    PHONE_NUMBER_FILE = "PHONE_NUMBER_FILE"
    LINK_MAX_ROUNDS = "LINK_MAX_ROUNDS"
    ON_LOGOUT = "ON_LOGOUT"
    BROWSER_LANGUAGE = "BROWSER_LANGUAGE"
    BROWSER_TIME_ZONE = "BROWSER_TIME_ZONE"
    PROXY_TYPE = "PROXY_TYPE"
    PROXY_HOST = "PROXY_HOST"
    PROXY_PORT = "PROXY_PORT"
    PROXY_LOGIN_DIR = "PROXY_LOGIN_DIR"
    RELINK_REQUEST = "RELINK_REQUEST"
    RESTART_REQUEST = "RESTART_REQUEST"
    RESUMED_TIME = "RESUMED_TIME"
    LIVE_SETTINGS = "LIVE_SETTINGS"
    WEBHOOK_SECRETS_DIR = "WEBHOOK_SECRETS_DIR"
    STARTUP_TIMEOUT = "STARTUP_TIMEOUT"
    LAUNCH_TIMEOUT = "LAUNCH_TIMEOUT"
    PROTOCOL_TIMEOUT = "PROTOCOL_TIMEOUT"
    CONNECTION_CHECK_TIMEOUT = "CONNECTION_CHECK_TIMEOUT"
    HEALTH_CHECK_TIMEOUT = "HEALTH_CHECK_TIMEOUT"
    BROWSER_EXECUTABLE = "BROWSER_EXECUTABLE"
    BROWSER_SANDBOX = "BROWSER_SANDBOX"
    LOG_LEVEL = "LOG_LEVEL"
    TERMINATION_LOG = "TERMINATION_LOG"
