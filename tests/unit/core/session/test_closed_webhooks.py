"""A webhook that the operator's settings let go nowhere is told of at once, as far as its address tells."""

from dataclasses import replace
from typing import Any

import pytest
from unit.core.fake_cluster import DEFAULTS, running
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.app import peers
from whatsapp_operator.core.session.closed_webhooks import closed_webhooks

OPENED = peers.egress("10.1.0.0/16:8080, [fd00::/64]:81, automation/app=n8n:5678")
BOT: dict[str, Any] = {"name": "bot", "format": "CloudAPI", "events": ["message"]}


def reported(url: str) -> str | None:
    """What is said of a webhook with this address."""
    session = WhatsAppSession.parse({"spec": {"webhooks": [BOT | {"url": url}]}})
    found = closed_webhooks(session.spec.webhooks, OPENED)
    return None if found is None else found.message


@pytest.mark.parametrize(
    "url",
    [
        "https://bot.example.com/",
        "https://8.8.8.8/",
        "http://10.1.2.3:8080/",
        "http://[fd00::5]:81/",
        "http://n8n.automation.svc:80/",
        "http://n8n.automation.svc.cluster.local/",
        "http://inside.example.com:8080/",
        "http://other.tools.svc:8080/",
        "https://bot.example.com:99999/",
    ],
)
def test_nothing_is_reported_of_what_may_be_open(url: str) -> None:
    """A name may lead into a range that is; only the runner sees where to."""
    assert reported(url) is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://10.1.2.3/", "no public one"),
        ("http://10.2.0.1:8080/", "no public one"),
        ("https://[fd01::1]/", "no public one"),
        ("https://192.168.1.1/", "no public one"),
        ("http://n8n.tools.svc:5678/", "a Service of a namespace that is not opened"),
        ("https://kubernetes.default.svc/", "a Service of a namespace that is not opened"),
        ("http://bot.example.com/", "not by https on port 443"),
        ("https://bot.example.com:8443/", "not by https on port 443"),
        ("http://8.8.8.8/", "not by https on port 443"),
    ],
)
def test_what_is_closed_is_reported_with_the_setting_that_opens_it(url: str, why: str) -> None:
    """And nothing of its address, in which people put tokens."""
    message = reported(f"{url}secret") or ""

    assert f"The webhook bot gets nothing, because its address is {why}." in message
    assert "WEBHOOK_DESTINATIONS" in message
    assert "secret" not in message


def test_the_session_says_so_while_it_is_so() -> None:
    """In a condition and one event; gone with the edit, or with the operator's setting."""
    cluster = running()
    cluster.apply(spec={"webhooks": [BOT | {"url": "http://n8n.automation.svc:5678/"}]})
    cluster.look()
    cluster.look()
    assert ("True", "DestinationClosed") == cluster.says("WebhookClosed")
    assert ["Warning"] == [event.type for event in cluster.events if event.reason == "DestinationClosed"]
    cluster.defaults = replace(DEFAULTS, webhook_destinations=OPENED)
    cluster.look()

    assert "WebhookClosed" not in {each.type for each in cluster.status().conditions}
