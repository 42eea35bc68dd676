"""What the image's build leaves out of modules, and what stays."""

import importlib.util
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest
from session_runner import bytecode
from session_runner.bytecode import lean

SOURCE = '''
"""Of the module."""

"""Still of the module."""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """A place."""

    x: int
    """ To the right. """


class Empty(Exception):
    """Nothing else."""


def double(x: int, *more: str, by: int = 2, **named: str) -> int:
    """Double it."""
    assert x > 0
    return x * by


async def wait(seconds: float) -> None:
    """Wait."""
'''


def made() -> ModuleType:
    """The module that comes of SOURCE."""
    module = ModuleType("made")
    sys.modules["made"] = module  # where dataclass looks
    try:
        exec(lean(SOURCE, "made.py"), vars(module))
    finally:
        del sys.modules["made"]
    return module


def test_docstrings_and_annotations_of_functions_are_left_out() -> None:
    """They are what nobody reads in a session."""
    module = made()

    assert [None] * 4 == [each.__doc__ for each in (module, module.Empty, module.double, module.wait)]
    assert {} == module.double.__annotations__ == module.wait.__annotations__
    assert not any("Double" in str(constant) for constant in module.double.__code__.co_consts)


def test_the_program_is_the_same() -> None:
    """Fields of a dataclass are its annotations, defaults hold, and a check of a library is no ornament."""
    module = made()

    assert ["x"] == [field.name for field in fields(module.Point)]
    assert module.Point(x=3).x == 3
    assert module.Point.__doc__ == "."  # a dataclass without one makes one up, at each start
    assert module.double(4) == 8
    with pytest.raises(AssertionError):
        module.double(0)


def test_a_folder_is_compiled_for_all_that_import_it(tmp_path: Path) -> None:
    """The file beside the source is taken, whatever the source's time; one that is no Python is named."""
    source = tmp_path / "made.py"
    source.write_text(SOURCE)
    compiled = Path(importlib.util.cache_from_source(str(source)))

    done = subprocess.run(
        [sys.executable, bytecode.__file__, str(tmp_path)], check=False, capture_output=True, text=True
    )

    assert done.returncode == 0
    assert compiled.is_file()
    source.write_text(SOURCE.replace("assert x > 0", "assert x > 1"))
    lines = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import made; print(made.__doc__, made.double(1))"
    assert subprocess.check_output([sys.executable, "-c", lines], text=True) == "None 2\n"

    (tmp_path / "broken.py").write_text("def")
    done = subprocess.run(
        [sys.executable, bytecode.__file__, str(tmp_path)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "broken.py" in done.stdout
