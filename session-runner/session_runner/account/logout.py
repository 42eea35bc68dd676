"""The command behind `POST /v1/logout`: the page unlinks itself, as WhatsApp Web's own menu does.

The page forgets its login, tells the service, and reloads; so the script's own call may be cut off by its effect, and
only a later look shows that it succeeded. The monitor sees an unlinked page like any other and publishes LoggedOut; by
the page's event `logout_asked` it knows that somebody asked for this one.
"""

import asyncio
import logging

from session_runner.commands import NotLinkedError, Page
from session_runner.page.errors import CallFailedError

logger = logging.getLogger(__name__)

SCRIPT = "logout.js"
PAUSE = 0.25
""" Seconds between two calls while the page logs out. """


async def log_out(page: Page) -> None:
    """Unlink the session, and return when the page is unlinked; the caller sets the deadline.

    A page that does not know yet whether it is linked is asked again until it does.

    :raises NotLinkedError: the session is not linked.
    :raises PageGoneError: the page died.
    """
    tried = False
    while (answer := await _ask(page, begin=True)) not in ("begun", "unlinked"):
        tried = tried or answer == "cut off"
        await asyncio.sleep(PAUSE)
    if answer == "unlinked" and not tried:
        raise NotLinkedError
    while answer != "unlinked":
        await asyncio.sleep(PAUSE)
        answer = await _ask(page, begin=False)


async def _ask(page: Page, *, begin: bool) -> str:
    """Return the script's answer: begun, linked, unlinked or unknown; "cut off" if the call failed but may work."""
    try:
        return str(await page.call(SCRIPT, {"begin": begin}))
    except CallFailedError as error:
        logger.info("The page's answer to a logout was cut off", extra={"error": str(error)})
        return "cut off"
