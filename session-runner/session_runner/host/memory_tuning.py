"""Keeps the Python process itself small, and its start short.

`tune` runs before anything else allocates, `importing` around the imports, `settle` once when start-up is over: what has
been allocated by then stays for the life of the process, so the garbage collector need not scan it, and freed memory is
returned to the system.
"""

import contextlib
import ctypes
import gc
import os
from collections.abc import Iterator

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
""" malloc.h """
_AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
""" The variables by which OpenSSL finds the system's certificate authorities. """


def tune() -> None:
    """Use one heap for all threads and return freed memory early; does nothing with a C library without mallopt."""
    with contextlib.suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in ((M_ARENA_MAX, 1), (M_TRIM_THRESHOLD, 128 * 1024), (M_MMAP_THRESHOLD, 64 * 1024)):
            mallopt(parameter, value)


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Import modules without what costs a quarter of the time and serves nobody.

    What is imported stays, so no search for garbage is worth its time, now or later. And aiohttp's client reads all certificate
    authorities of the system when it is imported: a runner is nobody's client, so it finds none. A module that makes a TLS
    context for its own use as it is imported would trust nobody: those of webhooks and links are made later.
    """
    before = {name: os.environ.pop(name, None) for name in _AUTHORITIES}
    gc.disable()
    os.environ.update(dict.fromkeys(_AUTHORITIES, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            del os.environ[name]
            if value is not None:
                os.environ[name] = value
        gc.freeze()
        gc.enable()


def settle() -> None:
    """Return the memory that start-up used, and exempt what is left from garbage collection."""
    gc.collect()
    gc.freeze()
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
