"""What the API server refuses of a session's proxy, language and time zone, each at its field and with its text."""

from typing import Any

from integration.api.refusal_messages import HOST, LANGUAGE, SECRET, TIME_ZONE


def through(host: str, **more: Any) -> dict[str, Any]:
    """A spec with a proxy."""
    return {"proxy": {"host": host, "port": 3128, **more}}


SURROUNDINGS: list[tuple[dict[str, Any], str, str]] = [
    (through("http://proxy.example.com"), "spec.proxy.host", HOST),
    (through("shop:secret@proxy.example.com"), "spec.proxy.host", HOST),
    (through("proxy.example.com:3128"), "spec.proxy.host", HOST),
    (through("[fd00::5]"), "spec.proxy.host", HOST),
    (through("proxy example"), "spec.proxy.host", HOST),
    (through(f"{'x' * 64}.example.com"), "spec.proxy.host", HOST),
    (through("proxy.example.com", loginSecretName="My Login"), "spec.proxy.loginSecretName", SECRET),
    ({"browser": {"language": "Portuguese"}}, "spec.browser.language", LANGUAGE),
    ({"browser": {"language": "pt_BR"}}, "spec.browser.language", LANGUAGE),
    ({"browser": {"language": "pt-br"}}, "spec.browser.language", LANGUAGE),
    ({"browser": {"language": "en,fr"}}, "spec.browser.language", LANGUAGE),
    ({"browser": {"timeZone": "America/Sao_Paolo"}}, "spec.browser.timeZone", TIME_ZONE),
    ({"browser": {"timeZone": "CEST"}}, "spec.browser.timeZone", TIME_ZONE),
    ({"browser": {"timeZone": "Local"}}, "spec.browser.timeZone", TIME_ZONE),
    ({"browser": {"timeZone": "+02:00"}}, "spec.browser.timeZone", TIME_ZONE),
    ({"browser": {"timeZone": "../etc/passwd"}}, "spec.browser.timeZone", TIME_ZONE),
    ({"browser": {"timeZone": ""}}, "spec.browser.timeZone", TIME_ZONE),
]
""" By the rules of the schema. """
SCHEMA_OF_PROXY: list[tuple[dict[str, Any], str, str]] = [
    ({"proxy": {"port": 3128}}, "spec.proxy.host", "Required value"),
    ({"proxy": {"host": "proxy.example.com"}}, "spec.proxy.port", "Required value"),
    (through("proxy.example.com", port=0), "spec.proxy.port", "should be greater than or equal to 1"),
    (through("proxy.example.com", port=65536), "spec.proxy.port", "should be less than or equal to 65535"),
    (through("proxy.example.com", type="SOCKS4"), "spec.proxy.type", 'supported values: "HTTP", "SOCKS5"'),
]
""" By its bounds, in the API server's own words. """
