"""The watch over the volume: what ends a run, what is told, and a volume that never answers."""

import asyncio
import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from session_protocol.vocabulary import ExitCode
from session_runner.exits import RunEnded
from session_runner.monitoring.volume_watch import WRITE_EVERY, VolumeWatch
from session_runner.profile.volume import MI, Volume

ROOM = Volume(capacity=1024 * MI, available=900 * MI)
LOW = Volume(capacity=1024 * MI, available=60 * MI)
FULL = Volume(capacity=1024 * MI, available=1 * MI)
FAILED = Volume(capacity=1024 * MI, available=900 * MI, write_error=OSError(errno.EIO, "Input/output error"))


class ScriptedVolume:
    """Gives one measurement after another, and notes which of them wrote."""

    def __init__(self, *steps: Volume | OSError) -> None:
        self.steps: Iterator[Volume | OSError] = iter(steps)
        self.wrote: list[bool] = []
        self.measured: list[Volume | None] = []
        self.shown: list[str] = []

    def __call__(self, root: Path, *, write: bool) -> Volume:
        """Play the next step."""
        assert root == Path("/profile")
        self.wrote.append(write)
        step = next(self.steps)
        if isinstance(step, OSError):
            raise step
        return step

    def watch(self) -> VolumeWatch:
        """Return a watch over it that does not wait."""
        return VolumeWatch(root=Path("/profile"), measured=self.measured.append, measure=self, interval=0)

    async def end(self) -> RunEnded:
        """Watch until the end."""
        with pytest.raises(RunEnded) as caught:
            await asyncio.wait_for(self.watch().watch(self.shown.append), 10)
        return caught.value


@pytest.mark.parametrize("step", [FULL, FAILED, OSError(errno.EIO, "Input/output error")])
async def test_no_browser_is_started_on_a_volume_that_is_unfit(step: Volume | OSError) -> None:
    """ProfileUnusable, with the reason, and a write was tried."""
    scripted = ScriptedVolume(step)
    with pytest.raises(RunEnded) as caught:
        await scripted.watch().check_start()

    assert ExitCode.PROFILE_UNUSABLE is caught.value.exit.code
    assert "volume" in str(caught.value)
    assert [True] == scripted.wrote


async def test_a_volume_with_room_lets_the_session_start() -> None:
    """And its figures are passed on."""
    scripted = ScriptedVolume(ROOM)
    await scripted.watch().check_start()

    assert [ROOM] == scripted.measured


async def test_a_volume_that_fills_up_is_shown_of_and_ends_the_run() -> None:
    """First the words, then the end; room that comes back takes the words away."""
    scripted = ScriptedVolume(ROOM, LOW, ROOM, LOW, FULL)
    ended = await scripted.end()

    assert [False, True, False, True] == [shown != "" for shown in scripted.shown]
    assert ExitCode.PROFILE_UNUSABLE is ended.exit.code
    assert "1Mi of 1024Mi are free" in ended.exit.message


async def test_a_write_that_fails_once_is_no_end() -> None:
    """Storage behind a network may falter; a second failure, asked for at once, counts."""
    before = [ROOM] * (WRITE_EVERY - 1)
    once = ScriptedVolume(*before, FAILED, ROOM, FULL)
    await once.end()
    twice = ScriptedVolume(*before, FAILED, FAILED, ROOM)
    ended = await twice.end()

    assert [False] * (WRITE_EVERY - 1) + [True, True, False] == once.wrote
    assert "Input/output error" in ended.exit.message


async def test_a_volume_that_cannot_be_measured_is_shown_of() -> None:
    """The figures are absent meanwhile, and the session goes on."""
    scripted = ScriptedVolume(OSError(errno.EIO, "Input/output error"), ROOM, FULL)
    await scripted.end()

    assert [None, ROOM, FULL] == scripted.measured
    assert "cannot be measured" in scripted.shown[0]
    assert "" == scripted.shown[1]


async def test_a_storage_that_times_out_by_itself_is_measured_again() -> None:
    """Its error has the type of our own patience, and has come back: nothing is under way any more."""
    scripted = ScriptedVolume(OSError(errno.ETIMEDOUT, "Connection timed out"), ROOM, FULL)
    await scripted.end()

    assert [None, ROOM, FULL] == scripted.measured
    assert "does not answer" in scripted.shown[0]
    assert "" == scripted.shown[1]


async def test_a_volume_that_does_not_answer_holds_nothing_up() -> None:
    """A call that hangs is told of and waited for in its own thread; none is begun beside it."""
    released, calls = threading.Event(), []

    def hanging(_root: Path, *, write: bool) -> Volume:
        calls.append(write)
        released.wait(10)
        return FULL

    shown: list[str] = []

    def report(note: str) -> None:
        shown.append(note)
        if len(shown) == 3:
            released.set()

    watch = VolumeWatch(root=Path("/"), measured=lambda _: None, measure=hanging, interval=0, patience=0.01)
    with pytest.raises(RunEnded):
        await asyncio.wait_for(watch.watch(report), 10)

    assert len(calls) == 1
    assert all("does not answer" in note for note in shown[:3])
