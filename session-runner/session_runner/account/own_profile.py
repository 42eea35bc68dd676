"""How the session's own account shows itself to others: read of the page, and changed by it.

Nothing is kept here: a change is made at once or not at all, so that nobody finds an about text of yesterday put back.
"""

import logging
from typing import Any, Final

import msgspec
from session_protocol.reading import Profile, ProfileChange

from session_runner.commands import CommandError
from session_runner.linked_page import LinkedPage
from session_runner.messages.errors import PageAwayError
from session_runner.page.errors import CallFailedError

logger = logging.getLogger(__name__)

CALL_SECONDS: Final = 10.0
""" For the page to read or change the profile. """


class OwnProfile:
    """The profile of one session's account; used from one event loop only."""

    def __init__(self, page: LinkedPage) -> None:
        self._page = page

    async def read(self) -> Profile:
        """Return the profile.

        :raises MessageError: the page is away, or did not give it.
        """
        found = await self._ask("profile.js", {}, "The session's page is away, or busy; ask again.")
        try:
            return msgspec.convert({"waId": self._page.own} | found, type=Profile)
        except msgspec.ValidationError as error:
            raise PageAwayError("The page did not tell the profile.") from error

    async def change(self, wanted: ProfileChange) -> None:
        """Change what is given of it, and leave the rest.

        :raises MessageError: it was not changed, or nobody knows whether it was.
        """
        if wanted == ProfileChange():
            return
        argument = {"about": wanted.about or None, "name": wanted.name or None}
        away = "The page did not change the profile, or did not say so; what it is now is in GET /v1/profile."
        await self._ask("set_profile.js", argument, away)

    async def _ask(self, script: str, argument: dict[str, Any], away: str) -> dict[str, Any]:
        self._page.check_reachable()
        try:
            found = await self._page.read(script, {"own": self._page.own} | argument, deadline=CALL_SECONDS)
        except (CommandError, CallFailedError) as error:
            # The error's text could repeat what was given.
            logger.info("The page did not read or change its profile", extra={"error": type(error).__name__})
            raise PageAwayError(away) from error
        if not isinstance(found, dict):
            raise PageAwayError(away)
        return found
