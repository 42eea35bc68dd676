"""The programs that run all sessions in one process, as far as no browser is needed."""

import io
import json
from pathlib import Path

import pytest
from session_bench.errors import BenchError
from session_bench.one_process.host import KINDS, QrCodes
from session_bench.one_process.programs import PLAYWRIGHT, PUPPETEER, SOURCES
from session_devtools.waiting import wait_until


def test_newest_code_of_each_session_counts() -> None:
    """A code lives for a minute at most; other lines are the program's talk."""
    lines = [
        '{"session": 0, "qr": "old"}\n',
        "a warning\n",
        '{"session": 1, "qr": "b"}\n',
        '{"session": 0, "qr": "new"}\n',
    ]
    qr_codes = QrCodes(io.StringIO("".join(lines)))

    assert "new" == wait_until("the new code", lambda: "new" if qr_codes.code(0) == "new" else None, within=10)
    assert ("b", None) == (qr_codes.code(1), qr_codes.code(2))


def test_lock_names_every_package_by_its_content() -> None:
    """The same bytes everywhere, and no word about where they were fetched from."""
    packages = json.loads((SOURCES / "package-lock.json").read_text())["packages"]
    fetched = {name: package for name, package in packages.items() if name}

    assert "node_modules/puppeteer-core" in fetched
    assert [] == [name for name, package in fetched.items() if not package.get("integrity", "").startswith("sha512-")]
    assert [] == [name for name, figures in fetched.items() if "resolved" in figures]


def test_lock_fits_the_package() -> None:
    """`npm ci` refuses another version than the one asked for."""
    asked = json.loads((SOURCES / "package.json").read_text())["dependencies"]
    locked = json.loads((SOURCES / "package-lock.json").read_text())["packages"]

    assert asked == {name: locked[f"node_modules/{name}"]["version"] for name in asked}


def test_unprepared_program_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """puppeteer-core is fetched by the benchmark, not by whoever looks."""
    monkeypatch.setenv("WHATSAPP_OPERATOR_CACHE", str(tmp_path))

    with pytest.raises(BenchError, match="make bench-memory"):
        PUPPETEER.command()


def test_programs_see_no_settings_of_the_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A NODE_OPTIONS in somebody's shell would change what is measured; the driver has the runner's own."""
    monkeypatch.setenv("NODE_OPTIONS", "--max-old-space-size=4096")

    assert "NODE_OPTIONS" not in PUPPETEER.environment(home=tmp_path)
    assert "4096" not in PLAYWRIGHT.environment(home=tmp_path)["NODE_OPTIONS"]


def test_kinds_have_names_of_their_own() -> None:
    """Rows are found by them."""
    assert len(KINDS) == len({kind.title for kind in KINDS})
