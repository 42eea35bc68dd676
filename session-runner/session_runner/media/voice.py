"""Makes a voice note of a sound: Ogg with Opus in one channel, as WhatsApp wants it, a piece at a time.

`preparing` calls this. The work is done by `voice_child`, a process of its own that has given up all that it does not need
before it reads the first byte of somebody's file; it is ended when it takes too long, and with whoever waits for it.
"""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Final

from session_runner.media import voice_child
from session_runner.media.files import Writer
from session_runner.messages.errors import MediaError

SECONDS: Final = 600.0
""" For a whole sound; its time on the processor has a bound of its own, of two minutes. """
PIECE: Final = 64 * 1024
_PROGRAM: Final = Path(voice_child.__file__)
_WHY: Final = {
    voice_child.CANNOT_READ: "The sound cannot be read, though it begins like one.",
    voice_child.TOO_MANY_CHANNELS: "The sound has more than two channels; mix it down.",
    -signal.SIGXCPU: f"The sound takes more than {voice_child.CPU_SECONDS} s of a processor.",
}
""" By what the converter ended with; it would end so again. """


class ConversionError(Exception):
    """The converter was ended, or cannot be started; the text says why."""

    again = True
    """ Whether it may go a little later. """


async def convert(source: Path, writer: Writer) -> None:
    """Write a sound as a voice note.

    :raises MediaError: it is none that can be read.
    :raises ConversionError: the converter was ended, or cannot be started.
    :raises MessageError: of the writer.
    """
    with source.open("rb") as sound:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(_PROGRAM)),
            stdin=sound,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"LC_ALL": "C"},
        )
    try:
        async with asyncio.timeout(SECONDS):
            if child.stdout is None:
                raise AssertionError("a pipe was asked for")
            while piece := await child.stdout.read(PIECE):
                await writer.write(piece)
            ended = await child.wait()
    except TimeoutError as error:
        raise MediaError(f"The sound was not converted within {SECONDS:.0f} s.") from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    if ended != 0:
        if ended in _WHY:
            raise MediaError(_WHY[ended])
        raise ConversionError(f"The converter ended with {ended}.")
