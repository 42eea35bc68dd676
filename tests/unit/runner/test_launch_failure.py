"""Why the browser did not start: its own words, found in the driver's log."""

import pytest
from session_runner.page.launch_failure import launch_error

GONE = "BrowserType.launch_persistent_context: Target page, context or browser has been closed"


def log(*lines: str) -> str:
    """Return the driver's error with what the process 12 wrote; the driver repeats all of it in its call log."""
    shown = [f"[pid=12][err] {line}" if not line.startswith("<") else f"[pid=12] {line}" for line in lines]
    calls = [f"  - {line}" for line in shown]
    return "\n".join(
        [GONE, "Browser logs:", "", "<launching> chromium --x", "<launched> pid=12", *shown, "Call log:", *calls]
    )


@pytest.mark.parametrize(
    ("text", "account"),
    [
        (
            log(
                "chromium: error while loading shared libraries: libnss3.so",
                "<process did exit: exitCode=127, signal=null>",
            ),
            "it ended with exit status 127, saying: chromium: error while loading shared libraries: libnss3.so",
        ),
        (
            log(
                "[12:12:1129/153000.1:ERROR:bus.cc(407)] Failed to connect to the bus",
                "[12:12:1129/153000.2:FATAL:v8.cc(7)] Check failed: snapshot.",
                "#0 0x55d0f0 base::debug::StackTrace()",
                "[0x55d0f0]",
                "<process did exit: exitCode=null, signal=SIGTRAP>",
            ),
            "it was ended by SIGTRAP, saying: [12:12:1129/153000.2:FATAL:v8.cc(7)] Check failed: snapshot.",
        ),
        (log("<process did exit: exitCode=1, signal=null>"), "it ended with exit status 1"),
        (f"{GONE}\nBrowser logs:\n", GONE),
        ("Failed to launch: Error: spawn /browser EACCES", "Failed to launch: Error: spawn /browser EACCES"),
        ("", ""),
    ],
)
def test_what_the_browser_printed_is_found(text: str, account: str) -> None:
    """How its process ended, and the sentence before the stack; without either the driver's first line."""
    assert f"The browser did not start: {account}" == str(launch_error(text, sandbox=False))


def test_output_without_end_is_cut() -> None:
    """A message of a megabyte helps nobody."""
    assert len(str(launch_error(log(*(f"{number} " * 200 for number in range(1000))), sandbox=False))) < 400
