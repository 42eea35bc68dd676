"""Every error of the local cluster that somebody handles.

ClusterError
├── CommandError       a program we ran ended with a failure
├── BuildError         a program could not be built
├── MachineError       this machine lacks something that a person can give it
├── StartError         a component ended or did not become ready in time
└── ConflictError      another cluster, or something else, holds what this one needs
"""

from collections.abc import Sequence

__all__ = ["BuildError", "ClusterError", "CommandError", "ConflictError", "MachineError", "StartError"]


class ClusterError(Exception):
    """What went wrong and what to do, for a person to read; the command line prints it without a traceback."""


class CommandError(ClusterError):
    """A program ended with a failure; carries what it said."""

    def __init__(self, command: Sequence[str], returncode: int, output: str) -> None:
        super().__init__(f"`{' '.join(command)}` ended with status {returncode}: {output.strip() or 'it said nothing'}")
        self.command = tuple(command)
        self.returncode = returncode
        self.output = output


class BuildError(ClusterError):
    """A program could not be built; the message has the compiler's last words."""


class MachineError(ClusterError):
    """This machine lacks something: rights, a package manager, a kernel feature. The message says what to do."""


class StartError(ClusterError):
    """A component ended at once or was not ready in time; the message has the end of its log."""


class ConflictError(ClusterError):
    """Something else holds what this cluster needs; the message names it and the command that frees it."""
