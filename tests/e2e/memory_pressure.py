"""How a session's container is made to exceed its memory, and who in it the kernel ends for that.

The kernel ends the process with the highest score: its share of the memory plus an adjustment, which is nearly the
highest for most processes of such a pod. A program of the same user may change it, so the test chooses the victim; then
it takes memory until the victim is gone, and ends. It takes it by several processes: one that held nearly all of the
container's memory would come close to the victim's score by its share alone.
"""

EXHAUST = """
import os, pathlib, sys, time

def is_victim(pid, command):
    return pid == "1" if sys.argv[1] == "main" else b"--type=renderer" in command and pid != str(os.getpid())

def adjust(pid):
    process = pathlib.Path("/proc", pid)
    victim = is_victim(pid, (process / "cmdline").read_bytes())
    (process / "oom_score_adj").write_text("1000" if victim else "200")
    return victim

victims = []
for entry in pathlib.Path("/proc").iterdir():
    if entry.name.isdigit():
        try:
            if adjust(entry.name):
                victims.append(entry.name)
        except FileNotFoundError:  # it has ended
            pass

def alive(pid):
    try:
        return bool(pathlib.Path("/proc", pid, "cmdline").read_bytes())
    except OSError:
        return False

assert victims, "there is no process to be ended"

def take():
    taken = []
    while all(map(alive, victims)):
        taken.append(b"x" * 2_000_000)
        time.sleep(0.005)

helpers = []
for _ in range(4):
    helper = os.fork()
    if not helper:
        take()
        os._exit(0)
    helpers.append(helper)
for helper in helpers:
    os.waitpid(helper, 0)
"""
""" Run inside a session's container with `main` (PID 1) or `browser` (the page's process). """
