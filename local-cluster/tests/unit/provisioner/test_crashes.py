"""The provisioner's whole life with a disk and an API server in memory, cut off at every single moment.

The oracle is the run without a crash: the same end, and then no further write.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from local_cluster.provisioner.kube import ApiError, Kind
from local_cluster.provisioner.layout import Stage
from local_cluster.provisioner.names import FINALIZER, VolumeName
from local_cluster.provisioner.quantities import GIB
from unit.provisioner.fakes import Crash, World

NAME = VolumeName("pvc-u1")
MOMENTS = 24
""" At least as many as the longest scenario has; the test of the reference run holds it. """
Scenario = Sequence[Callable[[World], Awaitable[None]]]
End = dict[str, Any]


async def retain(world: World) -> None:
    """A person wants to keep the data."""
    await world.change(Kind.VOLUMES, NAME, spec={"persistentVolumeReclaimPolicy": "Retain"})


async def delete_volume(world: World) -> None:
    """A person deletes the PersistentVolume itself."""
    await world.change(Kind.VOLUMES, NAME, metadata={"deletionTimestamp": "2026-01-02T03:04:05Z"})


MADE: Scenario = (World.storage_class, World.claim)
RELEASED: Scenario = (*MADE, World.delete_claim)
RETAINED: Scenario = (*MADE, retain, World.delete_claim, delete_volume)
VOLUME_FIRST: Scenario = (*MADE, delete_volume, World.delete_claim)
AT_WORK: End = {"files": {NAME: (Stage.IN_USE, GIB)}, "mounted": [NAME], "volumes": {NAME: "Bound"}}
GONE: End = {"files": {}, "mounted": [], "volumes": {}}
SCENARIOS = [
    pytest.param(MADE, AT_WORK, id="made"),
    pytest.param(RELEASED, GONE, id="made and released"),
    pytest.param(RETAINED, {**GONE, "files": {NAME: (Stage.RETAINED, GIB)}}, id="retained"),
    pytest.param(VOLUME_FIRST, GONE, id="volume deleted before its claim"),
]


@pytest.mark.parametrize(("scenario", "end"), SCENARIOS)
async def test_the_run_without_a_crash(scenario: Scenario, end: End) -> None:
    """The end that all others are held against."""
    world = World()

    await world.live(scenario)

    assert end == world.state()
    assert world.fuse.passed <= MOMENTS


@pytest.mark.parametrize("reboot", [False, True])
@pytest.mark.parametrize(("scenario", "end"), SCENARIOS)
@pytest.mark.parametrize("moment", range(MOMENTS))
async def test_a_crash_at_any_moment_heals(scenario: Scenario, end: End, moment: int, reboot: bool) -> None:  # noqa: FBT001
    """Wherever the process or the machine stops, the next start brings the same end."""
    world = World(crash_at=moment)
    with contextlib.suppress(Crash):
        await world.live(scenario)
    if reboot:
        world.disk.mounted.clear()
    world.fuse.remaining = None
    world.start()

    await world.controller.restore()
    await world.live(scenario)

    assert end == world.state()


@pytest.mark.parametrize(("scenario", "end"), SCENARIOS)
async def test_at_rest_nothing_is_written(scenario: Scenario, end: End) -> None:
    """Ten passes after the end change neither disk nor objects."""
    world = World()
    await world.live(scenario)
    before = world.fuse.passed
    assert end == world.state()

    for _ in range(10):
        await world.controller.once()

    assert before == world.fuse.passed


async def test_a_lost_answer_is_no_second_volume() -> None:
    """The create got through and its answer did not: the next try finds the volume and goes on."""
    world = World()
    world.kube.unanswered = {"create"}

    await world.live(MADE)

    assert AT_WORK == world.state()


async def test_data_of_a_volume_that_the_picture_misses_is_kept_mounted() -> None:
    """The mirror may be older than our own create: the API server itself is asked before data is moved."""
    world = World()
    await world.live(MADE)
    world.controller._mirrors[Kind.VOLUMES].items = {}

    await world.controller.once()

    assert AT_WORK == world.state()


async def test_data_of_a_volume_that_is_deleted_while_it_is_bound_stays() -> None:
    """The same, while somebody has deleted the PersistentVolume: it is its claim's until the claim goes."""
    world = World()
    await world.live((*MADE, delete_volume))
    world.controller._mirrors[Kind.VOLUMES].items = {}

    await world.controller.once()

    assert world.state() == AT_WORK


async def test_a_new_file_whose_volume_the_picture_misses_is_kept() -> None:
    """The same for a file that is still called new when the process starts again and its claim is gone from sight."""
    world = World()
    await world.live(MADE)
    world.disk.move(NAME, origin=Stage.IN_USE, target=Stage.NEW)
    world.controller._mirrors[Kind.VOLUMES].items = {}
    world.controller._mirrors[Kind.CLAIMS].items = {}

    await world.controller.once()

    assert NAME in world.disk.files
    assert NAME in world.disk.mounted


async def test_a_foreign_finalizer_is_left_on_the_volume() -> None:
    """Only our own finalizer is ours to take; data is gone all the same."""
    world = World()
    await world.live(MADE)
    await world.change(Kind.VOLUMES, NAME, metadata={"finalizers": ["example.com/other", FINALIZER]})
    await world.delete_claim()

    with contextlib.suppress(AssertionError):
        await world.settle(passes=3)

    assert ["example.com/other"] == world.kube.of(Kind.VOLUMES)[NAME]["metadata"]["finalizers"]
    assert {} == world.disk.files


async def test_many_claims_at_once() -> None:
    """Thirty claims of one moment all get volumes of their own."""
    world = World()
    await world.storage_class()
    for number in range(30):
        await world.claim(f"u{number}")

    await world.settle()

    assert 30 == len(world.disk.mounted) == len(world.kube.of(Kind.VOLUMES))


async def test_the_loop_serves_a_claim_that_comes_later() -> None:
    """The whole loop: lists, watches, and a claim that appears while it runs."""
    world = World()
    await world.storage_class()
    loop = asyncio.create_task(world.controller.run())
    await world.claim()
    async with asyncio.timeout(5):
        while not world.disk.mounted:  # noqa: ASYNC110 - the fakes have no event for it
            await asyncio.sleep(0)

    loop.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await loop

    assert {NAME} == world.disk.mounted


async def test_the_loop_decides_nothing_before_all_lists_are_in() -> None:
    """Without the claims' list, a file that is being made looks like nobody's."""
    world = World()
    await world.storage_class()
    await world.claim()
    world.disk.make(NAME, size=GIB)
    world.kube.failures = {"list": ApiError("away")}
    loop = asyncio.create_task(world.controller.run())
    async with asyncio.timeout(5):
        while len(world.kube.calls) < len(Kind):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)

    loop.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await loop

    assert NAME in world.disk.files
