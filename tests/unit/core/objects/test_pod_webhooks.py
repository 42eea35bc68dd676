"""What a session's webhooks make of its pod, and of what a running one is told."""

from dataclasses import replace
from typing import Any

from session_protocol.live_settings import LiveSettings, MediaLimits, read_live_settings
from session_protocol.vocabulary import CallHandling, WebhookEvent, WebhookFormat
from unit.core.fake_cluster import DEFAULTS
from unit.core.objects.pods import container, environment, pod, session
from whatsapp_operator.app import peers
from whatsapp_operator.core.objects.live_settings import live_settings
from whatsapp_operator.core.objects.pod import template_hash

BOT: dict[str, Any] = {
    "name": "bot",
    "url": "https://bot.example.com/hook?a=$(b)",
    "format": "CloudAPI",
    "events": ["message", "ack"],
    "secretName": "shop-bot",
}
LOG: dict[str, Any] = BOT | {"name": "log", "url": "http://log.tools.svc:8080/", "format": "Standard"}


def mounted(*webhooks: dict[str, Any]) -> dict[str, str]:
    """The Secrets of a pod's webhooks, by the folder where their entries are."""
    manifest = pod({"webhooks": list(webhooks)})
    secrets = {volume["name"]: volume.get("secret", {}) for volume in manifest["spec"]["volumes"]}
    return {
        mount["mountPath"]: secrets[mount["name"]]["secretName"]
        for mount in container(manifest)["volumeMounts"]
        if mount["name"].startswith("webhook-")
    }


def test_the_runner_gets_its_webhooks() -> None:
    """In one variable, as the runner reads it; Secrets by their name alone."""
    variables = environment(pod({"webhooks": [BOT]}))
    (read,) = read_live_settings(variables["LIVE_SETTINGS"].replace("$$(", "$(")).webhooks

    assert ("bot", BOT["url"], WebhookFormat.CLOUD_API, "shop-bot") == (
        read.name,
        read.url,
        read.format,
        read.secret_name,
    )
    assert (WebhookEvent.MESSAGE, WebhookEvent.ACK) == read.events
    assert "/run/whatsapp-session/webhooks" == variables["WEBHOOK_SECRETS_DIR"]


def test_the_runner_gets_what_becomes_of_calls() -> None:
    """With webhooks and without; what is the default is not said, and an edit outdates no pod."""
    rejecting = {"calls": "Reject"}

    for webhooks in ([], [BOT]):
        variables = environment(pod(rejecting | {"webhooks": webhooks}))
        assert CallHandling.REJECT is read_live_settings(variables["LIVE_SETTINGS"].replace("$$(", "$(")).calls
    assert "LIVE_SETTINGS" not in environment(pod({"calls": "Ignore"}))
    assert template_hash(session({}), DEFAULTS) == template_hash(session(rejecting), DEFAULTS)


def test_three_entries_of_each_secret_are_mounted() -> None:
    """Each Secret once, however many webhooks name it; without it the pod starts all the same."""
    (volume,) = [
        volume for volume in pod({"webhooks": [BOT]})["spec"]["volumes"] if volume["name"].startswith("webhook-")
    ]

    assert {
        "secretName": "shop-bot",
        "items": [{"key": key, "path": key} for key in ("signingSecret", "verifyToken", "authorization")],
        "optional": True,
        "defaultMode": 0o440,
    } == volume["secret"]
    assert {"/run/whatsapp-session/webhooks/shop-bot": "shop-bot"} == mounted(BOT, LOG)
    assert {"shop-bot", "shop-log"} == set(mounted(BOT, LOG | {"secretName": "shop-log"}).values())


def test_a_session_without_webhooks_has_the_pod_of_before() -> None:
    """So none becomes outdated with an upgrade; it learns where files may be fetched from, which outdates none either."""
    allowing = replace(DEFAULTS, webhook_destinations=peers.egress("automation:5678"))

    assert not {name for name in environment(pod()) if name.startswith(("LIVE_", "WEBHOOK_"))}
    assert LiveSettings(destinations=("automation",)) == live_settings(session({}), allowing)
    assert template_hash(session({}), DEFAULTS) == template_hash(session({}), allowing)


def test_an_edit_outdates_no_pod_but_for_a_secret_that_it_lacks() -> None:
    """The running one is told of everything else."""
    hashes = [
        template_hash(session({"webhooks": webhooks}), DEFAULTS)
        for webhooks in (
            [BOT],
            [BOT | {"url": "https://other.example.com/"}],
            [BOT, LOG],
            [BOT, {name: value for name, value in BOT.items() if name != "secretName"} | {"name": "open"}],
            [BOT | {"secretName": "another"}],
        )
    ]

    assert [True, True, True, False] == [one == hashes[0] for one in hashes[1:]]


def test_how_large_files_may_be_reaches_a_running_pod() -> None:
    """In bytes, with what is left out; no pod is outdated by it."""
    limited = session({"messaging": {"mediaLimits": {"video": "64Mi", "sticker": "1Ki"}}})

    assert MediaLimits(video=64 * 1024 * 1024, sticker=1024) == live_settings(limited, DEFAULTS).media_limits
    assert template_hash(session({}), DEFAULTS) == template_hash(limited, DEFAULTS)


def test_where_webhooks_may_go_comes_with_them() -> None:
    """Addresses with their port; of pods their namespace, since a Service's port is not theirs."""
    allowing = replace(
        DEFAULTS,
        webhook_destinations=peers.egress("10.1.0.0/16:80, [fd00::/64]:81, automation/app=n8n:5678, automation:5679"),
    )

    assert ("10.1.0.0/16:80", "[fd00::/64]:81", "automation") == live_settings(
        session({"webhooks": [BOT]}), allowing
    ).destinations
