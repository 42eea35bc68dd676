"""Makes a voice note of a sound: the program that `voice` starts, with the sound as its input and Ogg with Opus as its output.

Whatever reads the files of strangers may be led to do anything. So this is a process of its own, which knows nothing of
the runner, loads its two libraries and then gives up everything else: it can read, write and calculate, for some time and in
some memory, and opens neither file nor connection, whatever it is led to. Where that cannot be had, nothing is read.

Of Python's library alone, because the program is started for each sound: libsndfile reads WAV, MP3, FLAC, Vorbis and Opus,
libopusenc writes; both take any length piece by piece.
"""

import contextlib
import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

CANNOT_READ, TOO_MANY_CHANNELS, NO_SANDBOX, NO_LIBRARY = 10, 11, 12, 13
""" What it ends with. """
MEMORY: Final = 384 * 1024 * 1024
""" Bytes of addresses; Python and the libraries take a third of them, most of which is never touched. """
CPU_SECONDS: Final = 120
FRAMES: Final = 48_000
""" Read at a time. """
BIT_RATE: Final = 24_000
""" As WhatsApp's own voice notes have it. """

_READ_ONLY: Final = 0x10
_SET_BIT_RATE: Final = 4002
_STEREO: Final = 2
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_FILTER: Final = 2
_ALLOW, _DENY, _KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000
""" The second: EPERM. """

_CALLS: Final = {
    # By their names: read, write, close, fstat, lseek, mmap, mprotect, munmap, brk, rt_sigaction, rt_sigprocmask,
    # rt_sigreturn, sched_yield, mremap, madvise, exit, futex, clock_gettime, exit_group, getrandom, and newfstatat, which is
    # fstat in newer C libraries.
    "x86_64": (0xC000003E, (0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 28, 60, 202, 228, 231, 318, 262)),
    "aarch64": (
        0xC00000B7,
        (63, 64, 57, 80, 62, 222, 226, 215, 214, 134, 135, 139, 124, 216, 233, 93, 98, 113, 94, 278, 79),
    ),
}
""" By machine: its name for the filter, and what stays allowed. """


class SoundInfo(ctypes.Structure):
    """SF_INFO."""

    _fields_ = (
        ("frames", ctypes.c_int64),
        ("rate", ctypes.c_int),
        ("channels", ctypes.c_int),
        ("format", ctypes.c_int),
        ("sections", ctypes.c_int),
        ("seekable", ctypes.c_int),
    )


Write = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_ubyte), ctypes.c_int32)
Close = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)


class Callbacks(ctypes.Structure):
    """OpusEncCallbacks."""

    _fields_ = (("write", Write), ("close", Close))


def limit() -> None:
    """Bound what this process may use, and end it with its parent."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))  # first SIGXCPU, by which it is told apart
    for nothing in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):  # the output is a pipe
        resource.setrlimit(nothing, (0, 0))
    os.nice(10)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")  # rather this than the browser


def enclose(libc: Any) -> None:
    """Give up all calls but a few, for good. :raises OSError: the kernel does not do it."""
    machine, calls = _CALLS.get(platform.machine(), (0, ()))
    if not calls:
        raise OSError("no list of calls for this machine")
    load, equal, end = 0x20, 0x15, 0x06
    program = [(load, 0, 0, 4), (equal, 1, 0, machine), (end, 0, 0, _KILL), (load, 0, 0, 0)]
    program += [(equal, len(calls) - place, 0, call) for place, call in enumerate(calls)]
    program += [(end, 0, 0, _DENY), (end, 0, 0, _ALLOW)]
    code = b"".join(struct.pack("HBBI", *one) for one in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HL", len(program), ctypes.addressof(buffer))
    for order in (
        (_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0),
        (_PR_SET_DUMPABLE, 0, 0, 0, 0),
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
    ):
        if libc.prctl(*(ctypes.c_ulong(value) for value in order)) != 0:
            raise OSError("prctl")
    if libc.prctl(ctypes.c_ulong(_PR_SET_SECCOMP), ctypes.c_ulong(_FILTER), ctypes.c_char_p(header)) != 0:
        raise OSError("seccomp")


def to_mono(samples: "array[float]", channels: int) -> "array[float]":
    """Return the mean of two channels, or the one that there is."""
    if channels == 1:
        return samples
    return array("f", [(left + right) / 2 for left, right in zip(samples[0::2], samples[1::2], strict=True)])


def convert(sounds: Any, opus: Any, write: Callable[[bytes], object]) -> int:
    """Read all of the input, write all of the output; return what to end with."""
    info = SoundInfo()
    source = sounds.sf_open_fd(0, _READ_ONLY, ctypes.byref(info), 0)
    if not source or info.rate <= 0:
        return CANNOT_READ
    if not 1 <= info.channels <= _STEREO:
        return TOO_MANY_CHANNELS

    def taken(_: Any, data: Any, size: int) -> int:
        try:
            write(ctypes.string_at(data, size))
        except OSError:  # nobody takes it any more
            return 1
        return 0

    callbacks, error = Callbacks(Write(taken), Close(lambda _: 0)), ctypes.c_int()
    comments = opus.ope_comments_create()
    encoder = opus.ope_encoder_create_callbacks(
        ctypes.byref(callbacks), None, comments, info.rate, 1, 0, ctypes.byref(error)
    )
    if not encoder:
        return CANNOT_READ  # a rate that there is not
    opus.ope_encoder_ctl(encoder, _SET_BIT_RATE, BIT_RATE)
    buffer = (ctypes.c_float * (FRAMES * info.channels))()
    total = 0
    while (count := sounds.sf_readf_float(source, buffer, FRAMES)) > 0:
        total += count
        mono = to_mono(array("f", bytes(memoryview(buffer).cast("B")[: count * info.channels * 4])), info.channels)
        address, _ = mono.buffer_info()
        if opus.ope_encoder_write_float(encoder, ctypes.c_void_p(address), count) != 0:
            return CANNOT_READ
    if total == 0 or opus.ope_encoder_drain(encoder) != 0:
        return CANNOT_READ
    return 0


def load() -> tuple[Any, Any]:
    """Return the two libraries. :raises OSError: one is not there."""
    sounds, opus = ctypes.CDLL("libsndfile.so.1"), ctypes.CDLL("libopusenc.so.0")
    sounds.sf_open_fd.restype = ctypes.c_void_p
    sounds.sf_readf_float.restype = ctypes.c_int64
    sounds.sf_readf_float.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    opus.ope_comments_create.restype = ctypes.c_void_p
    opus.ope_encoder_create_callbacks.restype = ctypes.c_void_p
    opus.ope_encoder_create_callbacks.argtypes = (
        *(ctypes.c_void_p,) * 3,
        *(ctypes.c_int32, ctypes.c_int, ctypes.c_int),
        ctypes.c_void_p,
    )
    opus.ope_encoder_ctl.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_int)
    opus.ope_encoder_write_float.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
    opus.ope_encoder_drain.argtypes = (ctypes.c_void_p,)
    return sounds, opus


def write_all(data: bytes) -> None:
    """Write to the output."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(1, rest) :]


def main() -> int:
    """Convert the input; return the exit code."""
    limit()
    try:
        sounds, opus = load()
    except OSError:
        return NO_LIBRARY
    try:
        enclose(ctypes.CDLL(None))
    except OSError:
        return NO_SANDBOX
    return convert(sounds, opus, write_all)


if __name__ == "__main__":
    sys.stdout.flush()
    os._exit(main())
