"""docs/reference/plugin.md and the plugin's own help say the same."""

import re
from pathlib import Path

import pytest
from kubectl_whatsapp.cli import parse

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "plugin.md").read_text()


@pytest.mark.parametrize("command", ["qr", "status"])
def test_every_option_is_in_the_page(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An option that help tells of is in the command's section, and the section tells of no other."""
    with pytest.raises(SystemExit):
        parse([command, "--help"])
    told = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {
        "--help",
        "--namespace",
        "--context",
        "--kubeconfig",
    }
    section = PAGE.split(f"## kubectl whatsapp {command}")[1].split("\n## ")[0]

    assert told == {
        option for row in section.splitlines() if row[:1] == "|" for option in re.findall(r"--[a-z][a-z-]+", row)
    }


def test_the_common_options_are_in_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    """What every command takes is told once, for all."""
    with pytest.raises(SystemExit):
        parse(["--help"])

    told = set(re.findall(r"--[a-z]+", capsys.readouterr().out)) - {"--help"}
    assert {"--namespace", "--context", "--kubeconfig"} == told
    assert all(f"{option}" in PAGE.split("## kubectl whatsapp")[0] for option in told)
