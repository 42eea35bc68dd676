"""The errors of kubectl calls, and which of them kubectl's own message means.

KubectlError
├── KubectlMissing      there is no kubectl program
├── KubectlSlow         it exceeded its timeout
├── ForwardFailed       the connection to the pod failed
└── KubectlFailed       it failed with a message of its own
    ├── NotFound        the object does not exist
    ├── Forbidden       the person's rights do not allow it
    └── ApiMissing      the cluster does not know such a kind
"""

import re

__all__ = [
    "ApiMissing",
    "Forbidden",
    "ForwardFailed",
    "KubectlError",
    "KubectlFailed",
    "KubectlMissing",
    "KubectlSlow",
    "NotFound",
    "error_of",
]

LOG_LINE = re.compile(r"[EFIW]\d{4} \d\d:\d\d:\d\d")
MAX_LENGTH = 4096
""" Characters of a message; kubectl quotes the API server, and that whatever somebody wrote. """
NO_CLUSTER = "connection to the server localhost:8080 was refused"
""" Where kubectl turns to when it has no configuration at all. """


class KubectlError(Exception):
    """The base class; its text can be shown to a person as it is."""


class KubectlMissing(KubectlError):
    """There is no kubectl on the PATH."""


class KubectlSlow(KubectlError):
    """A kubectl command exceeded its timeout and was ended."""


class ForwardFailed(KubectlError):
    """`kubectl port-forward` could not reach the pod."""


class KubectlFailed(KubectlError):
    """A kubectl command failed; the text is kubectl's own."""

    def __init__(self, text: str, *, arguments: tuple[str, ...] = (), status: int = 1, output: str = "") -> None:
        super().__init__(text)
        self.arguments = arguments
        """ Its command line, without the program and what chooses the cluster. """
        self.status = status
        self.output = output
        """ All that it said, log lines included. """


class NotFound(KubectlFailed):
    """The API server has no such object."""


class Forbidden(KubectlFailed):
    """The person may not do this."""


class ApiMissing(KubectlFailed):
    """The cluster has no such kind: the CRD is not installed."""


def error_of(arguments: tuple[str, ...], status: int, stderr: str, *, output: str = "") -> KubectlFailed:
    """Return the error for a failed command, by kubectl's message; `kubectl auth can-i` writes its "no" to stdout."""
    # Client libraries log each retry before kubectl says the same in words for people.
    lines = [line for line in stderr.splitlines() if not LOG_LINE.match(line)]
    text = "\n".join(lines).strip() or stderr.strip() or output.strip()
    text = text.removeprefix("error: ")[:MAX_LENGTH] or "kubectl failed without a message"
    kind = KubectlFailed
    if "(NotFound)" in text:
        kind = NotFound
    elif "(Forbidden)" in text:
        kind = Forbidden
    elif "doesn't have a resource type" in text or "no matches for kind" in text:
        kind = ApiMissing
    elif NO_CLUSTER in text:
        text = (
            f"{text}\nkubectl has no cluster configured and tried this machine: set KUBECONFIG, or choose a context with "
            "`kubectl config use-context NAME`"
        )
    return kind(text, arguments=arguments, status=status, output=output + stderr)
