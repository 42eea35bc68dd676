"""`python -m walk.planted NAME`: the runner with a planted fault. The walk's player starts it in a runner's place."""

import runpy
import sys

from walk.faults import plant

if __name__ == "__main__":
    plant(sys.argv.pop(1))
    runpy.run_module("session_runner", run_name="__main__", alter_sys=True)
