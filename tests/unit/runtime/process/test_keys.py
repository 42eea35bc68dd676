"""The key Secret: made once, rotated on demand, pruned when nobody needs a key."""

import base64
from datetime import timedelta

import pytest
from unit.runtime.fakes import FakeClock
from unit.runtime.memory_api import Fault, MemoryApi
from whatsapp_operator.core.model import KeyID
from whatsapp_operator.core.objects.names import operator_labels
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import Conflict, ServerError
from whatsapp_operator.runtime.process.keys import KEEP_RETIRED, RETIREMENT, BadKeySecret, KeyRing, UnknownKey

NAMESPACE, NAME = "ops", "whatsapp-operator-keys"
LATER = KEEP_RETIRED.total_seconds() + 1


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def api(clock: FakeClock) -> MemoryApi:
    """An empty API server."""
    return MemoryApi(now=clock.now)


def ring(api: MemoryApi, clock: FakeClock) -> KeyRing:
    """Return the keys as a process of its own would hold them."""
    return KeyRing(kube=Kube(api, timeout=30), clock=clock, namespace=NAMESPACE, name=NAME)


def stored(api: MemoryApi) -> dict[str, bytes]:
    """Return what the Secret holds."""
    data = (api.get("secrets", NAMESPACE, NAME) or {})["data"]
    return {name: base64.b64decode(value) for name, value in data.items()}


async def test_the_first_start_makes_a_key(api: MemoryApi, clock: FakeClock) -> None:
    """32 random bytes under an id that says when, and the word which one is current."""
    keys = ring(api, clock)

    await keys.load()

    assert stored(api) == {"current": keys.current.encode(), keys.current: keys.key(keys.current)}
    assert 32 == len(keys.key(keys.current))


async def test_the_secret_is_the_operators(api: MemoryApi, clock: FakeClock) -> None:
    """Labelled as the operator's own, of the instance whose Lease it is beside; a rotation leaves that alone."""
    await ring(api, clock).load()
    await ring(api, clock).rotate()

    labels = (api.get("secrets", NAMESPACE, NAME) or {})["metadata"]["labels"]
    assert operator_labels("whatsapp-operator") == labels


async def test_two_rings_have_different_keys(clock: FakeClock) -> None:
    """A key is drawn by chance, not derived from something that could be known."""
    rings = [ring(MemoryApi(now=clock.now), clock) for _ in range(2)]
    for keys in rings:
        await keys.load()

    assert 2 == len({keys.key(keys.current) for keys in rings})


async def test_the_next_start_reads_the_same_key(api: MemoryApi, clock: FakeClock) -> None:
    """Nothing is written when the Secret is there."""
    first, second = ring(api, clock), ring(api, clock)
    await first.load()
    await second.load()

    assert first.key(first.current) == second.key(second.current)
    assert 1 == len(api.writes)


async def test_a_secret_made_by_another_process_meanwhile_is_taken(api: MemoryApi, clock: FakeClock) -> None:
    """Both found none; the slower one uses the quicker one's key."""
    quick, slow = ring(api, clock), ring(api, clock)
    met = False

    def interrupt(_: object, number: int) -> Fault | None:
        nonlocal met
        if number == 1 and not met:
            met = True
            api.put("secrets", _secret())
        return None

    api.fault = interrupt
    await slow.load()
    await quick.load()

    assert "given" == slow.current == quick.current


async def test_the_answer_to_the_creation_may_be_lost(api: MemoryApi, clock: FakeClock) -> None:
    """The next load finds the key that was created."""
    keys = ring(api, clock)
    api.fault = lambda _request, number: Fault(committed=True, error=ServerError) if number == 1 else None
    with pytest.raises(ServerError):
        await keys.load()
    api.fault = lambda _request, _number: None

    await keys.load()

    assert 1 == len(api.writes)


async def test_rotation_adds_a_key_and_keeps_the_old_one(api: MemoryApi, clock: FakeClock) -> None:
    """Pods of the old key can still be spoken to."""
    keys = ring(api, clock)
    await keys.load()
    old, old_key = keys.current, keys.key(keys.current)
    await clock.advance(60)

    new = await keys.rotate()

    assert new == keys.current != old
    assert old_key == keys.key(old) != keys.key(new)
    assert new.encode() == stored(api)["current"]


async def test_a_running_operator_learns_of_a_rotation(api: MemoryApi, clock: FakeClock) -> None:
    """The command runs in a process of its own; the operator reads the Secret at each resync."""
    running, command = ring(api, clock), ring(api, clock)
    await running.load()
    new = await command.rotate()

    await running.load()

    assert new == running.current


async def test_two_rotations_at_once_do_not_undo_each_other(api: MemoryApi, clock: FakeClock) -> None:
    """The second one meets a conflict, and its caller hears of it."""
    keys = ring(api, clock)
    await keys.load()

    def interrupt(_: object, number: int) -> Fault | None:
        if number == 2:
            api.change("secrets", NAMESPACE, NAME, {"data": {"other": base64.b64encode(b"x" * 32).decode()}})
        return None

    api.fault = interrupt

    with pytest.raises(Conflict):
        await keys.rotate()


async def test_an_unused_old_key_is_deleted_after_a_while(api: MemoryApi, clock: FakeClock) -> None:
    """Not at once: a pod made with it may be on its way."""
    keys = ring(api, clock)
    await keys.load()
    old = keys.current
    await clock.advance(60)
    new = await keys.rotate()
    await keys.prune(used=[])
    early = set(stored(api))
    await clock.advance(LATER)

    await keys.prune(used=[])

    assert {"current", old, new} == early
    assert {"current", new} == set(stored(api))
    with pytest.raises(UnknownKey):
        keys.key(old)


async def test_a_used_old_key_is_kept(api: MemoryApi, clock: FakeClock) -> None:
    """As long as one pod bears its id."""
    keys = ring(api, clock)
    await keys.load()
    old = keys.current
    await clock.advance(60)
    await keys.rotate()
    await clock.advance(LATER)

    await keys.prune(used=[old])

    assert old in stored(api)


async def test_a_used_old_key_is_deleted_on_its_last_day(api: MemoryApi, clock: FakeClock) -> None:
    """A month after its retirement, whatever uses it."""
    keys = ring(api, clock)
    await keys.load()
    old = keys.current
    await clock.advance(60)
    await keys.rotate()
    retired = clock.now()
    clock.seconds += RETIREMENT.total_seconds() - 1

    await keys.prune(used=[old])
    kept, last_day, ended = old in stored(api), keys.last_day(old), keys.ended(old)
    clock.seconds += 1
    gone = keys.ended(old)
    await keys.prune(used=[old])

    assert (True, retired + RETIREMENT, False, True) == (kept, last_day, ended, gone)
    assert old not in stored(api)
    assert keys.ended(old)


async def test_the_current_key_has_no_last_day(api: MemoryApi, clock: FakeClock) -> None:
    """However old it is; one that nobody knows ended long ago."""
    keys = ring(api, clock)
    await keys.load()
    clock.seconds += 10 * RETIREMENT.total_seconds()

    assert (None, False) == (keys.last_day(keys.current), keys.ended(keys.current))
    assert keys.ended(KeyID("from-a-foreign-label"))


async def test_later_rotations_do_not_move_a_last_day(api: MemoryApi, clock: FakeClock) -> None:
    """It is read from the successor, so that is kept as long as its predecessor, used or not."""
    keys = ring(api, clock)
    await keys.load()
    old = keys.current
    await clock.advance(60)
    await keys.rotate()
    last_day = keys.last_day(old)
    for _ in range(3):
        clock.seconds += timedelta(days=5).total_seconds()
        await keys.rotate()
        clock.seconds += LATER
        await keys.prune(used=[old])

    again = ring(api, clock)
    await again.load()
    assert (last_day, last_day) == (keys.last_day(old), again.last_day(old))

    clock.seconds += RETIREMENT.total_seconds()
    await keys.prune(used=[old])
    assert {"current", keys.current} == set(stored(api))


async def test_a_key_made_current_again_retires_the_younger_one(api: MemoryApi, clock: FakeClock) -> None:
    """By hand: when is not written anywhere, so the younger one's own age counts."""
    keys = ring(api, clock)
    await keys.load()
    old = keys.current
    await clock.advance(60)
    younger, made = await keys.rotate(), clock.now()
    secret = api.get("secrets", NAMESPACE, NAME) or {}
    data = {**secret["data"], "current": base64.b64encode(old.encode()).decode()}
    api.change("secrets", NAMESPACE, NAME, {"data": data})

    await keys.load()

    assert (None, made + RETIREMENT) == (keys.last_day(old), keys.last_day(younger))


async def test_pruning_writes_nothing_when_there_is_nothing_to_prune(api: MemoryApi, clock: FakeClock) -> None:
    """At rest nothing is written."""
    keys = ring(api, clock)
    await keys.load()
    await clock.advance(LATER)

    await keys.prune(used=[])

    assert 1 == len(api.writes)


async def test_pruning_gives_way_to_a_rotation(api: MemoryApi, clock: FakeClock) -> None:
    """A Secret that changed meanwhile is left alone until the next resync."""
    keys = ring(api, clock)
    await keys.load()
    old = keys.current
    await clock.advance(60)
    await keys.rotate()
    await clock.advance(LATER)
    await ring(api, clock).rotate()

    await keys.prune(used=[])

    assert old in stored(api)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"current": "!!!"},
        {"current": base64.b64encode(b"missing").decode()},
        {"current": base64.b64encode(b"short").decode(), "short": base64.b64encode(b"x" * 31).decode()},
        {"current": base64.b64encode("ümlaut".encode()).decode()},
    ],
)
async def test_an_unusable_secret_stops_the_operator_with_advice(
    api: MemoryApi, clock: FakeClock, data: dict[str, str]
) -> None:
    """It is not replaced: tokens of running pods come from it, and a backup may exist."""
    api.put("secrets", {"metadata": {"name": NAME, "namespace": NAMESPACE}, "data": data})

    with pytest.raises(BadKeySecret, match="restore it from a backup"):
        await ring(api, clock).load()

    assert [] == api.writes


async def test_a_key_named_by_hand_counts_as_old(api: MemoryApi, clock: FakeClock) -> None:
    """A person may have put a key of their own there; the age of its successor is then unknown, and long ago."""
    api.put("secrets", _secret(extra={"older": base64.b64encode(b"y" * 32).decode()}))
    keys = ring(api, clock)
    await keys.load()

    await keys.prune(used=[])

    assert {"current", "given"} == set(stored(api))


async def test_keys_are_not_shown(api: MemoryApi, clock: FakeClock) -> None:
    """Whatever prints the ring's content by mistake prints no key."""
    keys = ring(api, clock)
    await keys.load()

    assert repr(keys.key(keys.current)) not in repr(keys._loaded)


def test_reading_before_loading_is_a_fault(api: MemoryApi, clock: FakeClock) -> None:
    """No token is ever made from nothing."""
    with pytest.raises(RuntimeError):
        _ = ring(api, clock).current


def test_ids_sort_by_their_time() -> None:
    """A person sees which key is the newest."""
    assert timedelta(minutes=10) == KEEP_RETIRED
    assert KeyID("20260102t030405-aaaaaa") < KeyID("20260102t030505-000000")


def _secret(extra: dict[str, str] | None = None) -> dict[str, object]:
    data = {"current": base64.b64encode(b"given").decode(), "given": base64.b64encode(b"k" * 32).decode()}
    return {"metadata": {"name": NAME, "namespace": NAMESPACE}, "data": {**data, **(extra or {})}}
