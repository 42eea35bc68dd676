"""What the runner says of the page's sandbox, from a /proc of files."""

from pathlib import Path

import pytest
from session_runner.host.processes import Process
from session_runner.host.sandbox import Sandbox, read_sandbox

ME, DRIVER, BROWSER, PAGE, SECOND = 1, 2, 3, 4, 5
WHOLE = "         0          0 4294967295\n"
OWN = {"user": "user:[2]", "pid": "pid:[2]", "net": "net:[2]"}
OURS = {"user": "user:[1]", "pid": "pid:[1]", "net": "net:[1]"}


def everyone(*pages: int) -> list[Process]:
    """Return a runner with driver, browser and pages below it."""
    parents = {ME: 0, DRIVER: ME, BROWSER: DRIVER} | dict.fromkeys(pages, BROWSER)
    return [Process(pid=pid, parent=parent, state="S", started=pid, name="p") for pid, parent in parents.items()]


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A /proc with the runner, and what is not the page."""
    add(tmp_path, ME, arguments="python3\0-m\0session_runner\0")
    add(tmp_path, DRIVER, arguments="node\0driver\0")
    add(tmp_path, BROWSER, arguments="chromium\0--user-data-dir=/profile\0")
    (tmp_path / str(ME) / "uid_map").write_text(WHOLE)
    return tmp_path


def add(proc: Path, pid: int, *, arguments: str, spaces: dict[str, str] = OURS, filters: int | None = 1) -> None:
    """Add a process."""
    folder = proc / str(pid)
    (folder / "ns").mkdir(parents=True)
    for name, target in spaces.items():
        (folder / "ns" / name).symlink_to(target)
    (folder / "cmdline").write_text(arguments)
    lines = "Name:\tx\nSeccomp:\t2\n" + ("" if filters is None else f"Seccomp_filters:\t{filters}\n")
    (folder / "status").write_text(lines)


PAGE_OF_A_ZYGOTE = "/usr/lib/chromium/chromium-headless-shell --type=renderer --headless=old "


def test_a_page_with_namespaces_and_a_filter_of_its_own_is_held(proc: Path) -> None:
    """As a zygote makes it: its arguments are one text."""
    add(proc, PAGE, arguments=PAGE_OF_A_ZYGOTE, spaces=OWN, filters=2)

    assert Sandbox(browser=True, user_namespace=False) == read_sandbox(everyone(PAGE), me=ME, proc=proc)


@pytest.mark.parametrize(
    ("spaces", "filters"),
    [
        (OURS, 1),
        (OURS, 2),
        (OWN, 1),
        (OWN, None),
        (OWN | {"user": OURS["user"]}, 2),
        (OWN | {"pid": OURS["pid"]}, 2),
        (OWN | {"net": OURS["net"]}, 2),
        ({"user": "user:[2]"}, 2),
    ],
    ids=["nothing", "filter", "namespaces", "old-kernel", "user", "pid", "net", "unreadable"],
)
def test_half_a_sandbox_is_none(proc: Path, spaces: dict[str, str], filters: int | None) -> None:
    """Each part that is missing, or cannot be read, is enough."""
    add(proc, PAGE, arguments="chromium\0--type=renderer\0", spaces=spaces, filters=filters)

    assert Sandbox(browser=False, user_namespace=False) == read_sandbox(everyone(PAGE), me=ME, proc=proc)


def test_every_page_counts(proc: Path) -> None:
    """One that is not held in is one too many."""
    add(proc, PAGE, arguments=PAGE_OF_A_ZYGOTE, spaces=OWN, filters=2)
    add(proc, SECOND, arguments=PAGE_OF_A_ZYGOTE)

    assert read_sandbox(everyone(PAGE, SECOND), me=ME, proc=proc).browser is False


def test_without_a_page_nothing_is_reported(proc: Path) -> None:
    """Also when the page is gone since the processes were listed, and when one only mentions a renderer."""
    add(proc, SECOND, arguments="chromium\0--note=--type=renderer\0", spaces=OWN, filters=2)

    assert read_sandbox(everyone(PAGE, SECOND), me=ME, proc=proc).browser is None


@pytest.mark.parametrize("text", ["         0     131072      65536\n", "     10001      10001          1\n"])
def test_users_that_are_not_the_machines_are_a_namespace(proc: Path, text: str) -> None:
    """The kernel's own map tells."""
    (proc / str(ME) / "uid_map").write_text(text)

    assert read_sandbox(everyone(), me=ME, proc=proc).user_namespace


def test_the_real_proc_can_be_read() -> None:
    """This process has no page below it."""
    assert read_sandbox([], me=1, proc=Path("/proc")).browser is None
