"""Several long pieces of work side by side: one waits for the network while another keeps the processor busy.

Each shows its own steps, whose lines name them, so the mixed lines stay readable. When one fails the others still come
to their end, as what they make is kept and the next run finds it; then all that failed is raised.
"""

import concurrent.futures
from collections.abc import Callable

from session_devtools.errors import BuildError, ToolError

__all__ = ["run_parallel"]


def run_parallel(*tasks: Callable[[], object]) -> None:
    """Do them all, each in a thread of its own.

    Raises what the one that failed raised; where several failed, a BuildError with what each said.
    """
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, len(tasks))) as pool:
        running = [pool.submit(task) for task in tasks]
        done = concurrent.futures.as_completed(running)
        failed = [error for future in done if (error := future.exception()) is not None]
    fault = next((error for error in failed if not isinstance(error, ToolError)), None)  # a mistake of ours comes first
    messages = list(dict.fromkeys(map(str, failed)))
    if fault is not None or len(messages) == 1:
        raise fault or failed[0]
    if messages:
        raise BuildError("\n".join(messages))
