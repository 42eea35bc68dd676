"""What a person sees while something long runs: one line per step, with its time.

Everything in this package that takes longer than a blink reports here, and only here. Lines go to standard error, so
that a command's answer (the path of a kubeconfig, say) can be read by a program from standard output.

Plain lines, and not a library's live display (rich, which the plugin's tables are made with): steps run side by side,
and most of these lines are read afterwards, in the log of a build that nobody watched.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol, TextIO

__all__ = ["ConsoleProgress", "NoProgress", "Progress", "format_duration"]


class Progress(Protocol):
    """Where long work says how far it is."""

    def step(self, text: str, *, status: Callable[[], str] | None = None) -> contextlib.AbstractContextManager[None]:
        """Announce a step; its time is shown at its end. `status` is asked now and then for a word on its progress."""

    def info(self, text: str) -> None:
        """One line that is no step."""


class NoProgress:
    """A progress nobody watches: tests, and commands whose steps are quicker than reading about them."""

    @contextlib.contextmanager
    def step(self, text: str, *, status: Callable[[], str] | None = None) -> Iterator[None]:
        """Show nothing."""
        del text, status
        yield

    def info(self, text: str) -> None:
        """Show nothing."""


class ConsoleProgress:
    """Progress as lines on a stream: the step when it begins if it may last, and its time when it has ended."""

    def __init__(
        self,
        *,
        stream: TextIO | None = None,
        status_interval: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._status_interval = status_interval  # seconds
        self._clock = clock

    @contextlib.contextmanager
    def step(self, text: str, *, status: Callable[[], str] | None = None) -> Iterator[None]:
        """Show the step's end with its time; a step with `status` also its begin and, every 15 s, its progress."""
        begin = self._clock()
        done = threading.Event()
        watcher: threading.Thread | None = None
        if status is not None:
            self.info(f"{text} ...")
            watcher = threading.Thread(target=self._report_status, args=(text, status, begin, done), daemon=True)
            watcher.start()
        try:
            yield
        except BaseException:
            self.info(f"{text}: failed after {format_duration(self._clock() - begin)}")
            raise
        else:
            self.info(f"{text}: {format_duration(self._clock() - begin)}")
        finally:
            done.set()
            if watcher is not None:
                watcher.join()

    def info(self, text: str) -> None:
        """One line, visible at once."""
        print(f"==> {text}", file=self._stream, flush=True)

    def _report_status(self, text: str, status: Callable[[], str], begin: float, done: threading.Event) -> None:
        while not done.wait(self._status_interval):
            self.info(f"{text}: {status()}, {format_duration(self._clock() - begin)} so far")


def format_duration(duration: float) -> str:
    """A duration for people: `0.4 s`, `12 s`, `5 min 21 s`."""
    if duration < 9.95:
        return f"{duration:.1f} s"
    whole = round(duration)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"
