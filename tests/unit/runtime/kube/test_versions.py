"""Versions that go back: which answers show it, and which never do."""

from typing import Any

import pytest
from unit.runtime.memory_api import Json, MemoryApi
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.runtime.kube.client import Kube, Request, Response
from whatsapp_operator.runtime.kube.resources import PODS, SESSIONS
from whatsapp_operator.runtime.kube.store import Store
from whatsapp_operator.runtime.kube.versions import Versions
from whatsapp_operator.runtime.reconcile.observer import no_index_keys

A = ObjectKey("shop", "a")


def pod(version: int, *, uid: str = "one", name: str = "a", phase: str = "Running") -> Json:
    """Return a pod."""
    metadata = {"namespace": "shop", "name": name, "uid": uid, "resourceVersion": str(version)}
    return {"metadata": metadata, "status": {"phase": phase}}


class Known:
    """A store whose versions are looked at."""

    def __init__(self, *objects: Json, listed: int = 0) -> None:
        self.versions = Versions()
        self.store = Store({PODS: no_index_keys}, versions=self.versions)
        for obj in objects:
            self.store.put(PODS, obj)
        if listed:
            self.store.complete_list(PODS, version=listed)

    def list(self, *objects: Json, version: int) -> None:
        """Let a LIST find these."""
        for _ in self.store.replace(PODS, objects, version=version):
            pass
        self.store.complete_list(PODS, version=version)

    def phase(self) -> Any:
        """Return the phase of the pod a as known."""
        found = self.store.get(PODS, A)
        return found["status"]["phase"] if found else None


def test_nothing_has_gone_back_at_first() -> None:
    """Whatever the first versions are."""
    known = Known(pod(7), listed=9)

    assert known.versions.went_back is None


@pytest.mark.parametrize(("version", "went_back"), [(11, False), (10, False), (9, True), (0, False)])
def test_a_list_is_newer_than_what_was_known_before(version: int, *, went_back: bool) -> None:
    """Of the same kind; a server that names no version says nothing."""
    versions = Versions()
    versions.saw(PODS, 10)
    versions.answered(PODS, version, known=versions.newest(PODS))
    versions.answered(SESSIONS, 1, known=versions.newest(SESSIONS))

    assert went_back is (versions.went_back is not None)


def test_what_changed_while_the_list_was_on_its_way_is_no_proof() -> None:
    """A watch may report something newer before the answer is there."""
    versions = Versions()
    known = versions.newest(PODS)
    versions.saw(PODS, 20)
    versions.answered(PODS, 12, known=known)

    assert versions.went_back is None


def test_an_object_older_than_known_in_a_newer_list_shows_it() -> None:
    """An etcd that counts on from a higher number; what the list says is taken."""
    known = Known(pod(10, phase="Failed"), listed=10)
    known.list(pod(5), version=1_000_000)

    assert known.versions.went_back == "pods shop/a is at version 5, and was at 10 before"
    assert known.phase() == "Running"


def test_another_object_of_the_same_version_shows_it() -> None:
    """Two histories with the same numbers."""
    known = Known(pod(10), listed=10)
    known.list(pod(10, uid="another"), version=11)

    assert known.versions.went_back is not None


def test_a_list_is_right_about_what_is_older_than_itself() -> None:
    """The same object, the same version, other words: two histories met at this number."""
    known, other = Known(pod(10, phase="Pending"), listed=10), pod(10, phase="Failed")
    other["metadata"]["generation"] = 2
    known.list(other, version=12)

    assert (None, "Failed") == (known.versions.went_back, known.phase())


def test_an_object_that_changed_while_the_list_was_on_its_way_stays() -> None:
    """It is newer than the list."""
    known = Known(pod(10), listed=10)
    known.store.put(PODS, pod(15, phase="Failed"))
    known.list(pod(10), version=12)

    assert (None, "Failed") == (known.versions.went_back, known.phase())


def test_a_late_event_is_no_proof() -> None:
    """The answer to an own write overtook it."""
    known = Known(pod(10), listed=10)
    known.store.put(PODS, pod(12))
    known.store.put(PODS, pod(11))
    known.store.remove(PODS, pod(9, name="b"))

    assert known.versions.went_back is None


def test_an_object_read_again_is_no_older() -> None:
    """As after a conflict."""
    versions = Versions()
    versions.read_again(PODS, pod(10), pod(10))
    versions.read_again(PODS, pod(10), pod(11, uid="another"))
    before = versions.went_back
    versions.read_again(PODS, pod(11), pod(9))

    assert before is None
    assert versions.went_back == "pods shop/a is at version 9, and was at 11 before"


async def test_a_created_object_is_newer_than_all_that_was_known() -> None:
    """So a write notices it before the next list does."""
    api = MemoryApi(version=500)
    kube = Kube(api, timeout=30)
    await kube.list(PODS)
    await kube.create(PODS, {"metadata": {"name": "a", "namespace": "shop"}})
    before = kube.versions.went_back
    api.version = 300
    await kube.create(PODS, {"metadata": {"name": "b", "namespace": "shop"}})

    assert before is None
    assert kube.versions.went_back is not None


async def test_a_beginning_forgets() -> None:
    """What was known of the old data is compared with nothing."""
    api = MemoryApi(version=500)
    kube = Kube(api, timeout=30)
    await kube.list(PODS)
    api.version = 300
    await kube.list(PODS)
    went_back = kube.versions.went_back
    kube.versions.forget()
    await kube.list(PODS)

    assert went_back is not None
    assert kube.versions.went_back is None


async def test_the_pages_of_a_list_are_of_one_moment() -> None:
    """The first page names it, whatever a later one says."""
    pages = [
        {"metadata": {"resourceVersion": "10", "continue": "x"}, "items": [pod(3)]},
        {"metadata": {"resourceVersion": "12"}, "items": [pod(4, name="b")]},
    ]

    class Server:
        async def send(self, _request: Request) -> Response:
            return Response(status=200, body=pages.pop(0))

    listing = await Kube(Server(), timeout=30).list(PODS)

    assert (10, 2) == (listing.version, len(listing.objects))
