"""What webhooks decide without a network: signatures, what an answer means, and whom an event goes to."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from session_protocol.live_settings import LiveSettings
from session_protocol.vocabulary import GroupEvents, WebhookEvent, WebhookFormat
from session_runner.live import Live
from session_runner.messages.events import Event, History
from session_runner.store import StateStore
from session_runner.webhooks.recorder import history_receivers
from session_runner.webhooks.retries import (
    FIRST,
    GIVE_UP,
    LONGEST,
    LONGEST_ASKED,
    UNKNOWN_SENDER,
    Outcome,
    asked_pause,
    is_given_up,
    outcome,
    pause,
)
from session_runner.webhooks.secret_files import read_secret
from session_runner.webhooks.shapes import body_for
from session_runner.webhooks.signing import UnusableSecretError, cloud_api_headers, standard_headers
from unit.runner.webhooks.receivers import ACCOUNT, SECRET, change, message, secret, webhook

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_a_body_is_signed_as_meta_signs_it() -> None:
    """By the vector of the HMAC's own document (RFC 4231, 4.3)."""
    assert {
        "X-Hub-Signature-256": "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    } == cloud_api_headers("Jefe", b"what do ya want for nothing?")


def test_a_body_is_signed_as_standard_webhooks_are() -> None:
    """By the example of the specification's libraries."""
    headers = standard_headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        identifier="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )

    assert {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    } == headers


@pytest.mark.parametrize("wrong", ["short", "whsec_", "whsec_!!!!", base64.b64encode(b"x" * 15).decode()])
def test_a_key_that_is_none_is_refused(wrong: str) -> None:
    """And nothing of it is repeated."""
    with pytest.raises(UnusableSecretError, match="signingSecret is no key") as raised:
        standard_headers(wrong, identifier="a", timestamp=1, body=b"")

    assert "!!!" not in str(raised.value)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((200, 202, 204), Outcome.DELIVERED),
        ((408, 425, 429, 500, 502, 503, 599), Outcome.AGAIN),
        ((301, 302, 307, 400, 401, 403, 404, 410, 413, 422), Outcome.DEAD),
    ],
)
def test_an_answer_is_final_or_not(statuses: tuple[int, ...], expected: Outcome) -> None:
    """A redirect is not followed, so it never gets there."""
    assert {expected} == {outcome(status) for status in statuses}


@pytest.mark.parametrize("status", [401, 403])
def test_a_receiver_may_get_to_know_the_sender(status: int) -> None:
    """For ten minutes, in which the new Secret gets to the pod; there is nothing to wait for without one."""
    assert [Outcome.AGAIN, Outcome.AGAIN, Outcome.DEAD] == [
        outcome(status, unknown_for=seconds) for seconds in (0.0, UNKNOWN_SENDER - 1, UNKNOWN_SENDER)
    ]
    assert Outcome.DEAD is outcome(status)
    assert (Outcome.DEAD, Outcome.DELIVERED) == (outcome(404, unknown_for=0.0), outcome(200, unknown_for=0.0))


def test_pauses_grow_to_an_end_and_differ_by_chance() -> None:
    """So that many sessions do not come back together."""
    assert [5, 10, 20, 40] == [pause(tries, chance=0.5) for tries in (1, 2, 3, 4)]
    assert LONGEST == pause(100, chance=0.5)
    assert (FIRST * 0.8, FIRST * 1.2) == pytest.approx((pause(1, chance=0), pause(1, chance=1)))


def test_a_pause_that_a_receiver_asks_for_is_kept() -> None:
    """Neither earlier nor for ever."""
    assert 300 <= pause(1, chance=0.9, asked=300) <= 305
    assert 1 <= pause(9, chance=0, asked=0) <= 6
    assert LONGEST_ASKED == pause(1, chance=0, asked=10**9)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("300", 300),
        (" 5 ", 5),
        (format_datetime(NOW + timedelta(seconds=60), usegmt=True), 60),
        (format_datetime(NOW - timedelta(seconds=60), usegmt=True), 0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("9" * 65, None),
        ("1 Jan 99999999999999999999 00:00:00", None),
        ("1 Jan 2026 99999999999999999:00:00", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, expected: float | None) -> None:
    """Anything else says nothing."""
    assert expected == asked_pause(header, now=NOW)


def test_a_delivery_is_given_up_after_three_days() -> None:
    """And no earlier."""
    assert (False, True) == (is_given_up(age=GIVE_UP - 1), is_given_up(age=GIVE_UP))


def test_a_webhook_gets_the_events_that_it_names() -> None:
    """And what happens in groups if it wants that."""
    wants = webhook("https://a/", events=(WebhookEvent.MESSAGE,))
    of_group = message("a", group=True)

    assert body_for(message("a"), wants, ACCOUNT) is not None
    assert body_for(change(), wants, ACCOUNT) is None
    assert body_for(of_group, wants, ACCOUNT) is None
    assert body_for(of_group, webhook("https://a/", groups=GroupEvents.INCLUDE), ACCOUNT) is not None


def test_a_webhook_that_names_the_history_is_asked_for_it() -> None:
    """With groups if it wants those, and in its own form."""
    named = webhook("https://a/", name="a", events=(WebhookEvent.HISTORY,), groups=GroupEvents.INCLUDE)
    other = webhook("https://a/", name="b", events=(WebhookEvent.MESSAGE,))
    live = Live(store=StateStore(clock=lambda: NOW), settings=LiveSettings(webhooks=(named, other)))
    (receiver,) = history_receivers(live, lambda: ACCOUNT)
    chunk = History(chat="1@g.us", group=True, chunk=1, progress=0)
    event = Event(id="evt-1", type=WebhookEvent.HISTORY, time=NOW, data=chunk)

    assert ("a", True) == (receiver.name, receiver.groups)
    assert event.body() == receiver.body(event)
    assert body_for(event, webhook("https://a/"), ACCOUNT) is None


def test_what_older_clients_misread_is_off_until_it_is_named() -> None:
    """In the Cloud API's form: edits and deletions, which Typebot refuses, and groups."""
    events = (WebhookEvent.MESSAGE, WebhookEvent.REACTION)
    plain = webhook("https://a/", format=WebhookFormat.CLOUD_API, events=events)
    wants = webhook("https://a/", format=WebhookFormat.CLOUD_API, events=(*events, WebhookEvent.EDITED))

    edited = replace(message("a"), type=WebhookEvent.EDITED)
    assert body_for(edited, plain, ACCOUNT) is None
    assert body_for(edited, wants, ACCOUNT) is not None
    assert body_for(message("a", group=True), plain, ACCOUNT) is None
    assert (
        body_for(message("a", group=True), msgspec.structs.replace(plain, groups=GroupEvents.INCLUDE), ACCOUNT)
        is not None
    )


def test_each_format_has_its_bodies() -> None:
    """The state has none in the Cloud API's."""
    cloud = webhook("https://a/", format=WebhookFormat.CLOUD_API)
    ours: dict[str, Any] = json.loads(body_for(message("a"), webhook("https://a/"), ACCOUNT) or b"")
    metas: dict[str, Any] = json.loads(body_for(message("a"), cloud, ACCOUNT) or b"")

    assert ("message", "evt-1") == (ours["type"], ours["id"])
    assert "whatsapp_business_account" == metas["object"]
    assert body_for(change(), cloud, ACCOUNT) is None
    assert body_for(change(), webhook("https://a/"), ACCOUNT) is not None


def test_a_secret_is_read_from_its_folder(tmp_path: Path) -> None:
    """Each time anew, since the kubelet replaces it; one that nobody names is none."""
    wanted = webhook("https://a/", format=WebhookFormat.CLOUD_API, secret_name="bot")
    secret(tmp_path, signingSecret="abc", authorization="Bearer x")
    once = read_secret(tmp_path, wanted)
    secret(tmp_path, signingSecret="def", verifyToken="v")

    assert ("abc", None, "Bearer x") == (once.signing, once.verify_token, once.authorization)
    assert ("def", "v") == (read_secret(tmp_path, wanted).signing, read_secret(tmp_path, wanted).verify_token)
    assert read_secret(tmp_path, webhook("https://a/")).signing is None
    assert "abc" not in repr(once)


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ({}, "no entry signingSecret"),
        ({"signingSecret": ""}, "no entry signingSecret"),
        ({"signingSecret": "x" * 1025}, "more than 1024 bytes"),
        ({"signingSecret": SECRET, "authorization": "a\nb"}, "no header's value"),
        ({"signingSecret": "not base64!"}, "no key"),
    ],
)
def test_an_unusable_secret_says_what_is_wrong(tmp_path: Path, entries: dict[str, str], why: str) -> None:
    """So that nothing is sent unsigned."""
    secret(tmp_path, **entries)

    with pytest.raises(UnusableSecretError, match=why):
        read_secret(tmp_path, webhook("https://a/", secret_name="bot"))


def test_a_secret_in_other_bytes_is_unusable(tmp_path: Path) -> None:
    """It is text."""
    secret(tmp_path)
    (tmp_path / "bot" / "signingSecret").write_bytes(b"\xff\xfe")

    with pytest.raises(UnusableSecretError, match="no UTF-8"):
        read_secret(tmp_path, webhook("https://a/", secret_name="bot"))


@pytest.mark.parametrize("folder", [None, Path("/nowhere")])
def test_a_secret_that_the_pod_lacks_takes_another_pod(folder: Path | None) -> None:
    """It was named after the pod was made."""
    with pytest.raises(UnusableSecretError, match="restart the session"):
        read_secret(folder, webhook("https://a/", secret_name="bot"))


def test_the_documented_python_takes_what_is_sent() -> None:
    """The example's own lines."""
    body, key = b'{"a": 1}', "abc"
    header = cloud_api_headers(key, body)["X-Hub-Signature-256"]

    assert hmac.compare_digest(header, "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest())
