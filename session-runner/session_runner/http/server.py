"""The layer below the application: what is no HTTP, and what aiohttp answers before it asks a route.

The library answers both as text or HTML; here they leave as every other error does, and no byte of what was sent is
repeated.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from session_runner.http.errors import ApiError, BadRequestError, InternalError, problem, problems


class _Connection(web.RequestHandler):
    """One connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer for what could not be read as a request, or failed outside of the application."""
        super().handle_error(request, status, exc, message)  # logs, and raises where half an answer is out already
        error: ApiError = InternalError("The runner failed to answer; its log tells why.")
        if status < 500:
            error = BadRequestError(
                "This cannot be read as an HTTP request: it is malformed, or too long a line or too many headers are in it."
            )
        response = problem(error)
        response.force_close()
        return response


class _Server(web.Server):
    """Makes the connections."""

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=asyncio.get_running_loop(), **self._kwargs)


class ProblemRunner(web.AppRunner):
    """An AppRunner over that server."""

    __slots__ = ()

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()

        async def handle(request: web.Request) -> web.StreamResponse:
            return await problems(request, made.request_handler)  # an Expect header is refused before any middleware

        # What was set on this runner (a logger, say) is the connections', too, and the server hands it on in no other way.
        kwargs = made._kwargs  # noqa: SLF001
        return _Server(handle, request_factory=made.request_factory, **kwargs)  # type: ignore[arg-type]
