"""The store: events, LISTs and own writes overtake each other, and the newest truth stays."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.runtime.kube.resources import PODS, SESSIONS, Json, Resource
from whatsapp_operator.runtime.kube.store import Change, Store

KEY = ObjectKey("shop", "a")


def pod(version: int, *, name: str = "a", namespace: str = "shop", uid: str = "u1", label: str = "x") -> Json:
    """Return a pod as of a version."""
    metadata = {
        "namespace": namespace,
        "name": name,
        "uid": uid,
        "resourceVersion": str(version),
        "labels": {"word": label},
    }
    return {"metadata": metadata}


def replace(store: Store, objects: list[Json], **how: Any) -> list[Change]:
    """Store a full LIST to its end; return what changed."""
    return [change for change in store.replace(PODS, objects, **how) if change]


@pytest.fixture
def store() -> Store:
    """An empty store that indexes pods by a label."""
    return Store({PODS: lambda obj: [obj["metadata"]["labels"]["word"]], SESSIONS: lambda _: []})


def test_what_was_put_is_there(store: Store) -> None:
    """An event's object can be had."""
    change = store.put(PODS, pod(5))

    assert (None, pod(5)) == change
    assert pod(5) == store.get(PODS, KEY)


def test_an_older_event_changes_nothing(store: Store) -> None:
    """A delayed event does not turn time back."""
    store.put(PODS, pod(9))

    assert not store.put(PODS, pod(5))
    assert pod(9) == store.get(PODS, KEY)


def test_the_same_version_is_no_change(store: Store) -> None:
    """The event of an own write, whose answer is known already, wakes nobody."""
    store.put(PODS, pod(9))

    assert not store.put(PODS, pod(9))


def test_versions_are_numbers(store: Store) -> None:
    """10 is newer than 9, though not as a text."""
    store.put(PODS, pod(9))
    store.put(PODS, pod(10))

    assert pod(10) == store.get(PODS, KEY)


def test_a_deleted_object_is_gone(store: Store) -> None:
    """A DELETED event removes."""
    store.put(PODS, pod(5))

    assert (pod(5), None) == store.remove(PODS, pod(6))
    assert store.get(PODS, KEY) is None
    assert [] == store.by_index(PODS, "x")


def test_a_late_event_does_not_bring_a_deleted_object_back(store: Store) -> None:
    """No phantom after: deleted, then an older MODIFIED."""
    store.put(PODS, pod(5))
    store.remove(PODS, pod(8))

    assert not store.put(PODS, pod(7))
    assert store.get(PODS, KEY) is None


def test_an_older_list_does_not_bring_a_deleted_object_back(store: Store) -> None:
    """No phantom after: LIST read, pod deleted, event taken, LIST taken."""
    store.put(PODS, pod(5))
    store.remove(PODS, pod(8))

    replace(store, [pod(5)], version=6)
    store.complete_list(PODS, version=6)

    assert store.get(PODS, KEY) is None
    assert not store.put(PODS, pod(7))


def test_the_deletion_of_an_earlier_object_of_that_name_is_ignored(store: Store) -> None:
    """A pod was deleted and made anew; the deletion's event comes last."""
    store.put(PODS, pod(9, uid="u2"))

    assert not store.remove(PODS, pod(7, uid="u1"))
    assert pod(9, uid="u2") == store.get(PODS, KEY)


def test_a_new_object_after_a_deletion_is_taken(store: Store) -> None:
    """A tombstone is no ban."""
    store.remove(PODS, pod(8))
    store.put(PODS, pod(9, uid="u2"))

    assert pod(9, uid="u2") == store.get(PODS, KEY)


def test_a_list_removes_what_it_does_not_contain(store: Store) -> None:
    """A deletion whose event was lost is noticed."""
    store.put(PODS, pod(5))
    store.put(PODS, pod(6, name="b"))

    changes = replace(store, [pod(6, name="b")], version=10)

    assert [(pod(5), None)] == changes
    assert [ObjectKey("shop", "b")] == store.keys(PODS)


def test_a_list_keeps_what_is_newer_than_it(store: Store) -> None:
    """A pod made while the LIST was on its way is not lost."""
    store.put(PODS, pod(11))

    assert [] == replace(store, [], version=10)
    assert pod(11) == store.get(PODS, KEY)


def test_a_list_of_one_namespace_leaves_the_others(store: Store) -> None:
    """With WATCH_NAMESPACES each LIST speaks for its namespace alone."""
    store.put(PODS, pod(5))
    store.put(PODS, pod(5, namespace="other"))

    replace(store, [], version=10, in_scope=lambda key: key.namespace == "other")

    assert [KEY] == store.keys(PODS)


def test_after_a_list_old_events_about_unknown_objects_are_ignored(store: Store) -> None:
    """A stale API server tells of an object that was gone when the LIST was created."""
    replace(store, [], version=10)
    store.complete_list(PODS, version=10)

    assert not store.put(PODS, pod(7))
    assert store.put(PODS, pod(11))


def test_tombstones_do_not_pile_up(store: Store) -> None:
    """What a LIST covers need not be remembered one by one."""
    for number in range(100):
        store.remove(PODS, pod(number + 1, name=f"p{number}"))

    replace(store, [], version=90)
    store.complete_list(PODS, version=90)

    assert 10 == len(store._caches[PODS].tombstones)


def test_objects_are_found_by_their_index_keys(store: Store) -> None:
    """The index follows a changed label."""
    store.put(PODS, pod(1, label="x"))
    store.put(PODS, pod(2, name="b", label="x"))
    store.put(PODS, pod(3, label="y"))

    assert [pod(2, name="b", label="x")] == store.by_index(PODS, "x")
    assert [pod(3, label="y")] == store.by_index(PODS, "y")
    assert [] == store.by_index(PODS, "z")


def test_kinds_are_apart(store: Store) -> None:
    """A session and its pod share a name."""
    store.put(PODS, pod(1))

    assert store.get(SESSIONS, KEY) is None


def test_a_not_found_answer_removes(store: Store) -> None:
    """Asked for an object by name and told there is none."""
    store.put(PODS, pod(5))

    assert store.forget(PODS, KEY, version=5)
    assert store.get(PODS, KEY) is None


def test_a_not_found_answer_does_not_remove_what_was_created_later(store: Store) -> None:
    """The object was made anew while the answer was on its way."""
    store.put(PODS, pod(7))

    assert not store.forget(PODS, KEY, version=5)


def test_a_list_corrects_what_was_wrongly_forgotten(store: Store) -> None:
    """A stale server's "not found" made us forget an object that is there: the next LIST brings it back."""
    store.put(PODS, pod(5))
    store.forget(PODS, KEY, version=5)
    replace(store, [], version=3)
    store.complete_list(PODS, version=7)

    replace(store, [pod(5)], version=8)

    assert pod(5) == store.get(PODS, KEY)


def test_managed_fields_are_dropped(store: Store) -> None:
    """Nobody reads them, and they are half of the memory."""
    given_pod = pod(1)
    given_pod["metadata"]["managedFields"] = [{"manager": "kubectl"}]

    store.put(PODS, given_pod)

    assert pod(1) == store.get(PODS, KEY)
    assert "managedFields" in given_pod["metadata"]


@given(st.lists(st.sampled_from(["make", "change", "delete"]), max_size=12), st.randoms(use_true_random=False))
def test_any_order_of_delivery_ends_in_the_truth(steps: list[str], chance: random.Random) -> None:
    """Whatever order the events of one object come in, with a LIST anywhere between: the end is the server's state."""
    truth: Json | None = None
    events: list[tuple[str, Json]] = []
    version = 0
    for step in steps:
        if step == "delete" and truth is not None:
            version += 1
            events.append(("remove", pod(version, uid=truth["metadata"]["uid"])))
            truth = None
        elif (step == "make") == (truth is None) and step != "delete":
            version += 1
            truth = pod(version, uid=f"u{version}" if truth is None else truth["metadata"]["uid"])
            events.append(("put", truth))
    store = Store({PODS: lambda _: []})
    chance.shuffle(events)
    listed_at = chance.randrange(len(events) + 1)
    for position, (kind, obj) in enumerate(events):
        if position == listed_at:
            replace(store, [] if truth is None else [truth], version=version)
            store.complete_list(PODS, version=version)
        (store.put if kind == "put" else store.remove)(PODS, obj)
    if listed_at == len(events):
        replace(store, [] if truth is None else [truth], version=version)

    assert truth == store.get(PODS, KEY)


def test_every_way_into_the_store_is_noticed() -> None:
    """An event, an answer, a deletion, a missing object and a LIST: each change is told once, what is known is not."""
    reported: list[tuple[Resource, bool, bool]] = []

    def noticed(resource: Resource, change: Change) -> None:
        reported.append((resource, change.before is not None, change.after is not None))

    store = Store({PODS: lambda _: ()}, on_change=noticed)
    store.put(PODS, pod(5))
    store.put(PODS, pod(5))
    store.put(PODS, pod(6))
    store.forget(PODS, KEY, version=6)
    replace(store, [pod(8)], version=9)
    store.remove(PODS, pod(8))
    store.remove(PODS, pod(8))

    made, changed, gone = (PODS, False, True), (PODS, True, True), (PODS, True, False)
    assert [made, changed, gone, made, gone] == reported


def test_what_changes_in_the_middle_of_a_list_counts_as_later(store: Store) -> None:
    """A LIST is stored in slices, and events come in between: what is newer than the LIST stays as it is."""
    for name in ("deleted", "gone", "kept", "late"):
        store.put(PODS, pod(5, name=name))
    steps = store.replace(PODS, [pod(6, name="kept"), pod(6, name="deleted")], version=10)
    next(steps)
    store.remove(PODS, pod(11, name="deleted"))  # deleted after the LIST, which still has it
    store.put(PODS, pod(12, name="new"))  # created after the LIST, which does not have it
    store.put(PODS, pod(13, name="late"))  # created anew after the LIST
    next(steps)
    changes = [change for change in steps if change]

    assert {"kept": 6, "new": 12, "late": 13} == {
        key.name: int(known["metadata"]["resourceVersion"])
        for key in store.keys(PODS)
        if (known := store.get(PODS, key)) is not None
    }
    assert ["gone"] == [change.before["metadata"]["name"] for change in changes if change.before]


def test_what_is_renewed_between_the_removals_of_a_list_stays(store: Store) -> None:
    """It was found to be gone, and is there again when its turn comes."""
    for name in ("a", "b"):
        store.put(PODS, pod(5, name=name))
    steps = store.replace(PODS, [], version=10)
    next(steps)
    store.put(PODS, pod(11, name="b"))
    list(steps)

    assert [ObjectKey("shop", "b")] == store.keys(PODS)


def test_names_are_found_by_an_index_key(store: Store) -> None:
    """Without the objects, and without looking at the others."""
    store.put(PODS, pod(5, name="a", label="x"))
    store.put(PODS, pod(5, name="b", label="y"))

    assert {ObjectKey("shop", "b")} == store.keys_by_index(PODS, "y")
    assert frozenset() == store.keys_by_index(PODS, "z")
