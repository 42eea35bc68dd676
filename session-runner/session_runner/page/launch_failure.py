"""Why the browser did not start, in its own words: found in the log that Playwright's driver appends to its error.

`browser.open_browser` calls this. The error's first line says no more than that the browser is gone; what the browser
wrote, and how its process ended, come after it, each line with the process's number before it.
"""

import re

from session_runner.page.errors import LaunchError, SandboxRefusedError

_SANDBOX_REFUSED = ("No usable sandbox", "sys_chroot", "credentials.cc", "namespace_sandbox.cc", "zygote_host_impl")
""" What Chromium writes when unshare, chroot or clone is denied. """
_LONGEST_LOG = 65_536
_LONGEST_OUTPUT = 300
""" Characters: of the log that are looked at, and of the browser's words in a message. """
_PRINTED = re.compile(r"^(?:\s*- )?\[pid=\d+\]\[(?:err|out)\] (.*\S)", re.MULTILINE)
_ENDED = re.compile(r"<process did exit: exitCode=(\w+), signal=(\w+)>")
_FRAME = re.compile(r"#\d+ 0x|\[0x|\s*r\d+: ")
""" Stack frames and registers, which follow the sentence that says what is wrong. """


def launch_error(text: str, *, sandbox: bool) -> LaunchError:
    """Return the error for a browser that did not start; `text` is what the driver says of it."""
    text = text[:_LONGEST_LOG]
    if sandbox and any(sign in text for sign in _SANDBOX_REFUSED):
        return SandboxRefusedError(
            "The browser did not start: its sandbox needs namespaces, and the container's seccomp profile or the node's "
            "kernel refuses them. Check the profile on this node, or set the operator's BROWSER_SANDBOX to false."
        )
    return LaunchError(f"The browser did not start: {_account(text)}")


def _account(text: str) -> str:
    first = text.strip().partition("\n")[0][:_LONGEST_OUTPUT]
    printed, ended = _output(text), _ENDED.search(text)
    how = [] if ended is None else [_how(status=ended[1], signal=ended[2])]
    return ", ".join([*how, *([f"saying: {printed}"] if printed else [])]) or first


def _how(*, status: str, signal: str) -> str:
    return f"it ended with exit status {status}" if signal == "null" else f"it was ended by {signal}"


def _output(text: str) -> str:
    lines = [line for line in dict.fromkeys(_PRINTED.findall(text)) if not _FRAME.match(line)]
    fatal = [line for line in lines if ":FATAL:" in line]
    return " ".join(fatal or lines)[:_LONGEST_OUTPUT]
