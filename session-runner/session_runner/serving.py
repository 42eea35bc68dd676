"""The session with its HTTP API: all that is imported while the browser's driver starts.

`__main__` imports it once the driver is on its way.
"""

import asyncio
import logging
from collections.abc import Sequence

from session_protocol.vocabulary import ExitCode, TokenScope

from session_runner.assembly import api_of, assemble, session_of
from session_runner.exits import Exit
from session_runner.host.identity import identity_of, session_of_pod
from session_runner.host.processes import Process
from session_runner.http.app import serve
from session_runner.http.auth import TokenFolder
from session_runner.page.driver import EarlyDriver
from session_runner.seams import Seams
from session_runner.settings import Settings

logger = logging.getLogger(__name__)


async def serve_session(
    settings: Settings, *, stop: asyncio.Event, driver: EarlyDriver, before: Sequence[Process], started: float
) -> Exit:
    """Serve the API and run the session until it ends; return the exit.

    :param before: our descendants that existed before the driver, which are not ours to end.
    """
    tokens = TokenFolder(settings.token_dir)
    if TokenScope.STATE not in tokens.scopes():
        return Exit(
            ExitCode.BAD_CONFIGURATION,
            f"TOKEN_DIR={settings.token_dir} has no file named {TokenScope.STATE} with a token; mount the session's Secret there.",
        )
    identity = identity_of(session_of_pod(), session_uid=settings.session_uid, pod_uid=settings.pod_uid)
    parts = assemble(settings, identity, Seams())
    api, session = api_of(parts, tokens), session_of(parts, started=started, driver=driver, before=before)
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
