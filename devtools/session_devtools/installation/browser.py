"""Ends a session's browser by SIGKILL, as a kernel out of memory does, for who wants to see the session come back."""

from session_devtools.errors import InstallError
from session_devtools.kubectl import Kubectl

KILL_BROWSER = """
import os, pathlib, signal
for entry in pathlib.Path("/proc").iterdir():
    if not entry.name.isdigit():
        continue
    try:
        words = (entry / "cmdline").read_bytes().split(b"\\0")
    except OSError:
        continue
    if b"headless" in words[0].rsplit(b"/", 1)[-1] and not any(word.startswith(b"--type=") for word in words):
        os.kill(int(entry.name), signal.SIGKILL)
        print("killed", entry.name)
"""
""" Run inside a session's container: ends Chromium's main process, and says so. """


def kill_browser(kubectl: Kubectl, session: str, *, namespace: str) -> None:
    """End Chromium's main process inside a session's container. :raises InstallError: there is none."""
    output = kubectl("exec", f"--namespace={namespace}", session, "--", "python3", "-c", KILL_BROWSER)
    if "killed" not in output:
        raise InstallError(f"no browser process was found in the pod of {session}")
