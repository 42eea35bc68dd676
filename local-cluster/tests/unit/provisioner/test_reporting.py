"""Events on claims, and the controller that asks for them."""

import pytest
from local_cluster.provisioner.kube import ApiError, Kind
from local_cluster.provisioner.observed import Claim
from local_cluster.provisioner.reporting import Reporter
from unit.provisioner.fakes import NOW, FakeKube, World, raw_claim

CLAIM = Claim.parse(raw_claim())


async def say(reporter: Reporter, message: str = "x", reason: str = "Failed") -> None:
    """One event."""
    await reporter.say(CLAIM, reason=reason, message=message, warning=True)


async def test_a_repetition_counts_up() -> None:
    """One event with a count and the latest words, as `kubectl describe` shows it."""
    kube = FakeKube()
    reporter = Reporter(kube, clock=lambda: NOW)

    for message in ("1.2 GiB left", "1.1 GiB left", "1.0 GiB left"):
        await say(reporter, message)

    (written,) = kube.events()
    assert (written["count"], written["message"]) == (3, "1.0 GiB left")


async def test_an_event_of_an_earlier_process_is_taken_up() -> None:
    """After a restart the event is there already."""
    kube = FakeKube()
    await say(Reporter(kube, clock=lambda: NOW))

    await say(Reporter(kube, clock=lambda: NOW))

    assert len(kube.events()) == 1


async def test_a_forgotten_event_is_written_anew() -> None:
    """The API server forgets events after an hour; a claim may wait for longer."""
    kube = FakeKube()
    reporter = Reporter(kube, clock=lambda: NOW)
    await say(reporter)
    kube.objects.clear()

    await say(reporter)

    assert len(kube.events()) == 1


async def test_an_event_that_cannot_be_written_keeps_no_volume_back(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the volume is made."""
    kube = FakeKube()
    kube.failures = {"create": ApiError("events are refused")}

    await say(Reporter(kube, clock=lambda: NOW))

    assert "event not written" in caplog.text


async def test_a_served_claim_is_told_once() -> None:
    """Normal, not a warning."""
    world = World()
    await world.live((World.storage_class, World.claim))

    (written,) = world.kube.events()
    assert (written["type"], written["reason"], written["count"]) == ("Normal", "ProvisioningSucceeded", 1)


async def test_a_refused_claim_is_told_and_asked_again_later() -> None:
    """Its owner may free disk space: then it goes on by itself."""
    world = World()
    world.disk.free = 0
    await world.storage_class()
    await world.claim()
    with pytest.raises(AssertionError, match="not settled"):
        await world.settle(passes=2)
    world.disk.free = 2**40

    await world.settle()

    assert {event["reason"]: event["count"] for event in world.kube.events()} == {
        "ProvisioningFailed": 2,
        "ProvisioningSucceeded": 1,
    }


async def test_a_failing_disk_rests_the_volume() -> None:
    """The next pass leaves it alone until its pause is over; the error's own words are in the event."""
    world = World()
    world.disk.broken = "mkfs.ext4 ended with 1: no space"
    await world.storage_class()
    await world.claim()
    with pytest.raises(AssertionError, match="not settled"):
        await world.settle(passes=1)
    world.clock.now -= 61

    actions = await world.controller.once()

    assert actions == ()
    assert world.kube.events()[0]["message"] == "mkfs.ext4 ended with 1: no space"


async def test_an_api_server_that_refuses_the_volume_is_tried_again() -> None:
    """The file waits, mounted, for its PersistentVolume."""
    world = World()
    await world.storage_class()
    await world.claim()
    world.kube.failures = {"create": ApiError("away")}
    with pytest.raises(AssertionError, match="not settled"):
        await world.settle(passes=3)
    world.kube.failures = {}

    await world.settle()

    assert list(world.kube.of(Kind.VOLUMES)) == ["pvc-u1"]
    assert world.state()["mounted"] == ["pvc-u1"]


async def test_a_lost_file_is_told_to_the_claims_owner() -> None:
    """Nothing else can be done about it."""
    world = World()
    await world.live((World.storage_class, World.claim))
    world.disk.files.clear()
    world.disk.mounted.clear()

    await world.controller.once()

    assert "VolumeLost" in {event["reason"] for event in world.kube.events()}


async def test_a_start_with_a_broken_volume_mounts_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """One damaged file must not keep the other sessions from their logins."""
    world = World()
    await world.live((World.storage_class, World.claim))
    world.disk.mounted.clear()
    world.disk.broken = "mount ended with 32: wrong fs type"

    await world.start().restore()

    assert "volume not mounted at start" in caplog.text
