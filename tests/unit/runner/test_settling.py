"""The clock that wa-js gets, tried with the driver's own Node on objects like a page's."""

import json
import subprocess
from typing import Any

import pytest
from playwright._impl._driver import compute_driver_executable
from session_runner.page import scripts

NODE, _ = compute_driver_executable()
LOOK = """
const [source, page] = [process.argv[1], JSON.parse(process.argv[2])];
const modules = {
  __debug: { modulesMap: { WAWebSocketModel: { exports: page.run ? { Socket: 1 } : {} }, WAWebUserPrefsMultiDevice: { exports: { isRegistered: 1 } } } },
  WAWebSocketModel: { Socket: { stream: page.stream, hasSynced: page.synced } },
  WAWebUserPrefsMultiDevice: { isRegistered: () => page.registered },
};
globalThis.window = {
  WPP: page.library ? { isInjected: page.injected } : undefined,
  __session: { hasRun: (known) => Object.keys(Object(known?.exports)).length > 0 },
  require: page.loader ? (id) => modules[id] : undefined,
};
const clock = eval(source);
const ahead = Math.round((clock.now() - Date.now()) / 100) * 100;
const made = new clock(5);
console.log(JSON.stringify([ahead, made instanceof Date, made instanceof clock, made.getTime(), clock.UTC(1970, 0, 1)]));
"""
LET_IN: dict[str, Any] = {
    "library": True,
    "injected": False,
    "loader": True,
    "run": True,
    "stream": "CONNECTED",
    "synced": True,
    "registered": True,
}


def _ahead(**page: object) -> int:
    """How far the clock is ahead on such a page, in milliseconds; in all else it is a Date."""
    command = [NODE, "--eval", LOOK, scripts.script("settling.js"), json.dumps(LET_IN | page)]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=50).stdout)
    assert answer[1:] == [True, True, 5, 0]
    return int(answer[0])


def test_a_page_that_has_connected_and_synced_by_itself_is_waited_for_less() -> None:
    """Half a second of the three quarters without a new module."""
    assert _ahead() == 500


@pytest.mark.parametrize(
    "page",
    [
        {"stream": "SYNCING"},
        {"synced": False},
        {"registered": False},
        {"run": False},
        {"loader": False},
        {"library": False},
        {"injected": True},
    ],
    ids=str,
)
def test_elsewhere_it_is_the_usual_clock(page: dict[str, object]) -> None:
    """Before the page is let in, where it has not run its own modules, and as soon as wa-js is there."""
    assert _ahead(**page) == 0


def test_wa_js_alone_has_it() -> None:
    """As a parameter of the function around the unmodified file; the page and our other scripts have their own."""
    text = scripts.init_script()
    start = text.index(scripts.wa_js())
    end = start + len(scripts.wa_js())

    assert text[:start].endswith("(function (Date) {\n")
    assert text[end:].startswith(f"\n}})({scripts.script('settling.js')})")
