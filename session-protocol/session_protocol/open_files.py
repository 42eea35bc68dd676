"""The limit of open files, which also limits sockets.

Both programs raise theirs at their start: a container often starts with a soft limit of 1,024, which is fewer than the
connections that may wait for an answer, while the hard limit is as high as the node allows.
"""

import resource


def raise_limit() -> int:
    """Raise the soft limit to the hard one; return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
