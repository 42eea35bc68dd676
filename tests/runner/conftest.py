"""Fixtures of the runner's own tests: a stand-in page in both modes, folders like a pod's, and runners to start.

Everything is set through the phone and read from the runner's HTTP API; no test reaches into the runner.
"""

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from runner.sender import Sender
from standin.harness import StandIn
from standin.settings import Timing
from support.runner_process import Folders, RunnerProcess, link, settings_for, start_runner

BROWSER = Path("/usr/lib/chromium/chromium-headless-shell")

Start = Callable[..., AbstractAsyncContextManager[RunnerProcess]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a browser where there is none, and give each test the time a busy machine needs."""
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here:
            item.add_marker(pytest.mark.chromium)
            item.add_marker(pytest.mark.timeout(240))
            if not BROWSER.exists() or shutil.which("certutil") is None:
                item.add_marker(pytest.mark.skip(reason="needs chromium-headless-shell and libnss3-tools"))


@pytest.fixture(autouse=True, scope="session")
def scratch() -> Iterator[None]:
    """What a killed browser or driver leaves among the temporary files goes with the tests.

    Not below pytest's own folder: Chromium makes a socket there, whose path must be short.
    """
    with tempfile.TemporaryDirectory(prefix="was-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        yield


@pytest.fixture(params=["legacy", "modern"])
def mode(request: pytest.FixtureRequest) -> str:
    """Both generations of the page, the older first."""
    return str(request.param)


@pytest.fixture
async def standin(request: pytest.FixtureRequest) -> AsyncIterator[StandIn]:
    """A stand-in in the test's mode (legacy where it does not care) with short times."""
    mode = request.getfixturevalue("mode") if "mode" in request.fixturenames else "legacy"
    timing = Timing(first_ref=30, next_ref=10, first_sync=1.5, backoff_base=0.3, backoff_limit=1)
    async with StandIn.start(mode=mode, timing=timing) as page:
        yield page


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """What a pod would mount."""
    return Folders(root=tmp_path)


@pytest.fixture
def environment(standin: StandIn, folders: Folders) -> dict[str, str]:
    """The environment for the stand-in's page, with short timeouts where waiting is the point."""
    return folders.environment(
        **settings_for(standin),
        CONNECTION_CHECK_TIMEOUT="4s",
        STARTUP_TIMEOUT="120s",  # other tests may be using the machine
        LAUNCH_TIMEOUT="90s",
    )


@pytest.fixture
def start(folders: Folders, environment: dict[str, str]) -> Start:
    """Start a runner on the stand-in; keywords are variables to change."""

    def starting(*, serves: bool = True, **variables: str) -> AbstractAsyncContextManager[RunnerProcess]:
        return start_runner(folders, environment | variables, serves=serves)

    return starting


@pytest.fixture
async def sender(start: Start, standin: StandIn) -> AsyncIterator[Sender]:
    """A session that is linked and connected, to send by."""
    async with start() as runner:
        yield Sender(runner, standin, await link(runner, standin))
