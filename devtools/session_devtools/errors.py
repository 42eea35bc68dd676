"""Every error of the tools around the product that somebody handles; demo and benchmarks add their own.

ToolError
├── CommandError       a program we ran ended with a failure
├── BuildError         a program could not be built
├── MachineError       this machine lacks something that a person can give it
├── StartError         a component ended or did not become ready in time
├── WaitTimeout        something that was waited for did not happen
├── ConflictError      somebody else holds what is needed here
├── InstallError       operator or stand-in could not be installed, or lack something
└── NotReady           something that is looked at is not there yet
"""

from collections.abc import Sequence

__all__ = [
    "BuildError",
    "CommandError",
    "ConflictError",
    "InstallError",
    "MachineError",
    "NotReady",
    "StartError",
    "ToolError",
    "WaitTimeout",
]


class ToolError(Exception):
    """What went wrong and what to do, for a person to read; the command line prints it without a traceback."""


class CommandError(ToolError):
    """A program ended with a failure; carries what it said."""

    def __init__(self, command: Sequence[str], returncode: int, output: str) -> None:
        super().__init__(f"`{' '.join(command)}` ended with status {returncode}: {output.strip() or 'it said nothing'}")
        self.command = tuple(command)
        self.returncode = returncode
        self.output = output


class BuildError(ToolError):
    """A program could not be built; the message has the compiler's last words."""


class MachineError(ToolError):
    """This machine lacks something: rights, a package manager, a kernel feature. The message says what to do."""


class StartError(ToolError):
    """A component ended at once or was not ready in time; the message has the end of its log."""


class WaitTimeout(ToolError):
    """Something that was waited for did not happen; `seen` is what was seen last, or the fault of the last look."""

    def __init__(self, message: str, *, seen: object = None) -> None:
        super().__init__(message)
        self.seen = seen


class ConflictError(ToolError):
    """Something else holds what is needed; the message names it and the command that frees it."""


class InstallError(ToolError):
    """Operator or stand-in could not be installed, or a part of them is missing."""


class NotReady(ToolError):
    """Something is not there yet; who waits looks again."""
