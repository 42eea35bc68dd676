"""The errors of `kubectl whatsapp` beside kubectl's own; each carries a message for a person and what to do.

PluginError
├── RunnerUnreachable   the runner did not answer
├── RunnerRefused       the runner answered with a fault
├── NoQrCode            there is no QR code, and why
└── DrawingError        the QR code can not be shown or written as asked
"""

__all__ = ["DrawingError", "NoQrCode", "PluginError", "RunnerRefused", "RunnerUnreachable"]


class PluginError(Exception):
    """The base of all: its text is shown to the person, without a traceback."""


class RunnerUnreachable(PluginError):
    """The runner, or the way to it, gave no answer."""


class RunnerRefused(PluginError):
    """The runner did not accept the request, or its answer is none."""


class NoQrCode(PluginError):
    """The session shows no QR code; the text says why and how to go on."""


class DrawingError(PluginError):
    """The QR code can not be drawn or written."""
