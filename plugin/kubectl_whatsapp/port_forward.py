"""Reads the output of a running `kubectl port-forward`: finds its local port, and keeps it from blocking.

`Kubectl.forward` starts the program and calls this.
"""

import queue
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from kubectl_whatsapp.kubectl_errors import Forbidden, ForwardFailed, NotFound, error_of

__all__ = ["local_port"]

FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d{1,5}) ")
MAX_LINE = 4096
""" Characters of a line that are looked at. """
MAX_ERRORS = 64 << 10
""" Bytes of standard error that are kept of any command. """
FORWARD_TIMEOUT = 15.0
""" Seconds until the local port must be open. """
END_TIMEOUT = 5.0
""" Seconds for the reader to end after kubectl was asked to. """


@contextmanager
def local_port(process: subprocess.Popen[str], stderr: IO[str]) -> Iterator[int]:
    """Yield the local port that a `kubectl port-forward` opens, and end it with the block.

    :raises ForwardFailed: the connection to the pod failed.
    :raises Forbidden: the person may not.
    :raises NotFound: the pod does not exist.
    """
    ports: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read_ports, args=(process.stdout, ports), daemon=True)
    reader.start()
    try:
        yield _wait_for_port(process, ports, stderr)
    finally:
        process.terminate()
        reader.join(timeout=END_TIMEOUT)


def _read_ports(output: IO[str], ports: queue.SimpleQueue[int | None]) -> None:
    """Read all output of kubectl, so that it never blocks: the local port first, then a line per connection."""
    while line := output.readline(MAX_LINE):
        if match := FORWARDING.match(line):
            ports.put(int(match[1]))
    ports.put(None)


def _wait_for_port(process: subprocess.Popen[str], ports: queue.SimpleQueue[int | None], stderr: IO[str]) -> int:
    """Wait until the local port is open, and return it.

    :raises KubectlError: kubectl ended, or the port was not open in time.
    """
    try:
        port = ports.get(timeout=FORWARD_TIMEOUT)
    except queue.Empty:
        raise ForwardFailed(f"kubectl port-forward opened no port within {FORWARD_TIMEOUT:.0f} s") from None
    if port is not None:
        return port
    status = process.wait()
    stderr.seek(0)
    fault = error_of(("port-forward",), status, stderr.read(MAX_ERRORS))
    if isinstance(fault, NotFound | Forbidden):
        raise fault
    raise ForwardFailed(f"kubectl port-forward: {fault}")
