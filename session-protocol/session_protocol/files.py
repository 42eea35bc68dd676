"""Writing a file as a whole: a reader finds the old content or the new one, also after a power cut.

The one module here that does I/O, because everybody who remembers something on a volume needs it and needs it right.
"""

import os
from pathlib import Path


def write_atomically(path: Path, content: str) -> None:
    """Put the content in the place of what is there, by a file beside it. It is on disk when this returns.

    One writer at a time is assumed: that file has one name. What is left of it after a failure is removed.

    :raises OSError: it cannot be written; the old content is still there.
    """
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)  # of a writer that was killed, or something else that must not be written through
    try:
        with beside.open("x", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # the new name, too, is on disk before anybody acts on what was written
    finally:
        os.close(folder)
