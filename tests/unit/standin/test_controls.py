"""What can be done to a linked device: each command's frames, its memory, and its refusals."""

from typing import Any

import pytest
from standin.client import PhoneClient
from standin.controls import COMMANDS
from standin.devices import UNLINKED
from standin.errors import MalformedRequestError, PageAbsentError, UnknownDeviceError
from standin.frames import DeviceId, PageId
from unit.standin.exchange_harness import ExchangeHarness, frames_to, hello, types_to

PAGE = PageId("again")


@pytest.mark.parametrize(
    ("command", "body", "expected"),
    [
        ("unlink", {}, ["stream-error device_removed", "close"]),
        ("offline", {}, ["close"]),
        ("unreachable", {}, ["close"]),
        ("online", {}, []),
        ("drop", {}, ["close"]),
        ("replaced", {}, ["stream-error replaced", "close"]),
        ("ban", {}, ["failure 402", "close"]),
        ("ban", {"code": 403}, ["failure 403", "close"]),
        ("ban", {"code": 406}, ["failure 406", "close"]),
        ("service-unavailable", {}, ["failure 503", "close"]),
        ("needs-update", {}, ["needs-update"]),
        ("needs-update", {"reload": True}, ["failure 405", "close"]),
        ("logout", {"reason": "account_locked"}, ["logout", "close"]),
        ("send", {"text": "hi"}, ["message"]),
        ("presence", {"state": "composing"}, ["chat-state"]),
        ("call", {}, ["call"]),
        ("call", {"id": "CALL1", "ended": True}, ["call-ended"]),
        ("sync-slow", {"seconds": 3}, []),
        ("dialog", {"kind": "passkey"}, ["dialog"]),
        ("busy", {"seconds": 3}, ["busy"]),
        ("screen-lock", {}, ["screen-lock"]),
        ("restrict", {"kind": "capping"}, ["restriction"]),
        ("reload", {}, ["reload"]),
    ],
)
def test_what_a_connected_page_is_sent(command: str, body: dict[str, Any], expected: list[str]) -> None:
    """One command, one short list of frames."""
    harness = ExchangeHarness()
    device = harness.connected(PAGE)
    effects = COMMANDS[command](harness.exchange, device, body)

    assert expected == [kind.removesuffix(" passkey") for kind in types_to(PAGE, effects)]


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_needs_a_linked_device(command: str) -> None:
    """An unknown name is told with the names there are."""
    harness = ExchangeHarness()
    harness.connected(PAGE)

    with pytest.raises(UnknownDeviceError, match="Linked: device-1"):
        COMMANDS[command](harness.exchange, DeviceId("device-7"), {"text": "hi"})


@pytest.mark.parametrize(
    "command",
    ["drop", "replaced", "needs-update", "logout", "dialog", "busy", "screen-lock", "reload", "presence", "call"],
)
def test_what_only_a_connected_page_can_be_sent(command: str) -> None:
    """Without a page these are refused instead of lost."""
    harness = ExchangeHarness()

    with pytest.raises(PageAbsentError):
        COMMANDS[command](harness.exchange, harness.linked(), {})


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_python_client_has_every_command(command: str) -> None:
    """No caller has to build a request by hand."""
    assert callable(getattr(PhoneClient, command.replace("-", "_")))


@pytest.mark.parametrize(
    ("command", "reachable", "online"), [("offline", False, False), ("unreachable", False, True), ("drop", True, True)]
)
def test_ways_to_lose_the_connection(command: str, reachable: bool, online: bool) -> None:  # noqa: FBT001
    """Offline takes the network, unreachable only the server, drop neither; `online` ends all."""
    harness = ExchangeHarness()
    device = harness.connected(PAGE)
    COMMANDS[command](harness.exchange, device, {})

    assert (reachable, online) == (harness.exchange.reachable(device), harness.exchange.online(device))
    assert (True, True) == (harness.exchange.reachable(None), harness.exchange.online("device-2"))
    COMMANDS["online"](harness.exchange, device, {})
    assert (True, True) == (harness.exchange.reachable(device), harness.exchange.online(device))


@pytest.mark.parametrize(("command", "expected"), [("ban", "failure 402"), ("service-unavailable", "failure 503")])
def test_refusals_last_until_online(command: str, expected: str) -> None:
    """The next login meets the same answer, the one after `online` does not."""
    harness = ExchangeHarness()
    device = harness.linked()
    COMMANDS[command](harness.exchange, device, {})

    assert [expected, "close"] == types_to("one", harness.exchange.opened(PageId("one"), hello(device=device)))
    COMMANDS["online"](harness.exchange, device, {})
    assert ["success", "synced"] == types_to("two", harness.exchange.opened(PageId("two"), hello(device=device)))


def test_a_ban_carries_its_message() -> None:
    """The page's event needs code, expire, message and address."""
    harness = ExchangeHarness()
    device = harness.connected(PAGE)
    effects = COMMANDS["ban"](harness.exchange, device, {"expire": 60, "message": "No.", "url": "https://example.org"})

    expected = {"code": 402, "message": "No.", "expire": 60, "url": "https://example.org", "silent": False}

    assert {"type": "failure", **expected} == frames_to(PAGE, effects)[0]


def test_a_ban_lapses() -> None:
    """After its time the page may log in."""
    harness = ExchangeHarness()
    device = harness.linked()
    COMMANDS["ban"](harness.exchange, device, {"expire": 60})
    harness.clock.seconds += 59
    early = types_to("one", harness.exchange.opened(PageId("one"), hello(device=device)))
    harness.clock.seconds += 1
    late = types_to("two", harness.exchange.opened(PageId("two"), hello(device=device)))

    assert ["failure 402", "close"] == early
    assert ["success", "synced"] == late


@pytest.mark.parametrize(("command", "expected"), [("ban", "failure 402"), ("service-unavailable", "failure 503")])
def test_pages_without_a_login_are_refused_together(command: str, expected: str) -> None:
    """Those that wait for a phone, and those that come; a linked one is none of them."""
    harness = ExchangeHarness()
    device = harness.connected(PAGE)
    harness.unlinked("waiting")
    effects = COMMANDS[command](harness.exchange, UNLINKED, {"silent": True})
    later = harness.exchange.opened(PageId("later"), hello())

    assert [expected, "close"] == types_to("waiting", effects) == types_to("later", later)
    assert [True, True] == [frame["silent"] for frame in frames_to("waiting", effects) + frames_to("later", later)]
    assert [] == types_to(PAGE, effects)
    COMMANDS["online"](harness.exchange, UNLINKED, {})
    assert ["pair-device"] == types_to("last", harness.exchange.opened(PageId("last"), hello()))
    assert harness.exchange.page_of(device) == PAGE


def test_pages_without_a_login_lose_their_network_together() -> None:
    """Their sockets end, and no other's."""
    harness = ExchangeHarness()
    device = harness.connected(PAGE)
    harness.unlinked("waiting")
    effects = COMMANDS["offline"](harness.exchange, UNLINKED, {})

    assert (["close"], []) == (types_to("waiting", effects), types_to(PAGE, effects))
    assert (False, True) == (harness.exchange.online(None), harness.exchange.online(device))


def test_a_restriction_is_shown_at_each_login_until_it_ends() -> None:
    """The page has no memory of it."""
    harness = ExchangeHarness()
    device = harness.linked()
    COMMANDS["restrict"](harness.exchange, device, {"kind": "capping", "until": 5})
    (shown,) = [
        frame
        for frame in frames_to("one", harness.exchange.opened(PageId("one"), hello(device=device)))
        if frame["type"] == "restriction"
    ]
    COMMANDS["restrict"](harness.exchange, device, {"kind": "none"})

    assert {"type": "restriction", "kind": "capping", "until": 5.0} == shown
    assert ["success", "synced"] == types_to("two", harness.exchange.opened(PageId("two"), hello(device=device)))[-2:]


@pytest.mark.parametrize(
    ("command", "body", "fault"),
    [
        ("ban", {"code": 500}, "402"),
        ("send", {}, "needs text"),
        ("send", {"data": "???"}, "not base64"),
        ("send", {"data": 5}, "not base64"),
        ("send", {"size": -1}, "bytes"),
        ("fill", {"text": "hi"}, "the id"),
        ("edit", {"text": "hi"}, "target"),
        ("receipt", {"level": 1}, "level is 2"),
        ("receipt", {"ids": ["none"]}, "sent no such message"),
        ("acks", {"mode": "other"}, "given, withheld, late, refused"),
        ("presence", {"state": "other"}, "composing, recording"),
        ("dialog", {"kind": "other"}, "passkey, action-required, terms"),
        ("restrict", {"kind": "other"}, "timelock, capping, none"),
    ],
)
def test_a_wrong_body_is_refused_with_what_is_expected(command: str, body: dict[str, Any], fault: str) -> None:
    """The message names the values that work."""
    harness = ExchangeHarness()

    with pytest.raises(MalformedRequestError, match=fault):
        COMMANDS[command](harness.exchange, harness.connected(PAGE), body)
