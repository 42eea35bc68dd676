"""The key Secret is lost under a running operator: what is in memory is put back, and how often."""

import base64
import itertools
from typing import Any

import pytest
from unit.runtime.fakes import FakeClock
from unit.runtime.memory_api import Fault, MemoryApi
from unit.runtime.simulation import Simulation
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.process.keys import PUT_BACK_FIRST, PUT_BACK_LAST, BadKeySecret, KeyRing

NAMESPACE, NAME = "ops", "whatsapp-operator-keys"
OTHER = base64.b64encode(b"o" * 32).decode()


class Ring:
    """Two keys of one process, and what it tells of their loss."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.api = MemoryApi(now=self.clock.now)
        self.lost: list[tuple[str, bool]] = []
        self.keys = KeyRing(
            kube=Kube(self.api, timeout=30),
            clock=self.clock,
            namespace=NAMESPACE,
            name=NAME,
            on_lost=lambda what, put_back: self.lost.append((what, put_back)),
        )

    async def begin(self) -> dict[str, str]:
        """Make two keys; return the Secret's data."""
        await self.keys.load()
        await self.keys.rotate()
        return self.data

    @property
    def data(self) -> dict[str, str]:
        """What the Secret holds."""
        data: dict[str, str] = (self.api.get("secrets", NAMESPACE, NAME) or {}).get("data") or {}
        return data

    def change(self, data: dict[str, str | None] | None) -> None:
        """Change entries of the Secret; None: all is gone."""
        self.api.change("secrets", NAMESPACE, NAME, {"data": data})

    def delete(self) -> None:
        """Delete the Secret."""
        self.api.remove("secrets", NAMESPACE, NAME)


@pytest.fixture
async def ring() -> Ring:
    """A ring with two keys."""
    ring = Ring()
    await ring.begin()
    return ring


async def test_a_deleted_secret_is_put_back(ring: Ring) -> None:
    """Both keys, and which one is current; nothing that was made with them changes."""
    before, generation = ring.data, ring.keys.generation
    ring.delete()
    await ring.keys.load()

    assert (before, generation) == (ring.data, ring.keys.generation)
    assert [("the Secret", True)] == ring.lost


@pytest.mark.parametrize(
    "which", ["emptied", "retired", "current", "cut off", "garbled", "another", "no word", "bad word"]
)
async def test_what_is_taken_out_or_spoilt_is_put_back(ring: Ring, which: str) -> None:
    """In whatever way: a key never changes, so the one in memory is right."""
    before = ring.data
    (retired,) = before.keys() - {"current", ring.keys.current}
    changes: dict[str, Any] = {
        "emptied": None,
        "retired": {retired: None},
        "current": {ring.keys.current: None},
        "cut off": {ring.keys.current: base64.b64encode(b"short").decode()},
        "garbled": {ring.keys.current: "no base64!"},
        "another": {ring.keys.current: OTHER},
        "no word": {"current": None},
        "bad word": {"current": base64.b64encode(b"\xff\xfe").decode()},
    }
    ring.change(changes[which])
    await ring.keys.load()

    assert before == ring.data
    assert [True] == [put_back for _, put_back in ring.lost]


async def test_a_key_that_somebody_adds_is_taken(ring: Ring) -> None:
    """As a rotation by another process does, and a backup that is put back: with its word for the current one."""
    before = ring.data
    ring.change({"20270101t000000-aaaaaa": OTHER, "current": base64.b64encode(b"20270101t000000-aaaaaa").decode()})
    await ring.keys.load()

    assert "20270101t000000-aaaaaa" == ring.keys.current
    assert before.keys() < ring.data.keys()
    assert [] == ring.lost


async def test_another_secret_of_the_name_gets_the_keys_too(ring: Ring) -> None:
    """A tool made it with a key of its own, which becomes the current one; the pods' keys are beside it again."""
    before = ring.data
    ring.delete()
    data = {"current": base64.b64encode(b"theirs").decode(), "theirs": OTHER}
    ring.api.put("secrets", {"metadata": {"name": NAME, "namespace": NAMESPACE}, "data": data})
    await ring.keys.load()

    assert "theirs" == ring.keys.current
    assert {**before, **data} == ring.data


async def test_it_is_no_fight(ring: Ring) -> None:
    """Somebody deletes it each time: for a day it is put back at most every quarter of an hour, after the first ones."""
    times = []
    for _ in range(24 * 60):
        ring.api.objects["secrets"].pop((NAMESPACE, NAME), None)
        before = len(ring.lost)
        await ring.keys.load()
        if len(ring.lost) > before:
            times.append(ring.clock.seconds)
        await ring.clock.advance(60)

    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert [PUT_BACK_FIRST, 2 * PUT_BACK_FIRST, 4 * PUT_BACK_FIRST] == pauses[:3]
    assert {PUT_BACK_LAST} == set(pauses[4:])


async def test_the_end_puts_them_back_once_more(ring: Ring) -> None:
    """However lately they were put back: nobody remembers them afterwards."""
    before = ring.data
    for _ in range(2):
        ring.delete()
        await ring.keys.keep()

    assert before == ring.data
    assert [("the Secret", True)] * 2 == ring.lost


async def test_keys_that_were_never_read_are_not_kept() -> None:
    """An operator that ends before it has begun makes none."""
    ring = Ring()
    await ring.keys.keep()

    assert {} == ring.data


async def test_a_second_accident_is_mended_at_once(ring: Ring) -> None:
    """Hours later."""
    ring.delete()
    await ring.keys.load()
    await ring.clock.advance(4 * PUT_BACK_LAST)
    ring.delete()
    await ring.keys.load()

    assert 2 == len(ring.lost)
    assert ring.data


async def test_keys_that_cannot_be_put_back_still_count(ring: Ring) -> None:
    """It is told, and nothing else fails for it; later they are there again."""
    current = ring.keys.current
    ring.delete()
    ring.api.fault = lambda request, _: Fault(status=403) if request.method == "POST" else None
    await ring.keys.load()
    lost, key = list(ring.lost), ring.keys.key(current)
    ring.api.fault = lambda _request, _number: None
    await ring.clock.advance(PUT_BACK_FIRST)
    await ring.keys.load()

    assert ([("the Secret", False)], 32) == (lost, len(key))
    assert current in ring.data


async def test_a_secret_that_cannot_be_read_is_not_lost(ring: Ring) -> None:
    """What is in memory counts, and nothing is written."""
    writes = len(ring.api.writes)
    ring.api.fault = lambda _request, _number: Fault(status=403)
    await ring.keys.load()

    assert ([], writes) == (ring.lost, len(ring.api.writes))
    assert ring.keys.current


async def test_what_was_pruned_stays_away(ring: Ring) -> None:
    """Only a key that was lost comes back, not one that was taken away because nobody needs it."""
    await ring.clock.advance(3600)
    await ring.keys.prune(used=[])
    await ring.keys.load()

    assert {"current", ring.keys.current} == ring.data.keys()
    assert [] == ring.lost


async def test_a_key_after_its_last_day_is_not_brought_back(ring: Ring) -> None:
    """It may be taken out by hand."""
    (retired,) = ring.data.keys() - {"current", ring.keys.current}
    await ring.clock.advance(40 * 24 * 3600)
    ring.change({retired: None})
    await ring.keys.load()

    assert [] == ring.lost


async def test_a_new_process_knows_nothing_to_put_back(ring: Ring) -> None:
    """A Secret that it cannot read ends it with what to do, as before."""
    ring.change({"current": None})
    new = KeyRing(kube=Kube(ring.api, timeout=30), clock=ring.clock, namespace=NAMESPACE, name=NAME)

    with pytest.raises(BadKeySecret, match="restore it from a backup"):
        await new.load()


async def test_a_new_key_is_later_than_all_others() -> None:
    """Its id tells when the one before it was retired, also where the clock was set back between the two."""
    ring = Ring()
    await ring.keys.load()
    first = ring.keys.current
    ring.clock.set_by = -315_360_000
    ring.clock.begin_anew()
    await ring.keys.rotate()

    assert ring.keys.current > first
    assert not ring.keys.ended(first)


async def test_keys_that_were_deleted_are_there_after_the_stop(simulation: Simulation) -> None:
    """Whoever begins next finds the keys of the pods, also when no resync came in between."""
    await simulation.up("a")
    operator = simulation.operator
    assert operator is not None
    key = ("secrets", operator._config.namespace, operator._config.key_secret)
    before = simulation.api.get(*key)
    simulation.api.remove(*key)
    await operator.stop(within=5)

    assert before is not None
    assert before["data"] == (simulation.api.get(*key) or {})["data"]
