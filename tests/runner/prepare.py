"""Installs what the runner's tests start beside Python: the browser and certutil. `make test` runs it first.

    python -m runner.prepare

As root on Debian it installs what is missing, and fails when it cannot: a test run that is green because the browser's
tests were all skipped says nothing. Elsewhere it only says what is missing, and those tests are skipped.
"""

import sys

from session_devtools import packages
from session_devtools.errors import CommandError, MachineError
from session_devtools.progress import ConsoleProgress, Progress

__all__ = ["main"]


def main(*, progress: Progress | None = None) -> int:
    """Return the exit status: 1 when what could be installed was not."""
    try:
        packages.ensure(packages.BROWSER, progress=progress or ConsoleProgress())
    except MachineError as error:
        sys.stderr.write(f"note: the runner's tests that need a browser are skipped. {error}\n")
    except CommandError as error:
        sys.stderr.write(f"the browser for the runner's tests could not be installed: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
