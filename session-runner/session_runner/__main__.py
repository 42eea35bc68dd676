"""The process: `python -m session_runner`.

Reads the settings, serves the API from the start, runs the session, and ends with its exit code and a termination
message. It can be PID 1 of a container or any other process.

The browser's driver takes as long to start as most of the imports, so it starts beside them (`serving`).
"""

import importlib
import os
import sys
import time

from session_runner.host.memory_tuning import importing, tune

STARTED = time.monotonic()
tune()  # before the big imports allocate

with importing():
    import asyncio
    import logging
    import signal
    from pathlib import Path

    from session_protocol import logs, open_files
    from session_protocol.environment import Variable
    from session_protocol.vocabulary import ExitCode

    from session_runner.exits import Exit
    from session_runner.host.identity import session_of_pod
    from session_runner.host.processes import adopt_orphans, descendants, processes
    from session_runner.host.termination_log import write_termination_log
    from session_runner.page.driver import EarlyDriver
    from session_runner.settings import Settings, SettingsError, read_settings

PACKAGE = "session_runner"
logger = logging.getLogger(PACKAGE)


def main() -> int:
    """Run the process and return its exit code."""
    session = session_of_pod()
    logs.configure("info", ours=PACKAGE, constant=session)
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        path = Path(os.environ.get(Variable.TERMINATION_LOG) or "/dev/termination-log")
        return leave(Exit(ExitCode.BAD_CONFIGURATION, str(error)), path)
    logs.configure(settings.log_level, ours=PACKAGE, constant=session)
    try:
        exit_ = asyncio.run(run(settings))
    except Exception as error:
        logger.exception("The runner failed")
        exit_ = Exit(ExitCode.INTERNAL_ERROR, f"The runner has a fault: {type(error).__name__}: {error}")
    return leave(exit_, settings.termination_log)


async def run(settings: Settings) -> Exit:
    """Serve the API and run the session until it ends; return the exit."""
    adopt_orphans()
    open_files.raise_limit()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    before = descendants(os.getpid(), processes())
    driver = EarlyDriver()
    try:
        with importing():
            driver.start()
            await asyncio.to_thread(importlib.import_module, "session_runner.serving")
        from session_runner.serving import serve_session

        return await serve_session(settings, stop=stop, driver=driver, before=before, started=STARTED)
    finally:
        await driver.drop()


def leave(exit_: Exit, termination_log: Path) -> int:
    """Write the reason of the end to the log and to the termination log; return the exit code."""
    logger.info(
        "The runner ends", extra={"exit_code": int(exit_.code), "reason": exit_.code.reason, "why": exit_.message}
    )
    if exit_.code is not ExitCode.STOPPED:
        write_termination_log(termination_log, exit_.code, exit_.message)
    return int(exit_.code)


if __name__ == "__main__":
    logs.log_uncaught(PACKAGE)
    sys.exit(main())
