"""One command of the demo at a time on a cluster: another one would take the sessions of the play away under it.

`__main__` holds the cluster from the first look at it to the last word. The lock is an abstract Unix socket's name: known
to the whole machine, whoever runs the demo from which checkout with which cache, and freed by the kernel with its holder.
"""

import contextlib
import errno
import hashlib
import socket
from collections.abc import Iterator

from session_demo.errors import DemoError

PREFIX = "whatsapp-demo-"
""" What the lock's names begin with. """


@contextlib.contextmanager
def cluster_lock(cluster: str, *, advice: str = "") -> Iterator[None]:
    """Hold a cluster, given by a text that names it. :raises DemoError: another command of the demo holds it."""
    # Hashed, as such a name has at most 107 bytes.
    name = f"\0{PREFIX}{hashlib.sha256(cluster.encode()).hexdigest()}"
    with socket.socket(socket.AF_UNIX) as holder:
        try:
            holder.bind(name)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise DemoError(
                f"another demo, or its removal, is at work on {cluster}: wait for its end, or press Ctrl-C there{advice}"
            ) from error
        yield
