"""The table of heavy pages, and what is read of a control group, as far as nothing is measured."""

from pathlib import Path

import pytest
from session_bench import heavy
from session_bench.heavy import LimitedGroup, Plan, heavy_table
from session_bench.sending.table import NODE, RUNNER


def test_each_size_is_compared() -> None:
    """With the same page in a Node process; the heaviest is the headline."""
    found = {
        heavy.anonymous(side, size): [float(size + more)]
        for size in (150, 300)
        for side, more in ((RUNNER, 100), (NODE, 200))
    }
    table = heavy_table(Plan(), found)

    assert pytest.approx([250 / 350, 400 / 500]) == [table.compare(one).ratio.median for one in table.comparisons]
    assert table.headline == table.comparisons[-1]


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({"memory.peak": "5\n", "memory.events": "low 0\noom_kill 1\n", "memory.max": ""}, "memory.max"),
        (
            {
                "memory.max_usage_in_bytes": "5\n",
                "memory.oom_control": "under_oom 0\noom_kill 1\n",
                "memory.limit_in_bytes": "",
            },
            "memory.limit_in_bytes",
        ),
    ],
    ids=["v2", "v1"],
)
def test_groups_of_both_versions_are_read(files: dict[str, str], limit: str, tmp_path: Path) -> None:
    """They name their files differently."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    group = LimitedGroup(folder=tmp_path)
    group.limit(7)

    assert (5, 1, "7") == (group.peak(), group.kills(), (tmp_path / limit).read_text())
