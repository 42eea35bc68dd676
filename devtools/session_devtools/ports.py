"""Ports on loopback that nobody uses.

They are drawn from below the range the kernel takes for outgoing connections, so that none of those can sit on a port
between our look and the server's bind. Another test process may still draw the same one in that moment; the caller
then starts anew with other ports.
"""

import random
import socket

__all__ = ["free_ports"]

RANGE = range(20000, 32000)


def free_ports(count: int, *, draw: random.Random | None = None) -> list[int]:
    """Different ports that could be bound a moment ago."""
    source = draw if draw is not None else random.SystemRandom()
    found: list[int] = []
    while len(found) < count:
        port = source.choice(RANGE)
        if port not in found and _is_free(port):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
