"""What the phone answers when it cannot do what it was asked.

PhoneError
├── MalformedRequestError   400  the body is not what the call needs
├── UnknownQrError          404  no page shows or showed this code
├── ExpiredQrError          410  the code's time is over, or its page is gone
├── UnknownDeviceError      404  never linked, or unlinked
└── PageAbsentError         409  the device is linked, but no page of it is connected

The phone API turns each into its HTTP status and `{"error": …, "message": …}`; every message says what to do next.
"""

__all__ = [
    "ExpiredQrError",
    "MalformedRequestError",
    "PageAbsentError",
    "PhoneError",
    "UnknownDeviceError",
    "UnknownQrError",
]


class PhoneError(Exception):
    """A request the phone refuses."""

    status = 400
    reason = "PhoneError"


class MalformedRequestError(PhoneError):
    """The body or a parameter is missing or of the wrong form."""

    reason = "MalformedRequest"


class UnknownQrError(PhoneError):
    """The code was made by no page that this server knows."""

    status = 404
    reason = "UnknownQr"


class ExpiredQrError(PhoneError):
    """The code was good once."""

    status = 410
    reason = "ExpiredQr"


class UnknownDeviceError(PhoneError):
    """No linked device has this id."""

    status = 404
    reason = "UnknownDevice"


class PageAbsentError(PhoneError):
    """The command needs a connected page of the device."""

    status = 409
    reason = "PageAbsent"
