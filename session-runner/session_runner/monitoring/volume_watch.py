"""Watches the profile's volume while the session runs, and ends the run before a full volume harms the login.

`session` calls `check_start` before anything of the profile is opened, and runs `watch` beside the monitor. Measuring
goes on in a thread of its own, since a call to a volume whose server is gone may never return: then the metrics are
absent, the message says it, and nothing else waits. The thread is a daemon, so it does not keep the process either.
"""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from session_runner.exits import profile_unusable
from session_runner.profile.volume import Volume, measure, note, refusal, shortage

INTERVAL: Final = 5.0
""" Seconds between two measurements. """
WRITE_EVERY: Final = 6
""" Measurements, of which one writes. A disk that fails tells so only when it is written to. """
PATIENCE: Final = 20.0
""" Seconds for a measurement. """


@dataclass(kw_only=True)
class VolumeWatch:
    """The watch of one volume."""

    root: Path
    measured: Callable[[Volume | None], None]
    """ Called with each measurement; None: the volume could not be measured. """
    measure: Callable[..., Volume] = measure
    interval: float = INTERVAL
    patience: float = PATIENCE
    _under_way: "asyncio.Future[Volume] | None" = field(default=None, init=False)
    """ A measurement that has not returned. """

    async def check_start(self) -> None:
        """Measure before the browser is started.

        :raises RunEnded: the volume is full, cannot be written, or does not answer.
        """
        volume = await self._look(write=True)
        why = volume if isinstance(volume, str) else refusal(volume, running=False)
        if why is not None:
            raise profile_unusable(why)

    async def watch(self, report: Callable[[str], None]) -> NoReturn:
        """Measure until the volume is no longer fit for a running browser; `report` gets what people should know.

        A failed write must show twice, as storage behind a network may falter; a shortage counts at once.

        :raises RunEnded: the browser has to be closed.
        """
        below: int | None = None
        suspect = False
        for turn in itertools.count(1):
            await asyncio.sleep(self.interval)
            volume = await self._look(write=suspect or turn % WRITE_EVERY == 0)
            if isinstance(volume, str):
                report(volume)
                continue
            why = refusal(volume, running=True)
            if why is not None and (suspect or volume.write_error is None):
                raise profile_unusable(why)
            suspect = why is not None
            below = shortage(volume, before=below)
            report(note(volume, below=below))
        raise AssertionError("the turns never end")

    async def _look(self, *, write: bool) -> Volume | str:
        """Return a measurement, or why there is none; one that hangs is waited for, not followed by a second."""
        under_way = self._under_way = self._under_way or _in_thread(lambda: self.measure(self.root, write=write))
        volume: Volume | None = None
        try:
            volume = await asyncio.wait_for(asyncio.shield(under_way), self.patience)
        except TimeoutError:  # ours, or the storage's own (ETIMEDOUT): that one has returned
            return "The profile volume does not answer; check the storage and the node."
        except OSError as error:
            return f"The profile volume cannot be measured ({error.strerror}); check the storage and the node."
        finally:
            if under_way.done():
                self._under_way = None
            self.measured(volume)
        return volume


def _in_thread(work: Callable[[], Volume]) -> asyncio.Future[Volume]:
    """Run a call that may never return; the default executor would wait for it at the end of the process."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Volume] = loop.create_future()

    def settle(volume: Volume | None, error: OSError | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        elif volume is not None:
            future.set_result(volume)

    def run() -> None:
        outcome: tuple[Volume | None, OSError | None]
        try:
            outcome = (work(), None)
        except OSError as error:
            outcome = (None, error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, name="volume", daemon=True).start()
    return future
