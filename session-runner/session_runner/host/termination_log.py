"""The termination message: what the kubelet puts into the pod's status when the runner has failed."""

import logging
from pathlib import Path

from session_protocol.redaction import redact
from session_protocol.vocabulary import ExitCode

logger = logging.getLogger(__name__)

LIMIT_BYTES = 2048
""" The kubelet cuts at 4096 bytes; this is shorter because people read it in status. """


def termination_message(code: ExitCode, message: str) -> str:
    """Return the redacted message with the reason before it, cut to LIMIT_BYTES without splitting a character."""
    text = redact(f"{code.reason}: {message}", longest=LIMIT_BYTES, keep="start")
    return text.encode()[:LIMIT_BYTES].decode(errors="ignore")


def write_termination_log(path: Path, code: ExitCode, message: str) -> None:
    """Write the message to the file that the kubelet reads, if it exists; outside of a cluster it does not."""
    if not path.exists():
        return
    try:
        path.write_text(termination_message(code, message))
    except OSError as error:
        logger.warning("The termination message could not be written", extra={"path": str(path), "error": str(error)})
