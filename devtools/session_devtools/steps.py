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

__all__ = ["Progress", "Silent", "Steps", "seconds"]


class Progress(Protocol):
    """Where long work says how far it is."""

    def step(self, text: str, *, still: Callable[[], str] | None = None) -> contextlib.AbstractContextManager[None]:
        """Announce a step; its time is shown at its end. `still` is asked now and then for a word on its progress."""

    def say(self, text: str) -> None:
        """One line that is no step."""


class Silent:
    """A progress nobody watches: tests, and commands whose steps are quicker than reading about them."""

    @contextlib.contextmanager
    def step(self, text: str, *, still: Callable[[], str] | None = None) -> Iterator[None]:
        """Show nothing."""
        del text, still
        yield

    def say(self, text: str) -> None:
        """Show nothing."""


class Steps:
    """Progress as lines on a stream: the step when it begins if it may last, and its time when it has ended."""

    def __init__(
        self,
        *,
        stream: TextIO | None = None,
        still_every: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._still_every = still_every  # seconds
        self._clock = clock

    @contextlib.contextmanager
    def step(self, text: str, *, still: Callable[[], str] | None = None) -> Iterator[None]:
        """Show the step's end with its time; a step with `still` also its begin and, every 15 s, its progress."""
        begin = self._clock()
        done = threading.Event()
        watcher: threading.Thread | None = None
        if still is not None:
            self.say(f"{text} ...")
            watcher = threading.Thread(target=self._keep_saying, args=(text, still, begin, done), daemon=True)
            watcher.start()
        try:
            yield
        except BaseException:
            self.say(f"{text}: failed after {seconds(self._clock() - begin)}")
            raise
        else:
            self.say(f"{text}: {seconds(self._clock() - begin)}")
        finally:
            done.set()
            if watcher is not None:
                watcher.join()

    def say(self, text: str) -> None:
        """One line, visible at once."""
        print(f"==> {text}", file=self._stream, flush=True)

    def _keep_saying(self, text: str, still: Callable[[], str], begin: float, done: threading.Event) -> None:
        while not done.wait(self._still_every):
            self.say(f"{text}: {still()}, {seconds(self._clock() - begin)} so far")


def seconds(duration: float) -> str:
    """A duration for people: `0.4 s`, `12 s`, `5 min 21 s`."""
    if duration < 9.95:
        return f"{duration:.1f} s"
    whole = round(duration)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"
