"""A machine without the browser gets it, or hears what is missing; a green run of skipped tests is not had by accident."""

from collections.abc import Callable, Sequence

import pytest
from runner.prepare import main
from session_devtools import packages
from session_devtools.errors import CommandError, MachineError


def refuse(error: Exception) -> Callable[..., list[str]]:
    """An installation that ends so."""

    def ensure(*_: object, **__: object) -> list[str]:
        raise error

    return ensure


def test_what_is_missing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser, its fonts, and what reads certificates."""
    asked: list[Sequence[str]] = []

    def ensure(names: Sequence[str], **_: object) -> list[str]:
        asked.append(names)
        return []

    monkeypatch.setattr(packages, "ensure", ensure)

    assert (0, [packages.BROWSER]) == (main(), asked)


def test_without_root_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The other tests can be run all the same."""
    monkeypatch.setattr(packages, "ensure", refuse(MachineError("run `sudo apt-get install x`")))

    assert 0 == main()
    assert "sudo apt-get install x" in capsys.readouterr().err


def test_it_fails_where_it_could_have_been_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Or all those tests would be skipped, and nobody would see it."""
    monkeypatch.setattr(packages, "ensure", refuse(CommandError(["apt-get", "install"], 100, "apt failed")))

    assert 1 == main()
    assert "apt failed" in capsys.readouterr().err
