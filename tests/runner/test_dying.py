"""Deaths: each is noticed, told with its own exit code and last words, and leaves nothing behind."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from runner.conftest import Start
from session_protocol.vocabulary import ExitCode
from standin.harness import StandIn
from support.runner_process import Folders, RunnerProcess, link, start_runner

MEMORY = Path("/sys/fs/cgroup/memory")


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Signal one process."""
    os.kill(pid, number)


async def ends(runner: RunnerProcess, code: ExitCode) -> None:
    """The runner ends with that code and its word, and nothing of it is left."""
    descendants = runner.descendants()

    assert code == await runner.exit_code()
    assert runner.termination_message().startswith(f"{code.reason}: ")
    assert runner.survivors(descendants) == []


async def test_a_dead_page_ends_the_runner(start: Start, standin: StandIn) -> None:
    """The renderer is killed: PageCrashed; the login survives in a new runner once it was durable or cleanly closed."""
    async with start() as runner:
        await link(runner, standin)
        kill(runner.browser_process("renderer").pid)
        await ends(runner, ExitCode.PAGE_CRASHED)


async def test_a_dead_browser_ends_the_runner(start: Start) -> None:
    """The browser's main process is killed: BrowserExited."""
    async with start() as runner:
        await runner.wait_for_state("QRPending")
        kill(runner.browser_process(None).pid)
        await ends(runner, ExitCode.BROWSER_EXITED)


async def test_a_dead_driver_ends_the_runner(start: Start) -> None:
    """Playwright's driver is killed: without it the browser cannot be spoken to, which is the same to the session."""
    async with start() as runner:
        await runner.wait_for_state("QRPending")
        kill(next(process.pid for process in runner.descendants() if process.parent == runner.process.pid))
        await ends(runner, ExitCode.BROWSER_EXITED)


async def test_a_hung_page_is_noticed_after_the_health_check(start: Start, standin: StandIn) -> None:
    """A renderer that stands still answers nothing: Unresponsive, then the exit, after the time that was set."""
    async with start(HEALTH_CHECK_TIMEOUT="10s") as runner:
        await link(runner, standin)
        kill(runner.browser_process("renderer").pid, signal.SIGSTOP)
        began = time.monotonic()
        await runner.wait_for_state("Unresponsive", deadline=20)
        noticed = time.monotonic() - began
        await ends(runner, ExitCode.PAGE_UNRESPONSIVE)

    assert 9 <= noticed <= 14  # a question may have been open for a moment, or is put a moment later


async def test_the_api_answers_while_the_page_hangs(start: Start) -> None:
    """/healthz, /readyz and the state never wait for the page."""
    async with start() as runner:
        await runner.wait_for_state("QRPending")
        kill(runner.browser_process("renderer").pid, signal.SIGSTOP)
        began = time.monotonic()
        for path in ("/healthz", "/readyz"):
            assert (await runner.get(path, scope=None))[0] == 200
        assert (await runner.state())["state"] == "QRPending"

        assert time.monotonic() - began < 5
        await runner.kill()  # left to itself, the driver would wait for the page for half a minute


async def test_a_clean_stop_of_a_hung_page_is_bounded(start: Start) -> None:
    """SIGTERM while the page stands still: the runner ends within 45 s and leaves nothing."""
    async with start() as runner:
        await runner.wait_for_state("QRPending")
        kill(runner.browser_process("renderer").pid, signal.SIGSTOP)
        descendants = runner.descendants()

        assert await runner.stop(deadline=45) in (ExitCode.STOPPED, ExitCode.STOP_INCOMPLETE)
        assert runner.survivors(descendants) == []


@pytest.mark.parametrize("delay", [0.0, 0.3, 1.0])
async def test_a_stop_during_the_launch_is_clean(start: Start, delay: float) -> None:
    """A pod may be deleted while its browser is starting: exit 0, nothing left, no complaint in the log."""
    async with start() as runner:
        await asyncio.sleep(delay)  # whatever is under way then
        descendants = runner.descendants()

        assert await runner.stop() == ExitCode.STOPPED
        assert runner.survivors(descendants) == []
        assert [line for line in runner.lines if line.get("level") == "ERROR" or "not JSON" in line] == []


async def test_a_second_runner_on_the_profile_is_refused(start: Start) -> None:
    """ProfileLocked at once, and the first one is not disturbed."""
    async with start() as first:
        await first.wait_for_state("QRPending")
        async with start(serves=False) as second:
            assert await second.exit_code() == ExitCode.PROFILE_LOCKED
            assert "held by another runner" in second.termination_message()
        assert (await first.state())["state"] == "QRPending"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"STARTUP_TIMEOUT": "5 days"}, "STARTUP_TIMEOUT"),
        ({"TOKEN_DIR": "/nonexistent"}, "TOKEN_DIR"),
        ({"EXTRA_CA_FILE": "/nonexistent"}, "EXTRA_CA_FILE"),
        ({"SESSION_UID": ""}, "SESSION_UID"),
    ],
)
async def test_a_wrong_setting_ends_at_once(start: Start, variables: dict[str, str], message: str) -> None:
    """BadConfiguration, the variable's name in the last words."""
    async with start(serves=False, **variables) as runner:
        assert await runner.exit_code() == ExitCode.BAD_CONFIGURATION
        assert message in runner.termination_message()


@pytest.mark.parametrize("executable", ["/nonexistent/browser", "/bin/true"])
async def test_a_browser_that_does_not_start_is_reported(start: Start, executable: str) -> None:
    """LaunchFailed names the program."""
    async with start(serves=False, BROWSER_EXECUTABLE=executable) as runner:
        assert await runner.exit_code() == ExitCode.LAUNCH_FAILED
        assert "BROWSER_EXECUTABLE" in runner.termination_message()


async def test_a_browser_that_does_not_come_up_is_given_up_after_the_launch_timeout(
    start: Start, tmp_path: Path
) -> None:
    """It reports its version and then hangs: LaunchFailed after the time that was set, which the message names."""
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Chromium 156.0.1.1" || exec sleep 300\n')
    browser.chmod(0o755)
    began = time.monotonic()
    async with start(
        serves=False, BROWSER_EXECUTABLE=str(browser), LAUNCH_TIMEOUT="6s", STARTUP_TIMEOUT="1s"
    ) as runner:
        assert await runner.exit_code() == ExitCode.LAUNCH_FAILED
        assert "did not start within 6 s" in runner.termination_message()

    assert time.monotonic() - began >= 6


async def test_a_profile_that_cannot_be_written_is_reported(start: Start, folders: Folders) -> None:
    """A file where the folder should be, as after a wrong mount: ProfileUnusable."""
    (folders.profile / "chromium").write_text("not a folder")
    async with start(serves=False, PROFILE_DIR=str(folders.profile / "chromium")) as runner:
        assert await runner.exit_code() == ExitCode.PROFILE_UNUSABLE


async def test_a_pipe_in_the_place_of_the_state_file_is_reported(start: Start, folders: Folders) -> None:
    """No runner hangs on it, and none goes on as if there had been no conflict."""
    os.mkfifo(folders.profile / "runner.json")
    async with start(serves=False) as runner:
        assert await runner.exit_code() == ExitCode.PROFILE_UNUSABLE
        assert "runner.json" in runner.termination_message()


async def test_a_damaged_file_of_messages_is_reported(start: Start, folders: Folders) -> None:
    """It is left as it is: messages that were accepted may be in it."""
    file = folders.profile / "messages.sqlite"
    file.write_bytes(b"no database")
    async with start(serves=False) as runner:
        assert await runner.exit_code() == ExitCode.PROFILE_UNUSABLE
        assert "messages.sqlite" in runner.termination_message()
        assert b"no database" == file.read_bytes()


@pytest.fixture
def small_group() -> Iterator[Path]:
    """A control group (v1) with too little memory for a browser; needs root."""
    group = MEMORY / f"session-runner-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(120 * 2**20))
    except OSError as error:
        pytest.skip(f"needs root and cgroup v1: {error}")
    yield group
    group.rmdir()


@pytest.mark.root
async def test_a_browser_killed_for_want_of_memory_is_reported(
    folders: Folders, environment: dict[str, str], small_group: Path
) -> None:
    """The kernel kills a process of the browser in a group that is too small: OutOfMemory, not a crash."""
    # Which process it is decides whether the launch fails at once or never ends: hence a bound on it.
    limited = environment | {"LAUNCH_TIMEOUT": "15s"}
    async with start_runner(folders, limited, serves=False, group=small_group) as runner:
        await ends(runner, ExitCode.OUT_OF_MEMORY)

        assert "memory limit" in runner.termination_message()
