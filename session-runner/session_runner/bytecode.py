"""Compiles Python files without what no session reads: `python3 -X no_debug_ranges bytecode.py FOLDER...`.

The image's build calls it for all of Python that the image has; it stands alone, because nothing else is there by then.
Docstrings and the annotations of functions are a tenth of what a runner's modules take in memory. Python's own `-OO` keeps the
annotations and takes all `assert` away, which are checks of the libraries. A file that is imported without this is the same
program. `-X no_debug_ranges` leaves out the columns in tracebacks.
"""

import ast
import compileall
import importlib.machinery
import sys
from py_compile import PycInvalidationMode
from types import CodeType
from typing import TypeVar

Block = TypeVar("Block", ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class _Lean(ast.NodeTransformer):
    def visit_Module(self, node: ast.Module) -> ast.Module:
        return self._without_docstring(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        self._without_docstring(node)
        if any(_is_called(decorator, "dataclass") for decorator in node.decorator_list):
            node.body.insert(0, ast.Expr(ast.Constant(".")))  # else it makes one up
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        _forget_annotations(node)
        return self._without_docstring(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        _forget_annotations(node)
        return self._without_docstring(node)

    def _without_docstring(self, node: Block) -> Block:
        self.generic_visit(node)
        # All at the start: what follows a docstring would be the next one.
        while node.body and _is_text(node.body[0]):
            text = node.body.pop(0)
            if not node.body and not isinstance(node, ast.Module):
                node.body = [ast.copy_location(ast.Pass(), text)]
        return node


def _is_text(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
    return False


def _is_called(decorator: ast.expr, name: str) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return name == (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None))


def _forget_annotations(function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    given = function.args
    for one in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
        if one is not None:
            one.annotation = None
    function.returns = None


def lean(source: bytes | str, path: str, *, optimize: int = -1) -> CodeType:
    """Compile one file's text."""
    tree = ast.fix_missing_locations(_Lean().visit(ast.parse(source)))
    code: CodeType = compile(tree, path, "exec", dont_inherit=True, optimize=optimize)
    return code


class _Loader(importlib.machinery.SourceFileLoader):
    def source_to_code(self, data, path, *, _optimize=-1):  # type: ignore[no-untyped-def,override] # noqa: ANN001, ANN202
        return lean(data, path, optimize=_optimize)


def main(folders: list[str]) -> int:
    """Compile everything below the folders; return 0 if all of it could be."""
    importlib.machinery.SourceFileLoader = _Loader  # type: ignore[misc] # whom compileall asks
    unchecked = PycInvalidationMode.UNCHECKED_HASH  # by the sources' times, which a copy into a layer may change
    done = [
        compileall.compile_dir(folder, quiet=1, force=True, workers=0, invalidation_mode=unchecked)
        for folder in folders
    ]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
