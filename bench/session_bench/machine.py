"""What is known of the machine that measured, for the report: figures without it mean little."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime

from session_bench.kernel import PROC, parse_fields


def machine() -> dict[str, object]:
    """Cores, memory, kernel, time, and the load of the last minute: a busy machine makes times long and ranges wide."""
    memory = parse_fields((PROC / "meminfo").read_text())["MemTotal"]
    return {
        "cores": os.cpu_count(),
        "memoryGB": round(memory / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": round(os.getloadavg()[0], 2),
    }
