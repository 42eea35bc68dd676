"""How a run ends: the session raises `RunEnded`, `__main__` turns the `Exit` into the process's exit."""

from typing import NamedTuple

from session_protocol.vocabulary import ExitCode, RunnerState, StateReason


class Exit(NamedTuple):
    """An exit code and its message."""

    code: ExitCode
    message: str


class RunEnded(Exception):
    """The run has ended; state and reason are published while the browser is being closed."""

    def __init__(self, code: ExitCode, message: str, *, state: RunnerState, reason: StateReason) -> None:
        super().__init__(message)
        self.exit = Exit(code, message)
        self.state = state
        self.reason = reason


def out_of_memory() -> RunEnded:
    """Return the end of a run in which the kernel killed one of our processes."""
    return RunEnded(
        ExitCode.OUT_OF_MEMORY,
        "The kernel killed a browser process at the container's memory limit; raise spec.resources.limits.memory.",
        state=RunnerState.CRASHED,
        reason=StateReason.OUT_OF_MEMORY,
    )


def profile_unusable(message: str) -> RunEnded:
    """Return the end of a run that must not have the profile open, or not any longer."""
    return RunEnded(ExitCode.PROFILE_UNUSABLE, message, state=RunnerState.DEGRADED, reason=StateReason.STORAGE_FAILED)


def died(who: str) -> RunEnded:
    """Return the end of a run in which the process of the page or of the browser died."""
    if who == "page":
        return RunEnded(
            ExitCode.PAGE_CRASHED, "The page's process died.", state=RunnerState.CRASHED, reason=StateReason.PAGE_DIED
        )
    return RunEnded(
        ExitCode.BROWSER_EXITED,
        "The browser ended by itself or was killed.",
        state=RunnerState.CRASHED,
        reason=StateReason.BROWSER_DIED,
    )


def unresponsive(seconds: float) -> RunEnded:
    """Return the end of a run whose page does not answer."""
    return RunEnded(
        ExitCode.PAGE_UNRESPONSIVE,
        f"The page did not answer a probe for {seconds:g} s.",
        state=RunnerState.UNRESPONSIVE,
        reason=StateReason.PROBE_TIMED_OUT,
    )
