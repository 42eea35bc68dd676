"""The start of the browser that each build ends with: an image whose browser does not come up is not built."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from session_runner.first_start import SETTLE_SECONDS
from session_runner.host.browser_version import note, parse_version

BROWSER = Path("/usr/lib/chromium/chromium-headless-shell")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
needs_browser = pytest.mark.skipif(not BROWSER.exists(), reason="needs chromium-headless-shell")


IMPATIENT = "import sys; from session_runner import first_start; first_start.SECONDS = {}; sys.exit(first_start.main())"


def first_start(
    folder: Path, *, browser: Path | None = None, seconds: int | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the build's command with this browser; `seconds`: with less time than a build has."""
    given = {} if browser is None else {"BROWSER_EXECUTABLE": str(browser)}
    program = ["-m", "session_runner.first_start"] if seconds is None else ["-c", IMPATIENT.format(seconds)]
    return subprocess.run(
        [sys.executable, *program],
        env={"PATH": os.environ["PATH"], "TMPDIR": str(folder), "HOME": "/nonexistent", **given, **more},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def broken(folder: Path, script: str) -> Path:
    """Return a browser that knows its version, and does this when it is started in earnest."""
    path = folder / "browser"
    path.write_text(f'#!/bin/sh\ncase "$*" in --version) echo Chromium 156.0.7204.49; exit;; esac\n{script}\n')
    path.chmod(0o755)
    return path


@needs_browser
@pytest.mark.timeout(240)
def test_a_browser_that_comes_up_prints_what_is_noted_of_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Its version and its file, in one line on standard output, which the build records, and its driver cut and compiled; no temporary file is left."""
    folder = tmp_path_factory.mktemp("fs")
    prepared = tmp_path_factory.mktemp("driver")
    done = first_start(folder, DRIVER_PREPARED=str(prepared), DRIVER_PREPARE="1")

    assert 0 == done.returncode, done.stderr
    (line,) = done.stdout.splitlines()
    assert line == note(line.split(" ")[0], BROWSER)
    assert line.split(" ")[0] == parse_version(line)
    assert not list(folder.glob("first-start-*"))
    assert 2 == len(list(prepared.glob("*.js.compiled")))


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (
            "echo 'libnss3.so: cannot open shared object file' >&2; exit 127",
            ("exit status 127", "libnss3.so: cannot open"),
        ),
        (
            "echo '[1:1:1129/1.2:FATAL:v8.cc(7)] Check failed: snapshot.' >&2; kill -TRAP $$",
            ("SIGTRAP", "Check failed: snapshot."),
        ),
        ("exit 0", ("exit status 0",)),
        # Sooner than what is waited for after the page was painted, so on no machine too late.
        pytest.param(
            f'{BROWSER} "$@" 3<&3 4>&4 & browser=$!; sleep {SETTLE_SECONDS * 0.75}; kill -KILL $browser',
            ("first start of",),
            marks=needs_browser,
        ),
    ],
)
def test_a_broken_browser_fails_the_build_with_what_it_printed(
    script: str, expected: tuple[str, ...], tmp_path: Path
) -> None:
    """Whether it ends at once, crashes or dies in its first moments."""
    browser = broken(tmp_path, script)
    done = first_start(tmp_path, browser=browser)

    assert 1 == done.returncode
    assert "" == done.stdout
    assert f"first start of {browser}: " in done.stderr
    assert [text for text in expected if text not in done.stderr] == []
    assert "Traceback" not in done.stderr


@needs_browser
def test_a_browser_without_a_page_fails_it_when_its_time_is_over(tmp_path: Path) -> None:
    """It comes up, and its page's process dies at once: the driver waits for a page."""
    done = first_start(
        tmp_path, browser=broken(tmp_path, f'exec {BROWSER} "$@" --renderer-cmd-prefix=/bin/false'), seconds=15
    )

    assert (1, "") == (done.returncode, done.stdout)
    assert "did not start within 15 s" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_browser_that_is_missing_or_silent_fails_it(tmp_path: Path) -> None:
    """Before anything else is started: there is no version to record."""
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexit 1\n")
    silent.chmod(0o755)

    for browser, expected in ((tmp_path / "none", "cannot be started"), (silent, "does not report its version")):
        done = first_start(tmp_path, browser=browser)
        assert (1, "") == (done.returncode, done.stdout)
        assert expected in done.stderr
