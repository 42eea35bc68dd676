"""The routes about the session itself: its state, its codes, whose account is linked, and logging it out.

They read the store. What has to be done in the page is a command with a deadline, so that a page that hangs blocks no
caller.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime

import mimeparse
import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from session_protocol.answers import PairingCode, PairingRequest, State
from session_protocol.states import STATES
from session_protocol.times import whole_seconds

from session_runner import commands
from session_runner.account.logout import log_out
from session_runner.account.phone_numbers import PhoneNumbers
from session_runner.commands import CommandError, Commands
from session_runner.host.identity import Identity
from session_runner.http.bodies import json_response, read_body
from session_runner.http.codes import OFFERED, render
from session_runner.http.errors import (
    ApiError,
    BadRequestError,
    CannotPairError,
    DeadlineError,
    NoAccountError,
    NoCodeError,
    NoPageError,
    NoPairingCodeError,
    NotAcceptableError,
    NotLinkedError,
    TooManyCommandsError,
)
from session_runner.http.routes import StateQuery, read_query
from session_runner.store import Code, Snapshot, StateStore

logger = logging.getLogger(__name__)

MAX_WAIT_SECONDS = 60.0
""" Longer waits are cut to this, because proxies and load balancers drop silent connections soon after. """
LOGOUT_SECONDS = 30.0
""" For a page to log out and notify the service, including the wait for its turn. """
SHOWN_SECONDS = 10.0
""" For the state to show that the session is unlinked, once the page is. """
PAIRING_SECONDS = 20.0
""" For the page to show a pairing code; WhatsApp's answer takes a second or two. """
PAIRING_PAUSE = 0.1
LONGEST_ACCEPT = 4096
""" Characters of an Accept header at most; a browser's has 150. """


class SessionRoutes:
    """The routes of one session."""

    def __init__(
        self,
        *,
        store: StateStore,
        numbers: PhoneNumbers,
        commands: Commands,
        identity: Identity,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._numbers = numbers
        self._commands = commands
        self._identity = identity
        self._clock = clock

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by the names of their routes."""
        return {
            "getState": self.state,
            "getQR": self.code,
            "getAccount": self.account,
            "getPairingCode": self.pairing_code,
            "askForPairingCode": self.ask_for_pairing_code,
            "logOut": self.logout,
        }

    async def state(self, request: web.Request) -> web.Response:
        """GET /v1/state: the state, at once or after its next change."""
        query = read_query(request.query, StateQuery)
        after = query.after if isinstance(query.after, int) else None
        snapshot = await self._store.newer_than(after, wait=min(query.wait, MAX_WAIT_SECONDS))
        return json_response(self.document(snapshot))

    async def logout(self, _request: web.Request) -> web.Response:
        """POST /v1/logout: unlink, and answer with the state that shows it."""
        logger.info("A logout was asked for")
        try:
            await self._commands.run(log_out, deadline=LOGOUT_SECONDS)
        except CommandError as error:
            raise self._refusal(error) from error
        # The page is unlinked; the monitor publishes it with its next look.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHOWN_SECONDS):
                while self._store.snapshot.linked_time is not None and not self._store.closing:
                    await self._store.newer_than(self._store.snapshot.revision, wait=SHOWN_SECONDS)
        return json_response(self.document(self._store.snapshot))

    def _refusal(self, error: CommandError) -> ApiError:
        state = self._store.snapshot.state
        if STATES[state].linked is False and isinstance(error, commands.NoPageError):
            error = commands.NotLinkedError()  # also when its page opens again: asking again would not help
        match error:
            case commands.NotLinkedError():
                return NotLinkedError(f"The session is not linked, so there is nothing to log out of; it is {state}.")
            case commands.TooManyCommandsError():
                return TooManyCommandsError("Too many commands are waiting already; try again when they are done.")
            case commands.CommandTimeoutError():
                return DeadlineError(
                    f"The page did not log out within {LOGOUT_SECONDS:g} s, and may still do so; see GET /v1/state."
                )
            case _:
                return NoPageError(f"The session's page is not open, it is {state}; try again when it is Connected.")

    async def code(self, request: web.Request) -> web.Response:
        """GET /v1/qr: the QR code that the page shows."""
        media_type = best_type(", ".join(request.headers.getall("Accept", [])))
        code = self._store.code
        if code is None:
            state = self._store.snapshot.state
            raise NoCodeError(f"There is no QR code now; the session is {state}. It has one while it is QRPending.")
        headers = {"Cache-Control": "no-store", "Content-Type": media_type, "Vary": "Accept"}
        return web.Response(body=render(code, media_type), headers=headers)

    async def account(self, _request: web.Request) -> web.Response:
        """GET /v1/account: the number of the linked account."""
        account = self._store.account
        if account is None:
            state = self._store.snapshot.state
            raise NoAccountError(f"It is not known whose account is linked, if one is; the session is {state}.")
        return json_response(account)

    async def pairing_code(self, _request: web.Request) -> web.Response:
        """GET /v1/pairing-code: the pairing code, while there is one."""
        code = self._store.pairing_code
        if code is None:
            state = self._store.snapshot.state
            raise NoPairingCodeError(
                f"There is no pairing code now; the session is {state}. It has one while it is PairingCodePending."
            )
        return _pairing_response(code)

    async def ask_for_pairing_code(self, request: web.Request) -> web.Response:
        """POST /v1/pairing-code: want one for a number, and answer with it."""
        try:
            given = msgspec.json.decode(await read_body(request), type=PairingRequest)
        except (ValueError, RecursionError):  # no UTF-8 is another error than no JSON
            raise BadRequestError(
                'The body is wrong: send {"phoneNumber": "+15550100000"}, a number with its country\'s code.'
            ) from None
        number = given.phone_number
        if self._store.snapshot.linked:
            raise CannotPairError("The session is linked already; log it out first.")
        if not self._numbers.ask_for(number):
            raise CannotPairError("The session's Secret names another number; change it there, or leave it out.")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAIRING_SECONDS):
                while not self._store.closing:
                    if (code := self._store.pairing_code_for(number)) is not None:
                        return _pairing_response(code)
                    await asyncio.sleep(PAIRING_PAUSE)
        snapshot = self._store.snapshot
        raise DeadlineError(f"There is no pairing code yet; the session is {snapshot.state}. {snapshot.message}")

    def document(self, snapshot: Snapshot) -> State:
        """Return the answer for a snapshot, as of now."""
        probed = self._store.probed
        return State(
            session_uid=self._identity.session_uid,
            pod_uid=self._identity.pod_uid,
            revision=snapshot.revision,
            state=snapshot.state,
            reason=snapshot.reason,
            message=snapshot.message,
            since=whole_seconds(snapshot.since),
            linked=snapshot.linked,
            linked_time=_maybe(snapshot.linked_time),
            durable_time=_maybe(snapshot.durable_time),
            logout_time=None if snapshot.logout is None else whole_seconds(snapshot.logout.time),
            logout_reason=None if snapshot.logout is None else snapshot.logout.reason,
            round=snapshot.round,
            browser_sandbox=snapshot.sandbox and snapshot.sandbox.browser,
            user_namespace=snapshot.sandbox and snapshot.sandbox.user_namespace,
            browser_version=snapshot.browser_version,
            account_revision=snapshot.account_revision,
            account_expected=snapshot.account_expected,
            settings_digest=snapshot.settings_digest,
            probe_age_seconds=None if probed is None else round(max(0.0, (self._clock() - probed).total_seconds()), 1),
        )


def best_type(accept: str) -> str:
    """Return the offered media type that an Accept header prefers; an empty header accepts all.

    :raises NotAcceptableError: it accepts none of them.
    :raises BadRequestError: it is too long, or no list of media types.
    """
    wanted = accept.lower() if accept.strip(" ,\t") else "*/*"
    if len(wanted) > LONGEST_ACCEPT:
        raise BadRequestError(f"The Accept header is longer than {LONGEST_ACCEPT} characters.")
    try:
        best: str = mimeparse.best_match(OFFERED[::-1], wanted)  # of equals the last one wins there
    except mimeparse.MimeTypeParseException as error:
        raise BadRequestError(
            "The Accept header is not a list of media types, such as image/png, */*;q=0.1."
        ) from error
    if not best:
        raise NotAcceptableError(f"Accept one of {', '.join(OFFERED)}.")
    return best


def _pairing_response(code: Code) -> web.Response:
    return json_response(
        PairingCode(
            text=code.text,
            issued_time=whole_seconds(code.issued),
            expiry_time=whole_seconds(code.expires),
            round=code.round,
        )
    )


def _maybe(moment: datetime | None) -> datetime | None:
    return None if moment is None else whole_seconds(moment)
