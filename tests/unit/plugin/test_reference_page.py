"""docs/reference/plugin.md and the plugin's own help say the same."""

import re
from pathlib import Path

import pytest
from kubectl_whatsapp.cli import main

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "plugin.md").read_text()
OF_ALL = {"--help", "--namespace", "--context", "--kubeconfig", "--as", "--as-group"}
""" Told once, for all commands. """


def options(text: str) -> set[str]:
    """Every long option in a text."""
    return set(re.findall(r"--[a-z][a-z-]+", text))


@pytest.mark.parametrize("command", ["qr", "pair", "account", "send", "dead-letters", "status"])
def test_every_option_is_in_the_page(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An option that help tells of is in the command's section, and the section tells of no other."""
    main([command, "--help"])

    shown = options(capsys.readouterr().out)
    section = PAGE.split(f"## kubectl whatsapp {command}")[1].split("\n## ")[0]
    assert shown >= OF_ALL
    assert shown - OF_ALL == options("\n".join(row for row in section.splitlines() if row[:1] == "|"))


@pytest.mark.parametrize("command", ["qr", "status"])
def test_every_format_is_in_the_page(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The words that --output takes are told with it."""
    main([command, "--help"])

    formats = re.findall(r"--output <([a-z|]+)>", capsys.readouterr().out)[0].split("|")
    section = PAGE.split(f"## kubectl whatsapp {command}")[1].split("\n## ")[0]
    row = next(line for line in section.splitlines() if "`--output`" in line)
    assert set(formats) == set(re.findall(r"`([a-z]+)`", row))


def test_the_common_options_are_in_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    """What every command takes is told once, for all."""
    main(["--help"])

    shown = options(capsys.readouterr().out) - {"--help"}
    completion = {"--install-completion", "--show-completion"}
    assert OF_ALL - {"--help"} | completion == shown
    assert shown <= options(PAGE.split("## kubectl whatsapp")[0])


def test_kubectls_other_options_are_in_the_page() -> None:
    """Those that the help leaves to `kubectl options` are listed, because they are understood."""
    from kubectl_whatsapp.cli import FLAGS

    known = {parameter.name.removeprefix("kubectl").replace("_", "-") for parameter in FLAGS}
    assert known <= options(PAGE.split("## kubectl whatsapp")[0])
