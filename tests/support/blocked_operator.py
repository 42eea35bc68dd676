"""The operator with a fault that a test sets off by a signal to the process that works: its event loop is blocked.

Run as a program in place of `python -m whatsapp_operator`. SIGUSR2: a call that lets other threads run; SIGRTMIN: one
that lets none run, as a regular expression or the parse of a large answer does. `BLOCK_SECONDS`: for how long.
"""

import ctypes
import os
import signal
import sys
import time

from whatsapp_operator.__main__ import main

SECONDS = int(os.environ["BLOCK_SECONDS"])


def _block_all_threads(*_: object) -> None:
    until = time.monotonic() + SECONDS
    while (left := until - time.monotonic()) > 0:
        ctypes.PyDLL(None).usleep(int(left * 1e6))  # unlike CDLL, PyDLL keeps the interpreter's lock


if __name__ == "__main__":
    signal.signal(signal.SIGUSR2, lambda *_: time.sleep(SECONDS))
    signal.signal(signal.SIGRTMIN, _block_all_threads)
    sys.exit(main())
