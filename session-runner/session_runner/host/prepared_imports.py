"""What the runner's imports compute, kept by the build of the image: a third of their processor time.

Each start would do the same again: look for 600 files, compile the methods of dataclasses from texts, and regular expressions
from patterns. The build does it once (`python -m session_runner.host.prepared_imports FILE`), and `use` lets the imports after
it take what came of it. Of another Python, or without the file, as in a checkout, all is as usual. As with compiled
bytecode that is not checked, what is imported is what the build saw, whatever becomes of the sources.
"""

import dataclasses
import importlib
import marshal
import os
import re
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

PREPARED = Path("/usr/share/wasession/imports")
ALL = ("session_runner.__main__", "session_runner.serving")
""" With what they import. """
_SIZE = 8
""" Bytes of the length of what is read at the start; the modules follow. """
_COMPILER: Any = re._compiler  # type: ignore[attr-defined] # noqa: SLF001 -- it has no other place to be told what came of a pattern


class _Kept(NamedTuple):
    version: str
    """ Of Python: what is kept is good for no other. """
    methods: dict[str, CodeType]
    """ By their source text, as `dataclasses` puts it together. """
    patterns: dict[tuple[str | bytes, int], tuple[Any, ...]]
    """ What the compiler makes of each, with its flags: the arguments of the machine that runs it. """
    modules: dict[str, tuple[str, bool, int, int]]
    """ File, whether it is a package, and where its code is, counted from the first one's. """


class PreparedImports:
    """The prepared imports in use, until `end`."""

    def __init__(self, kept: _Kept, file: int, *, start: int) -> None:
        self._kept = kept
        self._file, self._start = file, start
        self._compile: Callable[..., Any] = _COMPILER.compile
        vars(dataclasses)["exec"] = self._run
        _COMPILER.compile = self._pattern
        sys.meta_path.insert(0, self)

    def end(self) -> None:
        """Import as usual from now on, and let go of what was kept."""
        sys.meta_path.remove(self)
        _COMPILER.compile = self._compile
        del vars(dataclasses)["exec"]
        os.close(self._file)

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """Find a module that is kept."""
        if (found := self._kept.modules.get(name)) is None:
            return None
        origin, is_package, place, length = found
        loader = _Loader(name, origin, file=self._file, place=self._start + place, length=length)
        spec = ModuleSpec(name, loader, origin=origin, is_package=is_package)
        spec.has_location = True
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(str(Path(origin).parent))
        return spec

    def _run(self, text: str, variables: dict[str, Any], names: dict[str, Any]) -> None:
        exec(self._kept.methods.get(text) or text, variables, names)  # noqa: S102 -- as dataclasses does

    def _pattern(self, pattern: Any, flags: int = 0) -> Any:
        kept = self._kept.patterns.get((pattern, flags)) if type(pattern) in (str, bytes) else None
        return self._compile(pattern, flags) if kept is None else _COMPILER._sre.compile(*kept)  # noqa: SLF001


class _Loader(SourceFileLoader):
    """Takes a module's code from the file; all else is the source's."""

    def __init__(self, name: str, path: str, *, file: int, place: int, length: int) -> None:
        super().__init__(name, path)
        self._where = (file, length, place)

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 -- of a loader for one module
        """Return the code."""
        file, length, place = self._where
        code: CodeType = marshal.loads(os.pread(file, length, place))  # noqa: S302 -- the image's own, like bytecode
        return code


def use(path: Path = PREPARED) -> PreparedImports | None:
    """Import from the file from now on; None: it is not there, or was made by another Python."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        size = min(int.from_bytes(os.pread(file, _SIZE, 0)), os.fstat(file).st_size)
        kept = _Kept(*marshal.loads(os.pread(file, size, _SIZE)))  # noqa: S302 -- the same
    except (OSError, EOFError, TypeError, ValueError):
        kept = None
    if kept is None or kept.version != sys.version:
        os.close(file)
        return None
    return PreparedImports(kept, file, start=_SIZE + size)


class _Recorder:
    """Notes what the imports compute."""

    def __init__(self) -> None:
        self.methods: dict[str, CodeType] = {}
        self.patterns: dict[tuple[str | bytes, int], tuple[Any, ...]] = {}
        self._machine, self._compile = _COMPILER._sre, _COMPILER.compile  # noqa: SLF001
        self._last: tuple[Any, ...] = ()
        vars(dataclasses)["exec"] = self._run
        _COMPILER.compile, _COMPILER._sre = self._pattern, self  # noqa: SLF001

    def __getattr__(self, name: str) -> Any:
        return getattr(self._machine, name)

    def compile(self, pattern: Any, flags: int, code: list[int], groups: int, names: Any, indices: Any) -> Any:
        """Stand for the machine that is given a compiled pattern."""
        self._last = (pattern, int(flags), [int(one) for one in code], groups, dict(names), tuple(indices))
        return self._machine.compile(pattern, flags, code, groups, names, indices)

    def _run(self, text: str, variables: dict[str, Any], names: dict[str, Any]) -> None:
        code = self.methods[text] = compile(text, "<string>", "exec")
        exec(code, variables, names)  # noqa: S102 -- as dataclasses does

    def _pattern(self, pattern: Any, flags: int = 0) -> Any:
        made = self._compile(pattern, flags)
        self.patterns[pattern, int(flags)] = self._last
        return made


def prepare(path: Path, names: tuple[str, ...] = ALL) -> None:
    """Import all of these, and keep what that took. For a process of its own: what was imported before is left out."""
    recorder = _Recorder()
    before = frozenset(sys.modules)
    for name in names:
        importlib.import_module(name)
    modules: dict[str, tuple[str, bool, int, int]] = {}
    codes: list[bytes] = []
    place = 0
    for name, module in sorted(sys.modules.items()):
        loader = getattr(module, "__loader__", None)
        if name in before or type(loader) is not SourceFileLoader or module.__file__ is None:
            continue
        code = marshal.dumps(loader.get_code(name))
        modules[name] = (module.__file__, hasattr(module, "__path__"), place, len(code))
        codes.append(code)
        place += len(code)
    head = marshal.dumps((sys.version, recorder.methods, recorder.patterns, modules))
    path.write_bytes(len(head).to_bytes(_SIZE) + head + b"".join(codes))


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
