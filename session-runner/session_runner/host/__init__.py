"""The container around the runner: its processes, its memory limit, its termination message.

Read from the kernel's files by hand: `psutil` would cost each pod a megabyte for a few lines of /proc, and knows nothing
of a control group's kills. An init program such as `tini` as PID 1 would take over the reaping alone.
"""
