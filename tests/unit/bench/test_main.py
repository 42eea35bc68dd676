"""The command line, as far as nothing is measured."""

import json
from pathlib import Path

import pytest
from session_bench.__main__ import ResultWriter, main
from session_bench.figures import Row, Table


def table(name: str) -> Table:
    """A table of one figure."""
    return Table(name=name, title=f"About {name}", rows=(Row(name="figure", unit="s", values=(1.0,)),))


def test_each_table_is_printed_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A fault in a later part takes nothing away: the file holds all that was measured before it."""
    output = ResultWriter(file=tmp_path / "figures.json", machine_before={"load": 0.5})
    output.add(table("start"))
    first = json.loads((tmp_path / "figures.json").read_text())
    output.add(table("memory"))
    both = json.loads((tmp_path / "figures.json").read_text())

    assert ["start"] == [one["name"] for one in first["benchmarks"]]
    assert ["start", "memory"] == [one["name"] for one in both["benchmarks"]]
    assert 0.5 == both["machine"]["load"]
    assert "About start" in capsys.readouterr().out


def test_without_a_file_it_only_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON is for who asks for it."""
    ResultWriter(file=None).add(table("start"))

    assert "figure" in capsys.readouterr().out
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [[], ["speed"]], ids=["nothing", "unknown"])
def test_what_can_be_measured_is_listed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever asks for something else learns the parts' names."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert 2 == ended.value.code
    assert "start" in capsys.readouterr().err
