"""Every error that `kubectl whatsapp` handles; each carries a message for a person and what to do.

PluginError
├── KubectlMissing      there is no kubectl to talk through
├── KubectlFailed       kubectl ended with a fault of its own words
│   ├── NotFound        the object does not exist
│   ├── Forbidden       the person's rights do not allow it
│   └── ApiMissing      the cluster does not know WhatsAppSession
├── ForwardFailed       the way to the pod could not be opened, or broke
├── RunnerSilent        the runner did not answer
├── RunnerRefused       the runner answered with a fault
├── NoCode              there is no QR code, and why
└── CannotDraw          the QR code can not be shown or written as asked
"""

from __future__ import annotations

__all__ = [
    "ApiMissing",
    "CannotDraw",
    "Forbidden",
    "ForwardFailed",
    "KubectlFailed",
    "KubectlMissing",
    "NoCode",
    "NotFound",
    "PluginError",
    "RunnerRefused",
    "RunnerSilent",
]


class PluginError(Exception):
    """The base of all: its text is shown to the person as it is, without a traceback."""


class KubectlMissing(PluginError):
    """There is no kubectl on the PATH."""


class KubectlFailed(PluginError):
    """A kubectl command ended with a fault; the text is kubectl's own."""


class NotFound(KubectlFailed):
    """The API server knows no such object."""


class Forbidden(KubectlFailed):
    """The person may not do this."""


class ApiMissing(KubectlFailed):
    """The cluster has no such kind: the operator's CRDs are not installed."""


class ForwardFailed(PluginError):
    """`kubectl port-forward` could not reach the pod."""


class RunnerSilent(PluginError):
    """The runner, or the way to it, gave no answer."""


class RunnerRefused(PluginError):
    """The runner did not accept the request."""


class NoCode(PluginError):
    """The session shows no QR code; the text says why and how to go on."""


class CannotDraw(PluginError):
    """The QR code can not be drawn or written."""
