"""Running other programs: the one place that turns a failure into an error with the program's own words."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from session_devtools.errors import CommandError

__all__ = ["run", "succeeds"]


def run(
    *command: str | Path,
    input: str | None = None,  # noqa: A002  the name subprocess gives it
    environment: Mapping[str, str] | None = None,
    timeout: float = 120.0,
) -> str:
    """Run a program to its end and return its standard output; `timeout` is in seconds.

    :raises CommandError: it fails or takes too long.
    """
    arguments = [str(argument) for argument in command]
    try:
        result = subprocess.run(
            arguments, input=input, env=environment, timeout=timeout, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise CommandError(arguments, 127, f"{arguments[0]}: no such program") from error
    except subprocess.TimeoutExpired as error:
        raise CommandError(arguments, 124, f"it did not end within {timeout:.0f} s") from error
    if result.returncode != 0:
        raise CommandError(arguments, result.returncode, result.stderr or result.stdout)
    return result.stdout


def succeeds(*command: str | Path) -> bool:
    """Whether a program ends well; its words are of no interest."""
    return subprocess.run([str(argument) for argument in command], capture_output=True, check=False).returncode == 0
