"""The limit of open files, which is one of sockets too.

Both programs raise theirs at their start: a container often begins with the 1,024 of old times, which is fewer than
the connections that may wait for an answer, and may have what the node allows.
"""

import resource


def raise_limit() -> int:
    """Raise the soft limit to the hard one; return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
