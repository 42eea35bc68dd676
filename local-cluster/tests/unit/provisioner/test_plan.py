"""The plan: every state of (claim, PersistentVolume, file, mount) has its answer."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from local_cluster.provisioner.actions import (
    Action,
    Adopt,
    Discard,
    Mount,
    Provision,
    Refuse,
    Remove,
    ReportLoss,
    Retain,
)
from local_cluster.provisioner.layout import Stage
from local_cluster.provisioner.names import ClaimUID, VolumeName
from local_cluster.provisioner.observed import Claim, Disk, File, Observed, StorageClass, Volume
from local_cluster.provisioner.plan import SMALLEST, file_size, plan
from local_cluster.provisioner.quantities import GIB, MIB

NAME = VolumeName("pvc-u1")
CLASS = StorageClass(name="fast")
CLAIM = Claim(
    uid=ClaimUID("u1"),
    namespace="shop",
    name="login",
    class_name="fast",
    size=GIB,
    access_modes=("ReadWriteOncePod",),
    node="node1",
)
BOUND = dataclasses.replace(CLAIM, volume=NAME)
VOLUME = Volume(name=NAME)
NEW = File(name=NAME, stage=Stage.NEW, size=GIB)
IN_USE = File(name=NAME, stage=Stage.IN_USE, size=GIB)
RETAINED = File(name=NAME, stage=Stage.RETAINED, size=GIB)


def observed(
    *claims: Claim, volume: Volume | None = None, file: File | None = None, mounted: bool = False, free: int = 100 * GIB
) -> Observed:
    """A world with at most one volume."""
    return Observed(
        node="node1",
        classes={"fast": CLASS},
        claims=claims,
        volumes={volume.name: volume} if volume else {},
        disk=Disk(files={file.name: file} if file else {}, mounted=frozenset({NAME} if mounted else ()), free=free),
    )


def provision(size: int = GIB) -> Provision:
    """What a fresh claim leads to."""
    return Provision(claim=CLAIM, storage_class=CLASS, size=size)


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        pytest.param(observed(), [], id="an empty world"),
        pytest.param(observed(CLAIM), [provision()], id="a claim that asks"),
        pytest.param(observed(CLAIM, file=NEW), [provision()], id="a claim whose file was made, then a crash"),
        pytest.param(observed(CLAIM, file=NEW, mounted=True), [provision()], id="the same, mounted"),
        pytest.param(observed(CLAIM, file=NEW, volume=VOLUME), [Adopt(name=NAME)], id="a crash before the last step"),
        pytest.param(observed(BOUND, file=IN_USE, volume=VOLUME, mounted=True), [], id="a volume at work"),
        pytest.param(observed(BOUND, file=IN_USE, volume=VOLUME), [Mount(name=NAME)], id="a volume after a reboot"),
        pytest.param(
            observed(file=NEW, mounted=True), [Discard(name=NAME)], id="a claim gone before its volume was made"
        ),
        pytest.param(observed(mounted=True), [Discard(name=NAME)], id="a mount whose file somebody deleted"),
        pytest.param(observed(file=RETAINED), [], id="a kept file"),
        pytest.param(observed(file=IN_USE, mounted=True), [Retain(name=NAME)], id="data without a PersistentVolume"),
        pytest.param(
            observed(BOUND, file=IN_USE), [Retain(name=NAME)], id="data whose PersistentVolume was forced away"
        ),
        pytest.param(
            observed(BOUND, volume=VOLUME), [ReportLoss(name=NAME, claim=BOUND)], id="a volume whose file is gone"
        ),
        pytest.param(
            observed(volume=VOLUME, file=RETAINED),
            [ReportLoss(name=NAME, claim=None)],
            id="a volume whose file was kept",
        ),
    ],
)
def test_each_state_has_its_answer(world: Observed, expected: list[Action]) -> None:
    """The table in the plan's docstring, line by line."""
    assert expected == list(plan(world))


@pytest.mark.parametrize(
    ("phase", "policy", "deleting", "expected"),
    [
        ("Pending", "Delete", False, []),
        ("Available", "Delete", False, []),
        ("Bound", "Delete", False, []),
        ("Bound", "Delete", True, []),
        ("Bound", "Retain", True, []),
        ("Released", "Delete", False, [Remove(name=NAME)]),
        ("Released", "Delete", True, [Remove(name=NAME)]),
        ("Failed", "Delete", False, [Remove(name=NAME)]),
        ("Pending", "Delete", True, [Remove(name=NAME)]),
        ("Available", "Retain", True, [Retain(name=NAME)]),
        ("Released", "Retain", False, []),
        ("Released", "Retain", True, [Retain(name=NAME)]),
    ],
)
def test_the_end_of_a_volume_follows_its_policy(
    *,
    phase: str,
    policy: str,
    deleting: bool,
    expected: list[Action],
) -> None:
    """Data goes only where the policy says Delete, and never while the volume is bound."""
    volume = Volume(name=NAME, phase=phase, reclaim_policy=policy, deleting=deleting)

    assert expected == list(plan(observed(volume=volume, file=IN_USE, mounted=True)))


@pytest.mark.parametrize(
    "changed",
    [
        {"class_name": "other"},
        {"node": ""},
        {"node": "node2"},
        {"volume": "chosen-by-hand"},
        {"deleting": True},
    ],
)
def test_a_claim_that_does_not_ask_us_gets_nothing(changed: dict[str, Any]) -> None:
    """Another class, no node yet, another node, a volume chosen by hand, on its way out: not ours to serve."""
    assert [] == list(plan(observed(dataclasses.replace(CLAIM, **changed))))


def test_an_immediate_class_needs_no_node() -> None:
    """A class that does not wait for a consumer is served at once."""
    immediate = dataclasses.replace(CLASS, waits_for_consumer=False)
    claim = dataclasses.replace(CLAIM, node="")
    world = dataclasses.replace(observed(claim), classes={"fast": immediate})

    assert [Provision(claim=claim, storage_class=immediate, size=GIB)] == list(plan(world))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"volume_mode": "Block"}, "ask for Filesystem"),
        ({"access_modes": ("ReadWriteMany",)}, "ask for ReadWriteOncePod or ReadWriteOnce"),
        ({"access_modes": ("ReadWriteOnce", "ReadOnlyMany")}, "ask for ReadWriteOncePod or ReadWriteOnce"),
        ({"has_selector": True}, "remove spec.selector"),
        ({"has_source": True}, "remove spec.dataSource"),
        ({"size": 101 * GIB}, "free disk space or delete claims"),
    ],
)
def test_a_refusal_says_what_to_do(changed: dict[str, Any], words: str) -> None:
    """What cannot be served is refused in words that help."""
    (action,) = plan(observed(dataclasses.replace(CLAIM, **changed)))

    assert isinstance(action, Refuse)
    assert words in action.message


def test_unknown_parameters_of_a_class_are_refused() -> None:
    """A parameter that does nothing here is named instead of ignored."""
    world = dataclasses.replace(observed(CLAIM), classes={"fast": dataclasses.replace(CLASS, parameters=("fsType",))})
    (action,) = plan(world)

    assert isinstance(action, Refuse)
    assert "fsType" in action.message


def test_a_full_disk_is_named_with_its_figures() -> None:
    """The owner reads how much was asked for and how much is left."""
    (action,) = plan(observed(CLAIM, free=GIB // 2))

    assert isinstance(action, Refuse)
    assert action.message.startswith("the claim asks for 1.0 GiB, but the host's disk has only 512 MiB left")


def test_space_promised_to_other_volumes_is_not_given_twice() -> None:
    """Files are sparse, so what they may still grow by is not free: filling them all must not fill the host's disk."""
    half_full = File(name=VolumeName("pvc-other"), stage=Stage.IN_USE, size=4 * GIB, allocated=3 * GIB)
    mounted = frozenset({half_full.name})
    world = observed(CLAIM)
    volumes = {half_full.name: Volume(name=half_full.name)}

    def plan_with(free: int) -> list[type[Action]]:
        disk = Disk(files={half_full.name: half_full}, mounted=mounted, free=free)
        return [type(action) for action in plan(dataclasses.replace(world, disk=disk, volumes=volumes))]

    assert [Provision] == plan_with(2 * GIB)
    assert [Refuse] == plan_with(2 * GIB - 1)


def test_claims_of_one_pass_share_the_space() -> None:
    """Two claims that each would fit, but not both: the first by name gets its volume."""
    second = dataclasses.replace(CLAIM, uid=ClaimUID("u2"), name="other")
    world = observed(second, CLAIM, free=GIB + GIB // 2)

    actions = {action.name: type(action) for action in plan(world)}

    assert {VolumeName("pvc-u1"): Provision, VolumeName("pvc-u2"): Refuse} == actions


def test_a_file_that_is_there_needs_no_space_again() -> None:
    """Taking up a half-done claim on a full disk goes on, for its space was promised before."""
    assert [provision()] == list(plan(observed(CLAIM, file=NEW, free=GIB)))


def test_a_resting_volume_is_left_alone() -> None:
    """What failed a moment ago waits for its retry; other volumes do not wait for it."""
    other = dataclasses.replace(CLAIM, uid=ClaimUID("u2"))

    actions = plan(observed(CLAIM, other), resting={NAME})

    assert [VolumeName("pvc-u2")] == [action.name for action in actions]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [(1, SMALLEST), (SMALLEST, SMALLEST), (SMALLEST + 1, SMALLEST + MIB), (GIB, GIB), (10**9, 954 * MIB)],
)
def test_a_file_is_at_least_as_large_as_asked(asked: int, expected: int) -> None:
    """Whole MiB, rounded up, and large enough for a journal."""
    assert expected == file_size(dataclasses.replace(CLAIM, size=asked))


names = st.sampled_from([VolumeName(f"pvc-u{number}") for number in range(4)])


@st.composite
def worlds(draw: st.DrawFn) -> Observed:
    """Any mixture of claims, volumes, files and mounts, also ones that should not come about."""
    claims = [
        dataclasses.replace(
            CLAIM,
            uid=ClaimUID(name.removeprefix("pvc-")),
            name=name,
            volume=draw(st.sampled_from(["", name])),
            deleting=draw(st.booleans()),
            node=draw(st.sampled_from(["node1", "node2", ""])),
        )
        for name in draw(st.sets(names))
    ]
    phases = st.sampled_from(["Pending", "Available", "Bound", "Released", "Failed"])
    policies = st.sampled_from(["Delete", "Retain"])
    volumes = {
        name: Volume(name=name, phase=draw(phases), reclaim_policy=draw(policies), deleting=draw(st.booleans()))
        for name in draw(st.sets(names))
    }
    files = {name: File(name=name, stage=draw(st.sampled_from(Stage)), size=GIB) for name in draw(st.sets(names))}
    disk = Disk(files=files, mounted=frozenset(draw(st.sets(names))), free=draw(st.integers(0, 10 * GIB)))
    return Observed(node="node1", classes={"fast": CLASS}, claims=tuple(claims), volumes=volumes, disk=disk)


@given(worlds())
def test_one_action_per_volume(world: Observed) -> None:
    """Two actions on one file at a time could undo each other."""
    acted = [action.name for action in plan(world)]

    assert len(set(acted)) == len(acted)


@given(worlds())
def test_data_is_deleted_only_where_the_policy_says_so(world: Observed) -> None:
    """No Remove of a bound or retained volume, and no Discard of a file that a PersistentVolume ever stood for."""
    for action in plan(world):
        if isinstance(action, Remove):
            volume = world.volumes[action.name]
            assert volume.reclaim_policy == "Delete"
            assert volume.phase != "Bound"
        if isinstance(action, Discard):
            file = world.disk.files.get(action.name)
            assert action.name not in world.volumes
            assert file is None or file.stage is not Stage.IN_USE


@given(worlds())
def test_the_host_disk_is_never_promised_twice(world: Observed) -> None:
    """All new files together fit into what is left beside the growth of the old ones."""
    new = sum(
        action.size for action in plan(world) if isinstance(action, Provision) and action.name not in world.disk.files
    )

    assert new == 0 or new <= world.disk.unpromised
