"""The process: `python -m session_runner`.

Reads the settings, serves the API from the start, runs the session, and ends with its exit code and a termination
message. It can be PID 1 of a container or any other process.
"""

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
    from session_protocol.vocabulary import ExitCode, TokenScope

    from session_runner.assembly import api_of, assemble, session_of
    from session_runner.exits import Exit
    from session_runner.host.identity import identity_of, session_of_pod
    from session_runner.host.processes import adopt_orphans
    from session_runner.host.termination_log import write_termination_log
    from session_runner.http.app import serve
    from session_runner.http.auth import TokenFolder
    from session_runner.seams import Seams
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
    tokens = TokenFolder(settings.token_dir)
    if TokenScope.STATE not in tokens.scopes():
        return Exit(
            ExitCode.BAD_CONFIGURATION,
            f"TOKEN_DIR={settings.token_dir} has no file named {TokenScope.STATE} with a token; mount the session's Secret there.",
        )
    identity = identity_of(session_of_pod(), session_uid=settings.session_uid, pod_uid=settings.pod_uid)
    parts = assemble(settings, identity, Seams())
    api, session = api_of(parts, tokens), session_of(parts, started=STARTED)
    try:
        server, port = await serve(api, port=settings.port, metrics=session.metrics)
    except OSError as error:
        return Exit(ExitCode.BAD_CONFIGURATION, f"PORT={settings.port} cannot be used ({error.strerror}).")
    logger.info("The API serves", extra={"port": port})
    try:
        return await session.run(stop)
    finally:
        session.store.close()
        await server.cleanup()


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
