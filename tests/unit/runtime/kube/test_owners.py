"""Whose the objects in the store are: with the sessions that are in it, and the operator's seals."""

from typing import Any

import pytest
from unit.runtime.fakes import FakeClock
from unit.runtime.memory_api import MemoryApi
from whatsapp_operator.core.model import KeyID, Seal, SealedKind, SessionUID
from whatsapp_operator.core.objects.seal import read_seal
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.owners import Owners, session_index_keys
from whatsapp_operator.runtime.kube.resources import PODS, SESSIONS
from whatsapp_operator.runtime.kube.store import Store
from whatsapp_operator.runtime.process import seals
from whatsapp_operator.runtime.process.keys import KeyRing
from whatsapp_operator.runtime.process.seals import Seals
from whatsapp_operator.runtime.reconcile.observer import pod_index_keys

Json = dict[str, Any]


def pod(*, name: str = "sales", namespace: str = "shop", owner: str | None = "u-1", owner_name: str = "sales") -> Json:
    """Return a pod with an owner reference to a session."""
    owners = [
        {
            "apiVersion": "wasession.dev/v1alpha1",
            "kind": "WhatsAppSession",
            "name": owner_name,
            "uid": owner,
            "controller": True,
        }
    ]
    labels = {"wasession.dev/session-uid": "u-1", "wasession.dev/key-id": "from-the-label"}
    metadata = {"name": name, "namespace": namespace, "uid": f"{namespace}-{name}", "resourceVersion": "7"}
    return {"metadata": metadata | {"labels": labels, "ownerReferences": owners if owner else []}}


class Place:
    """A store with the session shop/sales, and the keys."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        kube = Kube(MemoryApi(now=self.clock.now), timeout=30)
        self.keys = KeyRing(kube=kube, clock=self.clock, namespace="ops", name="keys")
        self.seals = Seals(self.keys)
        self.store = Store({SESSIONS: session_index_keys, PODS: pod_index_keys})
        metadata = {"name": "sales", "namespace": "shop", "uid": "u-1", "resourceVersion": "5"}
        self.store.put(SESSIONS, {"metadata": metadata})
        self.owners = Owners(self.store, self.seals.read)

    def sealed(self, obj: Json, *, uid: str = "u-1") -> Json:
        """Return the object with a seal of the current key."""
        content = Seal(key_id=self.keys.current, session_uid=SessionUID(uid), quota="default", memory=1)
        return self.seals.set(obj, content, kind=SealedKind.POD)

    def session_with(self, obj: Json) -> SessionUID | None:
        """Return the session that a pod belongs to, by whatever proof."""
        proof = self.owners.prove(obj, SealedKind.POD)
        return None if proof is None else proof.session_uid


@pytest.fixture
async def place() -> Place:
    """A place with its first key."""
    made = Place()
    await made.keys.load()
    return made


async def test_a_pod_of_ours_has_a_session_a_key_and_a_place_in_history(place: Place) -> None:
    """The seal names the key."""
    made = place.sealed(pod())

    assert ("u-1", "u-1", place.keys.current) == (
        place.session_with(made),
        place.owners.own_pods_session(made),
        place.owners.key_id(made),
    )


async def test_an_older_operators_pod_is_its_sessions(place: Place) -> None:
    """It has the session's name and no seal; its label names the key."""
    assert ("u-1", "u-1", "from-the-label") == (
        place.session_with(pod()),
        place.owners.own_pods_session(pod()),
        place.owners.key_id(pod()),
    )


async def test_a_second_pod_with_our_owner_is_no_restart(place: Place) -> None:
    """A person made it beside ours."""
    assert place.owners.own_pods_session(pod(name="debug")) is None


@pytest.mark.parametrize(
    "stranger",
    [pod(namespace="elsewhere"), pod(owner=None), pod(owner="u-2")],
    ids=["another namespace", "a label alone", "a session that is not there"],
)
async def test_a_pod_that_proves_nothing_keeps_no_key_and_restarts_nobody(place: Place, stranger: Json) -> None:
    """Whatever its labels say."""
    assert (None, None, None) == (
        place.session_with(stranger),
        place.owners.own_pods_session(stranger),
        place.owners.key_id(stranger),
    )


async def test_a_session_that_is_gone_owns_nothing_more(place: Place) -> None:
    """But what the operator sealed for it."""
    session = place.store.get(SESSIONS, next(iter(place.store.keys(SESSIONS))))
    assert session is not None
    place.store.remove(SESSIONS, session)

    assert place.session_with(pod()) is None
    assert "u-1" == place.session_with(place.sealed(pod()))


async def test_pods_of_other_namespaces_are_not_even_looked_at(place: Place) -> None:
    """The index keeps a namespace's pods apart: thousands that name a session cost it nothing."""
    place.store.put(PODS, pod(namespace="elsewhere"))
    place.store.put(PODS, pod())

    assert [pod()] == place.store.by_index(PODS, "shop/u-1")
    assert set() == set(pod_index_keys(pod(owner=None)))


async def test_a_seal_ends_with_its_keys_last_day(place: Place) -> None:
    """Also while the key is still in the Secret."""
    made = place.sealed(pod(owner=None))
    await place.clock.advance(60)
    await place.keys.rotate()
    last_day = place.keys.last_day(KeyID(place.owners.key_id(made) or ""))
    assert last_day is not None

    place.clock.seconds += (last_day - place.clock.now()).total_seconds() - 1
    before = place.session_with(made)
    place.clock.seconds += 1

    assert ("u-1", None) == (before, place.session_with(made))


async def test_a_seal_is_verified_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is asked for, and however often its pod's status changes; a forged one, too."""
    verified: list[str] = []
    monkeypatch.setattr("whatsapp_operator.runtime.process.seals.read_seal", lambda text, **_: verified.append(text))
    made = place.sealed(pod())
    for version in range(50):
        made["metadata"]["resourceVersion"] = str(version)
        place.session_with(made)
        await place.keys.load()

    assert 1 == len(verified)


async def test_a_reader_in_a_thread_is_not_disturbed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """An admission round reads while the loop replaces what is remembered."""
    made = place.sealed(pod(owner=None))
    other = place.sealed(pod(name="other", owner=None))
    monkeypatch.setattr(seals, "CACHE_SIZE", 1)

    def interrupted(text: str, **asked: Any) -> Seal | None:
        monkeypatch.setattr(seals, "read_seal", read_seal)
        place.seals.read(other, SealedKind.POD)
        place.seals.read(other, SealedKind.POD)
        return read_seal(text, **asked)

    monkeypatch.setattr(seals, "read_seal", interrupted)

    assert "u-1" == place.session_with(made)


async def test_other_keys_ask_anew(place: Place) -> None:
    """A seal of a key that was not there yet is believed once it is."""
    before = place.keys.generation
    made = place.sealed(pod(owner=None))
    await place.clock.advance(60)
    await place.keys.rotate()
    after = place.sealed(pod(owner=None))

    assert before < place.keys.generation
    assert ("u-1", "u-1") == (place.session_with(made), place.session_with(after))
