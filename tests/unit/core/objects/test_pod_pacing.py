"""What a session's pacing, and its way with buttons, make of its pod, and of what a running one is told."""

import json
from typing import Any

from session_protocol.live_settings import LiveSettings, digest_of_settings, write_live_settings
from session_protocol.pacing import AllMessages, FirstContacts, Pacing
from session_protocol.vocabulary import Interactive, PacingType, ReadMarking
from unit.core.fake_cluster import DEFAULTS
from unit.core.objects.pods import environment, pod, session
from whatsapp_operator.core.objects.live_settings import live_settings
from whatsapp_operator.core.objects.pod import template_hash


def settings(**pacing: Any) -> LiveSettings:
    """The live settings of a session with this pacing."""
    return live_settings(session({"messaging": {"pacing": pacing}}), DEFAULTS)


def test_the_default_pace_is_nothing_set() -> None:
    """So that pods of before are told nothing."""
    assert LiveSettings() == settings() == settings(type="Default")
    assert "LIVE_SETTINGS" not in environment(pod({"messaging": {}}))


def test_a_runner_of_before_gets_nothing_of_the_default_pace() -> None:
    """It reads no pacing, so that its digest would never be the operator's, and it would be given at each poll."""
    webhook = {"name": "bot", "url": "https://bot.example.com/", "format": "Standard", "events": ["message"]}
    given = live_settings(session({"webhooks": [webhook], "messaging": {}}), DEFAULTS)

    assert {"webhooks"} == json.loads(write_live_settings(given)).keys()
    assert digest_of_settings(given) == digest_of_settings(LiveSettings(webhooks=given.webhooks))


def test_the_runner_gets_the_numbers() -> None:
    """In seconds; what is left out is the default."""
    custom = {"firstContacts": {"burst": 5, "interval": "1m30s"}, "messages": {"interval": "2s"}}

    assert Pacing(type=PacingType.NONE) == settings(type="None").pacing
    assert (
        Pacing(
            type=PacingType.CUSTOM,
            first_contacts=FirstContacts(burst=5, interval=90),
            messages=AllMessages(interval=2),
        )
        == settings(type="Custom", custom=custom).pacing
    )


def test_the_runner_learns_what_becomes_of_buttons() -> None:
    """They are refused where nothing is said."""
    numbered = live_settings(session({"messaging": {"interactive": "NumberedText"}}), DEFAULTS)

    assert (Interactive.REFUSE, Interactive.NUMBERED_TEXT) == (settings().interactive, numbered.interactive)
    assert LiveSettings(interactive=Interactive.NUMBERED_TEXT) == numbered


def test_the_runner_learns_what_is_marked_as_read() -> None:
    """Nothing by itself where nothing is said; an edit outdates no pod."""
    marking = session({"messaging": {"readMarks": "OnReceipt"}})

    assert LiveSettings() == live_settings(session({"messaging": {"readMarks": "Manual"}}), DEFAULTS)
    assert LiveSettings(read_marks=ReadMarking.ON_RECEIPT) == live_settings(marking, DEFAULTS)
    assert template_hash(session({}), DEFAULTS) == template_hash(marking, DEFAULTS)


def test_an_edit_outdates_no_pod() -> None:
    """The running one is told."""
    slow = session({"messaging": {"pacing": {"type": "None"}}})

    assert template_hash(slow, DEFAULTS) == template_hash(session(), DEFAULTS)
    assert (
        '{"pacing":{"type":"None"}}' == environment(pod({"messaging": {"pacing": {"type": "None"}}}))["LIVE_SETTINGS"]
    )
