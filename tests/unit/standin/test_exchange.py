"""The protocol: linking, logging in, being replaced, removed or cut off, as lists of calls and frames."""

import pytest
from standin.errors import (
    ExpiredQrError,
    MalformedRequestError,
    PageAbsentError,
    UnknownDeviceError,
    UnknownQrError,
)
from standin.exchange import Confirmed, SendLater
from standin.frames import DeviceId, PageId
from standin.settings import Timing
from unit.standin.exchange_harness import ExchangeHarness, frames_to, hello, types_to

PAGE = PageId("page")


def test_an_unlinked_page_gets_a_round_of_references() -> None:
    """With the lifetimes in milliseconds, as the page counts."""
    harness = ExchangeHarness(Timing(first_ref=2.0, next_ref=0.5))
    (frame,) = frames_to(PAGE, harness.exchange.opened(PAGE, hello()))

    assert ("pair-device", 6, 2000, 500) == (frame["type"], len(frame["refs"]), frame["firstTTL"], frame["nextTTL"])


def test_linking_takes_a_scan_and_the_pages_answer() -> None:
    """The device is listed when the page has stored its login, then the page is told to connect anew."""
    harness = ExchangeHarness()
    device, effects = harness.exchange.scan(harness.unlinked()[3])

    assert ["pair-success"] == types_to(PAGE, effects)
    assert [] == list(harness.exchange.devices)
    effects = harness.exchange.received(PAGE, {"type": "paired", "device": device})
    assert ["confirmed", "stream-error restart", "close"] == types_to(PAGE, effects)
    assert Confirmed(device) in effects
    assert [device] == [one.identifier for one in harness.exchange.devices]


def test_a_code_links_once() -> None:
    """The second scan of any code of the round finds it expired."""
    harness = ExchangeHarness()
    texts = harness.unlinked()
    harness.exchange.scan(texts[0])

    for text in texts:
        with pytest.raises(ExpiredQrError):
            harness.exchange.scan(text)


def test_the_code_of_a_page_that_left_is_expired() -> None:
    """Closing the page ends its round."""
    harness = ExchangeHarness()
    text = harness.unlinked()[0]
    harness.exchange.closed(PAGE)

    with pytest.raises(ExpiredQrError):
        harness.exchange.scan(text)


def test_a_code_with_foreign_keys_is_refused() -> None:
    """Who mangles the text between page and phone learns it, instead of linking something else."""
    harness = ExchangeHarness()
    text = harness.unlinked()[0].replace("noise-a", "noise-b")

    with pytest.raises(MalformedRequestError, match="not those of the page"):
        harness.exchange.scan(text)
    with pytest.raises(UnknownQrError):
        harness.exchange.scan(text.replace("2@t1", "2@other"))


def test_a_page_that_never_confirms_leaves_no_device() -> None:
    """An abandoned scan is forgotten; a late confirmation is answered with the end of the connection."""
    harness = ExchangeHarness()
    device, _ = harness.exchange.scan(harness.unlinked()[0])
    harness.exchange.abandon(device)

    assert ["close"] == types_to(PAGE, harness.exchange.received(PAGE, {"type": "paired", "device": device}))
    assert [] == list(harness.exchange.devices)


def test_abandoning_leaves_a_confirmed_device_alone() -> None:
    """The waiting for a page may end in the moment it confirms."""
    harness = ExchangeHarness()
    device = harness.linked()
    harness.exchange.abandon(device)

    assert [device] == [one.identifier for one in harness.exchange.devices]


@pytest.mark.parametrize(("login", "seconds"), [(1, 0.3), (2, 0.05)])
def test_a_login_is_accepted_and_then_synchronised(login: int, seconds: float) -> None:
    """The first login of a device synchronises longer than later ones."""
    harness = ExchangeHarness()
    device = harness.linked()
    for number in range(1, login):
        harness.exchange.opened(PageId(f"before-{number}"), hello(device=device))
        harness.exchange.closed(PageId(f"before-{number}"))
    effects = harness.exchange.opened(PAGE, hello(device=device))

    assert ["success", "synced"] == types_to(PAGE, effects)
    assert [seconds] == [effect.seconds for effect in effects if isinstance(effect, SendLater)]
    assert PAGE == harness.exchange.page_of(device)


def test_a_scan_can_ask_for_a_slow_synchronisation() -> None:
    """It holds from the first login on, when there is no device yet to send a command to."""
    harness = ExchangeHarness()
    device, _ = harness.exchange.scan(harness.unlinked()[0], sync_seconds=7.0)
    harness.exchange.received(PAGE, {"type": "paired", "device": device})
    effects = harness.exchange.opened(PageId("again"), hello(device=device))

    assert [7.0] == [effect.seconds for effect in effects if isinstance(effect, SendLater)]


@pytest.mark.parametrize("keys", ["b", "ab"])
def test_a_login_with_other_keys_is_refused(keys: str) -> None:
    """401 for a stranger, and for a profile in which one of the two halves is not its own."""
    harness = ExchangeHarness()
    device = harness.linked()
    greeting = hello(device=device, keys="a")
    greeting = (
        hello(device=device, keys="b")
        if keys == "b"
        else greeting.__class__(**{**vars(greeting), "identity_key": "other"})
    )

    assert ["failure 401", "close"] == types_to(PAGE, harness.exchange.opened(PAGE, greeting))


def test_a_login_of_an_unknown_device_is_refused() -> None:
    """After the phone forgot it, or the server its memory."""
    assert ["failure 401", "close"] == types_to(PAGE, ExchangeHarness().exchange.opened(PAGE, hello(device="device-9")))


def test_the_newest_connection_of_a_device_wins() -> None:
    """The older one is told `replaced` and closed; its end afterwards does not disconnect the newer one."""
    harness = ExchangeHarness()
    device = harness.connected("old")
    effects = harness.exchange.opened(PageId("new"), hello(device=device))

    assert ["stream-error replaced", "close"] == types_to("old", effects)
    assert ["success", "synced"] == types_to("new", effects)
    harness.exchange.closed(PageId("old"))
    assert PageId("new") == harness.exchange.page_of(device)


def test_unlinking_notifies_the_page_and_forgets_the_device() -> None:
    """Its next login is refused."""
    harness = ExchangeHarness()
    device = harness.connected("again")

    assert ["stream-error device_removed", "close"] == types_to("again", harness.exchange.unlink(device))
    with pytest.raises(UnknownDeviceError, match="Linked: none"):
        harness.exchange.unlink(device)
    assert ["failure 401", "close"] == types_to(PAGE, harness.exchange.opened(PAGE, hello(device=device)))


def test_the_page_can_log_out() -> None:
    """The user's own logout removes the device from the phone."""
    harness = ExchangeHarness()
    device = harness.connected("again")

    assert ["close"] == types_to("again", harness.exchange.received(PageId("again"), {"type": "logout"}))
    assert DeviceId("device-1") == device
    assert [] == list(harness.exchange.devices)


def test_what_a_page_sends_is_kept_and_acknowledged() -> None:
    """The phone lists it with everything it carried."""
    harness = ExchangeHarness()
    device = harness.connected("again")
    sent = {"type": "send", "id": "3EB01", "to": "15550100777@c.us", "kind": "chat", "body": "hi"}
    effects = harness.exchange.received(PageId("again"), sent)

    assert [{"type": "ack", "id": "3EB01", "t": 1_000_000}] == frames_to("again", effects)
    assert [{"id": "3EB01", "to": "15550100777@c.us", "t": 1_000_000, "kind": "chat", "body": "hi"}] == [
        message.to_json() for message in harness.exchange.devices.get(device).sent
    ]


@pytest.mark.parametrize(
    "frame",
    [{"type": "send", "id": "1"}, {"type": "send", "to": "x"}, {"type": "nonsense"}, {}, {"type": "link-code"}],
)
def test_a_wrong_frame_of_a_linked_page_is_an_error(frame: dict[str, str]) -> None:
    """A page that breaks the protocol is a defect of the page, not something to be quiet about."""
    harness = ExchangeHarness()
    harness.connected("again")

    with pytest.raises(MalformedRequestError):
        harness.exchange.received(PageId("again"), frame)


@pytest.mark.parametrize("kind", ["send", "logout"])
def test_an_unlinked_page_cannot_act_as_a_device(kind: str) -> None:
    """It has nothing to send with and nothing to log out of."""
    harness = ExchangeHarness()
    harness.unlinked()

    with pytest.raises(MalformedRequestError, match=kind):
        harness.exchange.received(PAGE, {"type": kind, "id": "1", "to": "x"})


def test_a_ping_is_answered() -> None:
    """That is how a page notices a network that died without a goodbye."""
    harness = ExchangeHarness()
    harness.unlinked()

    assert ["pong"] == types_to(PAGE, harness.exchange.received(PAGE, {"type": "ping"}))


def test_a_replaced_page_is_sent_away_when_it_speaks() -> None:
    """A frame of a connection that is no longer known ends it."""
    assert ["close"] == types_to(PAGE, ExchangeHarness().exchange.received(PAGE, {"type": "ping"}))


def test_a_code_to_type_links_like_a_scan() -> None:
    """The page is told that somebody typed, then that it is paired; references and code end."""
    harness = ExchangeHarness()
    text = harness.unlinked()[0]
    (given,) = frames_to(PAGE, harness.exchange.received(PAGE, {"type": "link-code", "phone": "15550100321"}))
    device, effects = harness.exchange.enter_code(given["code"])

    assert ["code-entered", "pair-success"] == types_to(PAGE, effects)
    assert ["confirmed", "stream-error restart", "close"] == types_to(
        PAGE, harness.exchange.received(PAGE, {"type": "paired", "device": device})
    )
    with pytest.raises(ExpiredQrError):
        harness.exchange.scan(text)
    with pytest.raises(ExpiredQrError):
        harness.exchange.enter_code(given["code"])


def test_an_account_with_a_passkey_links_nothing() -> None:
    """The page stops at the question and its code cannot be scanned again."""
    harness = ExchangeHarness()
    text = harness.unlinked()[0]

    assert ["passkey-required"] == types_to(PAGE, harness.exchange.scan_with_passkey(text))
    assert [] == list(harness.exchange.devices)
    with pytest.raises(ExpiredQrError):
        harness.exchange.scan(text)


def test_a_passkey_is_confirmed_and_then_links() -> None:
    """The page that asked is told of the confirmation, and paired like any other."""
    harness = ExchangeHarness()
    harness.exchange.scan_with_passkey(harness.unlinked()[0])

    assert ["passkey-confirmation"] == types_to(PAGE, harness.exchange.confirm_passkey())
    _, effects = harness.exchange.link_with_passkey()
    assert ["pair-success"] == types_to(PAGE, effects)
    with pytest.raises(PageAbsentError, match="passkey"):
        harness.exchange.link_with_passkey()


def test_a_passkey_that_is_given_up_leads_to_other_codes() -> None:
    """Only of the page that asked for it, and once."""
    harness = ExchangeHarness()
    old = harness.unlinked()[0]
    harness.unlinked("other", keys="b")
    harness.exchange.scan_with_passkey(old)
    effects = harness.exchange.end_passkey()

    assert (["pair-device"], []) == (types_to(PAGE, effects), types_to("other", effects))
    assert old.split(",")[0] not in frames_to(PAGE, effects)[0]["refs"]
    assert [] == harness.exchange.end_passkey()


def test_finishing_a_round_concerns_the_waiting_pages() -> None:
    """Linked pages hear nothing of it."""
    harness = ExchangeHarness()
    harness.connected("linked")
    text = harness.unlinked("waiting", keys="b")[0]
    effects = harness.exchange.expire_round()

    assert (["refs-used-up"], []) == (types_to("waiting", effects), types_to("linked", effects))
    with pytest.raises(ExpiredQrError):
        harness.exchange.scan(text)


def test_commands_that_need_a_page_say_when_there_is_none() -> None:
    """The message tells where to look."""
    harness = ExchangeHarness()
    device = harness.linked()

    with pytest.raises(PageAbsentError, match="No page of device-1 is connected"):
        harness.exchange.connected_page(device)
