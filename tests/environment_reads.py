"""Which environment variables a package's code reads by name, for holding its reference page against it.

Settings classes read theirs through one table each; what this finds are the reads beside those tables, where a
variable could count that no page tells of.
"""

import ast
from collections.abc import Iterator
from pathlib import Path


def names_read(package: Path) -> set[str]:
    """Return the names that the modules below a folder look up in `os.environ`, or in something called environment."""
    return {name for path in package.rglob("*.py") for name in _names(ast.parse(path.read_text(encoding="utf-8")))}


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="get" | "pop" | "setdefault"), args=[key, *_]):
                yield from _text(owner, key)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="os"), attr="getenv"), args=[ast.Constant(str(key)), *_]
            ):
                yield key
            case ast.Subscript(value=owner, slice=key):
                yield from _text(owner, key)
            case ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[owner]):
                yield from _text(owner, key)


def _text(owner: ast.expr, key: ast.expr) -> Iterator[str]:
    match owner, key:
        case ((ast.Attribute(attr="environ") | ast.Name(id="environ" | "environment")), ast.Constant(str(name))):
            yield name
