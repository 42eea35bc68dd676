"""Errors of the HTTP API, each with its status and its word.

Every error leaves as {"error": {"code", "message"}}, whatever route or layer it comes from; `app` has the middleware.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar


class ApiError(Exception):
    """Something the caller did or asked for; the text tells what to do."""

    status: ClassVar[HTTPStatus]
    code: ClassVar[str]


class BadRequestError(ApiError):
    """A parameter is wrong."""

    status, code = HTTPStatus.BAD_REQUEST, "BadRequest"


class UnauthorizedError(ApiError):
    """No token, or an unknown one."""

    status, code = HTTPStatus.UNAUTHORIZED, "Unauthorized"


class ForbiddenError(ApiError):
    """A token of another scope."""

    status, code = HTTPStatus.FORBIDDEN, "Forbidden"


class NoCodeError(ApiError):
    """There is no QR code now."""

    status, code = HTTPStatus.NOT_FOUND, "NoCode"


class NotAcceptableError(ApiError):
    """None of the offered media types is acceptable."""

    status, code = HTTPStatus.NOT_ACCEPTABLE, "NotAcceptable"
