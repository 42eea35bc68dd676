"""The browser's version: what is taken for one, what is said of a browser that has none to tell."""

import asyncio
import os
from pathlib import Path

import pytest
from session_runner.host.browser_version import (
    browser_version,
    note,
    parse_version,
    recorded_version,
    version_numbers,
)
from session_runner.page.errors import LaunchError
from support.waiting import async_until


def program(folder: Path, script: str) -> Path:
    """Return a browser that does this."""
    path = folder / "browser"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("Chromium 156.0.7204.49 built on Debian GNU/Linux 12 (bookworm)\n", "156.0.7204.49"),
        ("Google Chrome for Testing 131.0.6778.33 ", "131.0.6778.33"),
        ("[7:7:1129/153000.123456:ERROR:bus.cc(407)] no bus\nChromium 156.0.7204.49", "156.0.7204.49"),
        ("156.0.7204.49\n", "156.0.7204.49"),
        ("[7:7:1129/153000.123456:FATAL:x.cc(1)] Check failed", None),
        ("Chromium 156", None),
        ("Chromium 156.0.7204.49.1", None),
        ("Chromium 156.0.99999999.49", None),
        (f"{' ' * 5000}Chromium 156.0.7204.49", None),
        ("", None),
    ],
)
def test_a_version_is_four_numbers(printed: str, version: str | None) -> None:
    """Whatever is written around it; the time of day in a log line is none, and a long text is not searched."""
    assert version == parse_version(printed)


def test_versions_are_compared_by_their_numbers() -> None:
    """As texts 99 would be newer than 156."""
    assert version_numbers("99.0.4844.84") < version_numbers("156.0.7204.49") < version_numbers("156.0.7204.149")


def test_the_image_s_record_is_read_where_there_is_one(tmp_path: Path) -> None:
    """Outside of an image there is none, and a record that holds something else is none either."""
    record = tmp_path / "browser-version"
    assert recorded_version(record) is None

    record.write_bytes(b"\xff\xfe")
    assert recorded_version(record) is None

    record.write_text("156.0.7204.49\n")
    assert "156.0.7204.49" == recorded_version(record)


async def test_a_browser_of_which_the_version_is_noted_is_not_asked(tmp_path: Path) -> None:
    """As long as it is the very file: one that was replaced says for itself what it is."""
    browser = program(tmp_path, "echo Chromium 157.0.1.2")
    noted = tmp_path / "note"
    noted.write_text(f"{note('156.0.7204.49', browser)}\n")
    assert "156.0.7204.49" == await browser_version(browser, path=noted)

    os.utime(browser, (0, 0))
    assert "157.0.1.2" == await browser_version(browser, path=noted)


@pytest.mark.parametrize("text", [b"", b"\xff", b"156.0.7204.49", b"156.0.7204.49 x y"])
async def test_a_note_that_says_less_is_none(tmp_path: Path, text: bytes) -> None:
    """Nor is one that is absent: the browser is asked."""
    browser = program(tmp_path, "echo Chromium 157.0.1.2")
    noted = tmp_path / "note"
    assert "157.0.1.2" == await browser_version(browser, path=noted)

    noted.write_bytes(text)
    assert "157.0.1.2" == await browser_version(browser, path=noted)


async def test_the_browser_is_asked(tmp_path: Path) -> None:
    """By the word that every Chromium knows."""
    assert "156.0.7204.49" == await browser_version(
        program(tmp_path, '[ "$1" = --version ] && echo Chromium 156.0.7204.49')
    )


async def test_a_browser_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The error names the path and the variable."""
    with pytest.raises(LaunchError, match=f"{tmp_path}/none cannot be started.*BROWSER_EXECUTABLE"):
        await browser_version(tmp_path / "none")


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("exit 1", "it says nothing, exit status 1"),
        ("true", "it says nothing, exit status 0"),
        (
            "echo 'libnss3.so: cannot open shared object file' >&2; exit 127",
            "'libnss3.so: cannot open shared object file'",
        ),
        ("kill -SEGV $$", "ended by SIGSEGV"),
        ("echo Chromium 156.0.7204.49; exit 3", "exit status 3"),
        ("while :; do echo noise noise noise noise; done", "noise"),
    ],
)
async def test_a_browser_without_a_version_is_quoted(script: str, expected: str, tmp_path: Path) -> None:
    """Its words and its end are all there is to say what is wrong; one that writes for ever is cut off."""
    async with asyncio.timeout(30):
        with pytest.raises(LaunchError) as found:
            await browser_version(program(tmp_path, script))

    assert "does not report its version" in str(found.value)
    assert expected in str(found.value)
    assert len(str(found.value)) < 400


async def test_a_browser_that_never_answers_is_ended_with_the_wait(tmp_path: Path) -> None:
    """The caller has the deadline, and no process is left behind it."""
    pid = tmp_path / "pid"
    asking = asyncio.create_task(browser_version(program(tmp_path, f"echo $$ > {pid}; exec sleep 60")))
    await async_until("it runs", lambda: asyncio.sleep(0, pid.exists() and pid.read_text().endswith("\n")), within=20)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
