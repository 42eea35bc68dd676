"""The profile's volume: full, filling up, foreign, damaged, or of a newer browser. The login is what must be kept."""

import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest
from runner.conftest import BROWSER, Start
from session_protocol.vocabulary import ExitCode
from session_runner.host.browser_version import browser_version
from session_runner.profile.saved_state import read_saved_state
from session_runner.profile.volume import MI
from standin.harness import StandIn
from support.runner_process import Folders, link
from support.waiting import async_until

SIZE = 64 * MI
FILLER = "filler"
_EXT4_SHUTDOWN = 0x8004587D


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Folders]:
    """What a pod would mount, with the profile on a file system of its own, as the local cluster makes them."""
    made = Folders(root=tmp_path)
    image = tmp_path / "volume.img"
    with image.open("wb") as file:
        file.truncate(SIZE)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", image], check=True, timeout=50)
        subprocess.run(["mount", "-o", "loop", image, made.profile], check=True, capture_output=True, timeout=50)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs root and loop devices: {error}")
    yield made
    subprocess.run(["umount", made.profile], check=True, timeout=50)


def fill(folders: Folders) -> None:
    """Leave not a byte."""
    with (folders.profile / FILLER).open("wb", buffering=0) as file:
        for size in (MI, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def make_room(folders: Folders) -> None:
    """Take the filler away."""
    (folders.profile / FILLER).unlink()


async def refused(start: Start, *shown: str, **variables: str) -> None:
    """A runner ends with ProfileUnusable and says all of `told`, and has started no browser."""
    async with start(serves=False, **variables) as runner:
        assert await runner.exit_code() == ExitCode.PROFILE_UNUSABLE
        assert not any("The browser is open" in str(line.get("msg", line)) for line in runner.lines)
        for part in shown:
            assert part in runner.termination_message()


async def connects_as_before(start: Start, standin: StandIn, device: str) -> None:
    """The next runner finds the login: the phone still has the device, and no code is asked for."""
    async with start() as runner:
        await runner.wait_for_state("Connected", deadline=60)

        assert [device] == [one["id"] for one in await standin.phone.devices()]
        assert not any(state == "QRPending" for state, _ in runner.seen)
        assert await runner.stop() == ExitCode.STOPPED


@pytest.mark.root
async def test_a_volume_that_fills_up_costs_no_login(start: Start, standin: StandIn, folders: Folders) -> None:
    """At once, with messages coming in: the browser is closed, later ones do not start, and with room all is as before."""
    async with start() as runner:
        device = await link(runner, standin)
        capacity = await runner.metric("whatsapp_runner_profile_capacity_bytes")
        before = await runner.metric("whatsapp_runner_profile_available_bytes")
        fill(folders)
        for number in range(200):
            await standin.phone.send(device, f"message {number}")

        assert SIZE / 2 < before < capacity <= SIZE
        assert await runner.exit_code(deadline=60) == ExitCode.PROFILE_UNUSABLE
        assert "The profile volume is full: 0Mi of" in runner.termination_message()
    for _ in range(2):
        await refused(start, "The profile volume is full", "spec.profile.size")
    make_room(folders)
    await connects_as_before(start, standin, device)


@pytest.mark.root
async def test_a_shortage_is_shown_before_it_costs_anything(start: Start, standin: StandIn, folders: Folders) -> None:
    """The session stays Connected, and its message says how much there is; with room again it does not."""
    async with start() as runner:
        await link(runner, standin)
        (folders.profile / FILLER).write_bytes(bytes(30 * MI))

        async def message(*, low: bool) -> str:
            state = await async_until(
                "the message", runner.state, lambda one: ("nearly full" in one["message"]) is low, within=30, every=0.2
            )
            assert state["state"] == "Connected"
            return str(state["message"])

        shown = await message(low=True)
        make_room(folders)
        await message(low=False)

    assert "less than 32Mi of 5" in shown


@pytest.mark.root
async def test_a_disk_that_fails_ends_the_run(start: Start, standin: StandIn, folders: Folders) -> None:
    """Every call to the volume is an I/O error from one moment on. With the disk repaired, the login is there."""
    async with start() as runner:
        device = await link(runner, standin)
        await runner.stop()
    async with start() as runner:
        await runner.wait_for_state("Connected", deadline=60)
        shut_down(folders.profile)

        assert await runner.exit_code(deadline=70) == ExitCode.PROFILE_UNUSABLE
        assert "The profile volume cannot be written (Input/output error)" in runner.termination_message()
    await refused(start, "Input/output error")
    remount(folders)
    await connects_as_before(start, standin, device)


@pytest.mark.root
async def test_a_read_only_volume_is_refused(start: Start, folders: Folders) -> None:
    """Nothing can be written, so nothing is tried."""
    make_read_only(folders)
    await refused(start, "ead-only")


@pytest.mark.root
async def test_a_volume_without_inodes_is_refused(start: Start, folders: Folders) -> None:
    """Bytes are free, and no file can be made."""
    free = os.statvfs(folders.profile).f_favail
    (folders.profile / "many").mkdir()
    for number in range(free - 100):
        (folders.profile / "many" / str(number)).touch()
    await refused(start, "inodes are free")


def shut_down(folder: Path) -> None:
    """Let a file system fail, as after an error of its disk: ext4's own test call. What was written before is on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(handle, _EXT4_SHUTDOWN, struct.pack("I", 0))
    finally:
        os.close(handle)


def make_read_only(folders: Folders) -> None:
    """As it stands: a second mount would find the journal open where another mount namespace keeps the first one."""
    subprocess.run(["mount", "-o", "remount,ro", folders.profile], check=True, timeout=50)


def remount(folders: Folders) -> None:
    """Unmount and mount again, as when a node takes a volume anew."""
    subprocess.run(["umount", folders.profile], check=True, timeout=50)
    # A copy: whoever made a mount namespace meanwhile, as other tests do, keeps the old mount with its failure.
    image = shutil.copyfile(folders.root / "volume.img", folders.root / "volume-again.img")
    subprocess.run(["mount", "-o", "loop", image, folders.profile], check=True, timeout=50)


def login_database(profile: Path) -> Path:
    """The page's IndexedDB."""
    [found] = (profile / "chromium/Default/IndexedDB").glob("*.indexeddb.leveldb")
    return found


DAMAGES: list[tuple[Callable[[Path], object], str]] = [
    (lambda database: (database / "CURRENT").unlink(), "CURRENT is missing"),
    (lambda database: (database / "CURRENT").write_text("garbage"), "CURRENT is garbage"),
    (lambda database: next(database.glob("MANIFEST-*")).write_bytes(b"garbage" * 20), "is garbage"),
    (lambda database: next(database.glob("MANIFEST-*")).unlink(), "is missing"),
    (lambda database: next(database.glob("*.log")).unlink(), "log is missing"),
    (lambda database: next(database.glob("*.log")).write_bytes(b"garbage" * 20), "is garbage"),
]


@pytest.mark.root
async def test_a_damaged_login_is_left_as_it_is(start: Start, standin: StandIn, folders: Folders) -> None:
    """A browser would begin a new database; none is started, and with the backup in its place the session connects."""
    async with start() as runner:
        device = await link(runner, standin)
        await runner.stop()
    databases = (login_database(folders.profile), folders.profile / "chromium/Default/Local Storage/leveldb")
    for database, (damage, shown) in product(databases, DAMAGES):
        backup = shutil.copytree(database, folders.root / "backup")
        damage(database)
        before = {path.name: path.read_bytes() for path in database.iterdir()}
        await refused(start, "The login's database", shown, "backup")

        assert before == {path.name: path.read_bytes() for path in database.iterdir()}
        shutil.rmtree(database)
        shutil.move(backup, database)
    await connects_as_before(start, standin, device)


@pytest.mark.root
async def test_an_older_browser_does_not_open_the_profile(start: Start, standin: StandIn, folders: Folders) -> None:
    """Both versions are in the message, the profile stays as it is, and the newer browser connects again."""
    async with start() as runner:
        device = await link(runner, standin)
        await runner.stop()
    ours = await browser_version(BROWSER)
    older = folders.root / "older-browser"
    older.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo Chromium 100.0.1.1 || exec {BROWSER} "$@"\n')
    older.chmod(0o755)
    before = sorted((str(path), path.lstat().st_mtime_ns) for path in (folders.profile / "chromium").rglob("*"))

    assert ours == read_saved_state(folders.profile / "runner.json").browser_version
    await refused(start, ours, "100.0.1.1", BROWSER_EXECUTABLE=str(older))
    assert before == sorted((str(path), path.lstat().st_mtime_ns) for path in (folders.profile / "chromium").rglob("*"))
    await connects_as_before(start, standin, device)
