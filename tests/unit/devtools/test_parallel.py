"""Long work side by side, and what a person is told when it fails."""

import threading

import pytest
from session_devtools.advice import advice, with_advice
from session_devtools.errors import BuildError, MachineError
from session_devtools.parallel import run_parallel


def test_all_run_at_the_same_time() -> None:
    """Each waits for the other, so one after the other would never end."""
    meet = threading.Barrier(2, timeout=20)

    run_parallel(meet.wait, meet.wait)


def test_nothing_to_do_is_done() -> None:
    """A caller need not ask."""
    run_parallel()


def test_the_others_come_to_their_end_when_one_fails() -> None:
    """What they made is kept for the next run."""
    failed, ended = threading.Event(), threading.Event()

    def fails() -> None:
        failed.set()
        raise MachineError("no root")

    def goes_on() -> None:
        assert failed.wait(20)
        ended.set()

    with pytest.raises(MachineError, match=r"^no root$"):
        run_parallel(fails, goes_on)
    assert ended.is_set()


def test_all_that_failed_is_reported_once() -> None:
    """The same full disk stops both."""

    def fails(message: str) -> None:
        raise BuildError(message)

    with pytest.raises(BuildError) as raised:
        run_parallel(lambda: fails("full"), lambda: fails("full"), lambda: fails("broken line"))
    assert {"full", "broken line"} == set(str(raised.value).splitlines())


def test_a_mistake_of_ours_is_not_hidden() -> None:
    """It comes with its traceback, whatever else failed."""

    def fails() -> None:
        raise MachineError("no root")

    def mistaken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_parallel(fails, mistaken)


@pytest.mark.parametrize(
    "output",
    [
        "write /root/.cache/go-build/ab/cd: no space left on device",
        "E: You don't have enough free space in /var/cache/apt/archives/: not enough free space",
        "OSError: [Errno 122] Disk quota exceeded",
    ],
)
def test_a_full_disk_is_recognized(output: str) -> None:
    """Go's words, apt's and Python's."""
    assert advice(f"...\n{output}\n").startswith("the disk is full: free some gigabytes")


@pytest.mark.parametrize(
    "output",
    [
        'go: x: Get "https://proxy/x": dial tcp: lookup proxy: no such host',
        "E: Failed to fetch http://deb/x  Temporary failure resolving 'deb'",
        "WARNING: Retrying ... Max retries exceeded with url: /simple/x/",
        "E: Couldn't download dists/bookworm/main/binary-amd64/Packages",
        "curl: (56) Recv failure: Connection reset by peer",
    ],
)
def test_a_broken_line_is_recognized(output: str) -> None:
    """Go's words, apt's, pip's and debootstrap's."""
    assert advice(output).startswith("something could not be downloaded: look at the network")


def test_other_faults_are_reported_with_the_programs_own_output() -> None:
    """A compiler's error is nobody's network."""
    assert advice("main.go:7:2: undefined: nonsense") == ""
    assert with_advice("building x failed", "undefined") == "building x failed:\nundefined"
    assert with_advice("x failed", "i/o timeout").startswith("x failed: something could not be downloaded")


def test_only_the_end_of_a_long_output_is_read() -> None:
    """The reason stands there; a warning an hour ago does not count."""
    assert advice("no space left on device" + "\n." * (1 << 20)) == ""
