"""Telling an out-of-memory kill from any other death."""

from pathlib import Path

import pytest
from session_runner.host.memory import kill_counter, killed_since, memory_use

V2 = "low 0\nhigh 0\nmax 12\noom 3\noom_kill {}\noom_group_kill 0\n"
V1 = "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"


def write(path: Path, text: str) -> Path:
    """A file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("file", "form", "own"),
    [
        ("memory.events", V2, "0::/\n"),
        ("memory/memory.oom_control", V1, "7:memory:/\n0::/\n"),
        ("memory.events", V2, "0::/kubepods/pod1/elsewhere\n"),
        ("kubepods/pod1/memory.events", V2, "0::/kubepods/pod1\n"),
        ("memory/kubepods/pod1/memory.oom_control", V1, "9:cpu,cpuacct:/x\n7:memory:/kubepods/pod1\n"),
    ],
    ids=["v2 inside", "v1 inside", "v2 inside, host path shown", "v2 outside", "v1 outside"],
)
def test_kills_are_counted_in_both_versions(tmp_path: Path, file: str, form: str, own: str) -> None:
    """The count is read anew each time, from the group as the container or as the host sees it."""
    path = write(tmp_path / "cgroup" / file, form.format(2))
    count = kill_counter(root=tmp_path / "cgroup", own=write(tmp_path / "self", own))

    before = count()
    path.write_text(form.format(3))

    assert (2, 3) == (before, count())


def test_an_own_group_wins_over_the_root(tmp_path: Path) -> None:
    """On a shared host the root counts everybody's kills; the own group counts ours."""
    write(tmp_path / "memory/memory.oom_control", V1.format(100))
    write(tmp_path / "memory/pod1/memory.oom_control", V1.format(1))

    assert kill_counter(root=tmp_path, own=write(tmp_path / "self", "7:memory:/pod1\n"))() == 1


def test_without_control_groups_nothing_is_known(tmp_path: Path) -> None:
    """A system that does not count gives no number, and no number is no kill."""
    count = kill_counter(root=tmp_path, own=tmp_path / "absent")

    assert count() is None
    assert not killed_since(count(), count())


@pytest.mark.parametrize(
    ("before", "after", "expected"), [(0, 0, False), (0, 1, True), (5, 5, False), (None, 3, False), (3, None, False)]
)
def test_only_a_growing_count_is_a_kill(before: int | None, after: int | None, *, expected: bool) -> None:
    """Old kills of the same group, or of a system that does not tell, are not ours."""
    assert expected is killed_since(before, after)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"memory.events": V2.format(0), "memory.current": "900\n", "memory.stat": "anon 1\ninactive_file 300\n", "memory.max": "1000\n"}, (600, 1000)),
        ({"memory.events": V2.format(0), "memory.current": "900\n", "memory.stat": "inactive_file 950\n", "memory.max": "max\n"}, (0, None)),
        ({"memory/memory.oom_control": V1.format(0), "memory/memory.usage_in_bytes": "900\n", "memory/memory.stat": "inactive_file 1\ntotal_inactive_file 300\n", "memory/memory.limit_in_bytes": "1000\n"}, (600, 1000)),
        ({"memory/memory.oom_control": V1.format(0), "memory/memory.usage_in_bytes": "900\n", "memory/memory.stat": "total_inactive_file 300\n", "memory/memory.limit_in_bytes": "9223372036854771712\n"}, (600, None)),
        ({"memory.events": V2.format(0), "memory.current": "900\n"}, (None, None)),
        ({}, (None, None)),
    ],
    ids=["v2", "v2 without a limit", "v1", "v1 without a limit", "half of it", "nothing"],
)  # fmt: skip
def test_memory_use_is_what_the_kubelet_counts(
    tmp_path: Path, files: dict[str, str], expected: tuple[int | None, int | None]
) -> None:
    """What is used without files that may be dropped; what is not told is not known."""
    for name, text in files.items():
        write(tmp_path / "cgroup" / name, text)

    assert expected == memory_use(root=tmp_path / "cgroup", own=write(tmp_path / "self", "0::/\n"))
