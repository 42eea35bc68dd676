"""The termination message: what the kubelet puts into the pod's status when the runner has failed."""

import logging
from pathlib import Path

from session_protocol.redaction import redact
from session_protocol.vocabulary import ExitCode

logger = logging.getLogger(__name__)

LIMIT_BYTES = 2048
""" The kubelet cuts at 4096; a status message is better short. """


def termination_message(code: ExitCode, message: str) -> str:
    """The redacted message with its reason in front, cut at the limit without breaking a character."""
    text = redact(f"{code.reason}: {message}", longest=LIMIT_BYTES, keep="start")
    return text.encode()[:LIMIT_BYTES].decode(errors="ignore")


def write_termination_log(path: Path, code: ExitCode, message: str) -> None:
    """Write them where the kubelet reads; outside a cluster the file does not exist and nothing is written."""
    if not path.exists():
        return
    try:
        path.write_text(termination_message(code, message))
    except OSError as error:
        logger.warning("The termination message could not be written", extra={"path": str(path), "error": str(error)})
