"""A session whose browser is broken: its last words name the browser's version, by its own word or by the image's record."""

import asyncio
import threading
from pathlib import Path

import pytest
from session_protocol.vocabulary import BROWSER_FAILURES, ExitCode
from session_runner import session as session_module
from session_runner.assembly import Base
from session_runner.exits import Exit
from session_runner.outbox import schema
from session_runner.profile.layout import ProfileLayout
from support.runner_parts import make_parts, make_session
from support.waiting import async_until
from unit.runner.test_outbox import damage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


async def run(folder: Path, script: str, *, damaged: bool = False) -> tuple[Base, Exit]:
    """Run a session with a browser that does this, to its end."""
    browser, profile = folder / "browser", folder / "profile"
    browser.write_text(f"#!/bin/sh\n{script}\n")
    browser.chmod(0o755)
    profile.mkdir()
    if damaged:
        damage_messages(ProfileLayout(profile).messages_file)
    required = {
        "PROFILE_DIR": str(profile),
        "CACHE_DIR": str(folder / "cache"),
        "BROWSER_EXECUTABLE": str(browser),
        "LAUNCH_TIMEOUT": "60s",
    }
    parts = make_parts(settings=required, pod_uid="pod-2", monotonic=lambda: 0.0, random=lambda: 0.0)
    exit_ = await make_session(parts).run(asyncio.Event())
    # The driver is dead. asyncio learns of it from a thread, and of its pipes' ends in the next turn; a loop that is closed
    # before leaves them to the garbage collector, and their warning to another test.
    await async_until("asyncio knows that the driver has ended", _waits_for_nobody)
    await asyncio.sleep(0.05)
    return parts.base, exit_


async def _waits_for_nobody() -> bool:
    return not any(thread.name.startswith("asyncio-waitpid") for thread in threading.enumerate())


def damage_messages(path: Path) -> None:
    """Make a file of messages that can be opened, and not read."""
    schema.open_database(path).close()
    damage(path)


async def test_a_browser_that_ends_at_once_is_named_with_its_version(tmp_path: Path) -> None:
    """In the last words and in the last state, beside what it said itself; the metric has the version as well."""
    base, exit_ = await run(
        tmp_path,
        'case "$*" in --version) echo Chromium 156.0.7204.49; exit;; esac\necho cannot load libnss3.so >&2; exit 127',
    )

    assert ExitCode.LAUNCH_FAILED is exit_.code
    assert exit_.message == base.store.snapshot.message
    assert "exit status 127, saying: cannot load libnss3.so" in exit_.message
    assert exit_.message.endswith("The browser's version is 156.0.7204.49.")
    assert "156.0.7204.49" == base.store.snapshot.browser_version
    assert 1 == base.metrics.registry.get_sample_value("whatsapp_runner_browser_info", {"version": "156.0.7204.49"})


async def test_the_image_s_record_speaks_for_a_browser_that_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that ends before it says its version; outside of an image there is no record, and no version."""
    monkeypatch.setattr(session_module, "recorded_version", lambda: "155.0.1.2")
    _, with_record = await run(tmp_path, "kill -SEGV $$")
    monkeypatch.setattr(session_module, "recorded_version", lambda: None)
    (tmp_path / "again").mkdir()
    base, without = await run(tmp_path / "again", "kill -SEGV $$")

    assert "SIGSEGV" in with_record.message
    assert with_record.message.endswith("The browser's version is 155.0.1.2.")
    assert "SIGSEGV" in without.message
    assert "version is" not in without.message
    assert base.store.snapshot.browser_version is None


async def test_a_volume_without_room_for_messages_does_not_keep_the_browser_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session goes its way without them: here, to its browser's end."""
    monkeypatch.setattr(schema, "_SETTINGS", f"{schema._SETTINGS}PRAGMA max_page_count = 1;")
    _, exit_ = await run(tmp_path, "kill -SEGV $$")

    assert ExitCode.LAUNCH_FAILED is exit_.code


async def test_damaged_messages_are_the_profile_s_fault(tmp_path: Path) -> None:
    """Also when that is found only while the session runs; the last words name the file."""
    base, exit_ = await run(tmp_path, "exec sleep 60", damaged=True)

    assert ExitCode.PROFILE_UNUSABLE is exit_.code
    assert "messages.sqlite on the profile volume cannot be read" in exit_.message
    assert exit_.message == base.store.snapshot.message


def test_only_what_may_be_the_browser_s_own_names_it() -> None:
    """Not a full profile, not a page that cannot be fetched, not too little memory."""
    assert {ExitCode.LAUNCH_FAILED, ExitCode.PAGE_CRASHED, ExitCode.BROWSER_EXITED} == BROWSER_FAILURES
