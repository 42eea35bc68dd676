"""What is known of the machine that measured, for the report: figures without it mean little."""

import os
import platform
from datetime import UTC, datetime

import psutil
from session_protocol.times import format_time


def machine() -> dict[str, object]:
    """Cores, memory, kernel, time, and the load of the last minute: a busy machine makes times long and ranges wide."""
    return {
        "cores": os.cpu_count(),
        "memoryGB": round(psutil.virtual_memory().total / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "time": format_time(datetime.now(UTC)),
        "load": load(),
    }


def load() -> float:
    """How many processes wanted a processor in the last minute."""
    return round(os.getloadavg()[0], 2)


def warning(*, now: float, cores: int) -> str | None:
    """The warning for a person before a run on a machine that is busy; pure."""
    if now <= cores / 2:
        return None
    return f"the machine is busy (load {now:.1f} on {cores} cores): times will be long, and even ratios less sure"
