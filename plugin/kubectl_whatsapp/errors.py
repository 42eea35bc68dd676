"""The errors of `kubectl whatsapp` beside kubectl's own; each carries a message for a person and what to do.

PluginError
├── RunnerUnreachable   the runner did not answer
├── RunnerRefused       the runner answered with a fault
├── NoQrCode            there is no QR code, and why
├── NoPairingCode       there is no pairing code, and why
├── NoAccount           whose account is linked is not known, and why
├── NotSent             a message was not sent, or it is not known whether it was
├── TurnOver            the session has had no code for too long while others wait
└── DrawingError        the QR code cannot be shown or written as asked
"""

__all__ = [
    "DrawingError",
    "NoAccount",
    "NoPairingCode",
    "NoQrCode",
    "NotSent",
    "PluginError",
    "RunnerRefused",
    "RunnerUnreachable",
    "TurnOver",
]


class PluginError(Exception):
    """The base class; its text is shown to the person, without a traceback."""


class RunnerUnreachable(PluginError):
    """The runner did not answer, or could not be reached."""


class RunnerRefused(PluginError):
    """The runner rejected the request, or its answer is not valid."""


class NoQrCode(PluginError):
    """The session shows no QR code; the text says why and what to do."""


class NoPairingCode(PluginError):
    """The session has no pairing code; the text says why and what to do."""


class NoAccount(PluginError):
    """It is not known whose account is linked; the text says why."""


class NotSent(PluginError):
    """A message was not taken, failed, or is still on its way; the text says which."""


class TurnOver(PluginError):
    """The session has shown no code for too long while others wait; the text says why."""


class DrawingError(PluginError):
    """The QR code cannot be drawn or written."""
