"""Finds every log call of operator and runner, and makes from them the schema of a line and the page of all messages.

The calls are read from the source, not from running programs: so a message that is logged once a year is in the schema
and on the page as well. What cannot be read that way is a fault, which `faults` names and a test wants to be none: a
message that is put together, a field that `session_protocol.log_line` does not know, a logger's method under another
name. `generate` calls `schema` and `page`; the tests hold the lines of running programs to the schema.
"""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from session_protocol.log_line import FIELDS, HEAD, LogLine

REPOSITORY: Final = Path(__file__).resolve().parents[1]
PACKAGES: Final = {
    "whatsapp_operator": REPOSITORY / "operator/whatsapp_operator",
    "session_runner": REPOSITORY / "session-runner/session_runner",
    "session_protocol": REPOSITORY / "session-protocol/session_protocol",
}
SCHEMA_FILE: Final = "schemas/log-line.schema.json"
PAGE_FILE: Final = "docs/reference/log-lines.md"
UNWRITABLE: Final = "A record could not be written"

_LEVELS: Final = {
    "debug": "DEBUG",
    "info": "INFO",
    "warning": "WARNING",
    "error": "ERROR",
    "exception": "ERROR",
    "critical": "CRITICAL",
}
_OTHER_METHODS: Final = ("log", "warn", "fatal", "handle", "makeRecord")
_OF_A_SESSION: Final = ("session", "namespace")
""" What `ObjectKey.log_fields` stands for, and what every line of a runner in a cluster has. """
_LOGGERS: Final = ("logger", "logging")
_MAY_LOG: Final = re.compile(r"logg(er|ing)\b|\blogs\.")


class LogCall(NamedTuple):
    """One log call of the source."""

    module: str
    line: int
    level: str
    message: str
    """ Empty: it is not one constant text. """
    fields: tuple[str, ...] = ()
    fault: str = ""
    """ Why it is not what a log call should be. """


@cache
def calls() -> tuple[LogCall, ...]:
    """Return every log call of the packages, by module and line."""
    return tuple(_calls())


def _calls() -> Iterator[LogCall]:
    for name, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            source = path.read_text(encoding="utf-8")
            if not _MAY_LOG.search(source):  # most do not, and parsing is what takes time
                continue
            parts = path.relative_to(folder).with_suffix("").parts
            module = ".".join((name, *(part for part in parts if part not in ("__init__", "__main__"))))
            yield from calls_in(source, module=module)


def calls_in(source: str, *, module: str) -> Iterator[LogCall]:
    """Yield the log calls of one module."""
    tree = ast.parse(source)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    dicts = _dicts(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_logger(node.func.value):
            if node.func.attr in (*_LEVELS, *_OTHER_METHODS):
                yield _call(node, node.func.attr, module, dicts)
            elif node.func.attr == "line":
                yield _line(node, module)
        elif (
            isinstance(node, ast.Attribute)
            and node.attr in _LEVELS
            and _is_logger(node.value)
            and id(node) not in called
        ):
            yield LogCall(module, node.lineno, "", "", fault=f"logger.{node.attr} is not called where it is named")


def _is_logger(node: ast.expr) -> bool:
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    of_function = isinstance(node, ast.Call) and ast.unparse(node.func) == "logging.getLogger"
    return name.lstrip("_") in (*_LOGGERS, "logs") or of_function


def _call(node: ast.Call, method: str, module: str, dicts: Mapping[str, ast.Dict]) -> LogCall:
    level = _LEVELS.get(method, "")
    if not level:
        return LogCall(module, node.lineno, "", "", fault=f"logger.{method} hides the level")
    message, fault = _message(node.args)
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    fields, unknown = _fields(_written_out(keywords.get("extra"), dicts))
    if method == "exception" or "exc_info" in keywords:
        fields = (*fields, "exc_info")
    return LogCall(module, node.lineno, level, message, fields, fault or unknown)


def _dicts(tree: ast.Module) -> dict[str, ast.Dict]:
    """Return the dicts that variables are set to, of those that are set once in a module."""
    assigned = [
        (target.id, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    times = Counter(name for name, _ in assigned)
    return {name: value for name, value in assigned if isinstance(value, ast.Dict) and times[name] == 1}


def _written_out(extra: ast.expr | None, dicts: Mapping[str, ast.Dict]) -> ast.expr | None:
    return dicts.get(extra.id, extra) if isinstance(extra, ast.Name) else extra


def _line(node: ast.Call, module: str) -> LogCall:
    """A line that is written past logging: `logs.line(level, logger, message, field=…)`."""
    level = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else ""
    message, fault = _message(node.args[2:])
    fields = tuple(str(keyword.arg) for keyword in node.keywords)
    return LogCall(module, node.lineno, str(level), message, fields, fault or _unknown(fields))


def _message(arguments: list[ast.expr]) -> tuple[str, str]:
    if len(arguments) != 1:
        return "", "the message takes arguments: what varies belongs into extra"
    (message,) = arguments
    if not isinstance(message, ast.Constant) or not isinstance(message.value, str):
        return "", "the message is not one constant text: what varies belongs into extra"
    if not message.value[:1].isupper() or message.value.endswith("."):
        return message.value, "the message begins with a capital and has no full stop"
    return message.value, ""


def _fields(extra: ast.expr | None) -> tuple[tuple[str, ...], str]:
    match extra:
        case None:
            return (), ""
        case ast.Attribute(attr="log_fields"):
            return _OF_A_SESSION, ""
        case ast.Dict(keys=keys, values=values):
            found: list[str] = []
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    found.append(key.value)
                elif key is None and isinstance(value, ast.Attribute) and value.attr == "log_fields":
                    found.extend(_OF_A_SESSION)
                else:
                    return tuple(found), "a field's name is not a constant text"
            return tuple(found), _unknown(found)
        case _:
            return (), "extra is no dict that is written out at the call"


def _unknown(fields: Iterable[str]) -> str:
    unknown = [field for field in fields if field not in FIELDS or field in HEAD]
    return f"unknown fields: {', '.join(unknown)}" if unknown else ""


def faults(found: Iterable[LogCall]) -> list[str]:
    """Return a line for each call that is not what it should be."""
    return [f"{call.module}:{call.line}: {call.fault}" for call in found if call.fault]


def schema() -> dict[str, Any]:
    """Return the JSON Schema of one line: its fields, and of our own loggers the messages that there are."""
    made = msgspec.json.schema(LogLine)["$defs"]["LogLine"]
    ours = {"properties": {"logger": {"pattern": rf"^({'|'.join(PACKAGES)})(\.|$)"}}, "required": ["logger"]}
    messages = sorted({call.message for call in calls()} | {UNWRITABLE})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://wasession.dev/schemas/log-line.schema.json",
        **made,
        "title": "A line of the log of the operator or of a runner",
        "allOf": [{"if": ours, "then": {"properties": {"message": {"enum": messages}, "extra": False}}}],
    }


def files() -> dict[str, str]:
    """Return both files by their paths."""
    return {SCHEMA_FILE: json.dumps(schema(), indent=2, ensure_ascii=False) + "\n", PAGE_FILE: page()}


def page() -> str:
    """Return the reference page: every field, and every line of both programs."""
    lines = [
        "# Log lines",
        "",
        "<!-- Made by `make generate` from session_protocol/log_line.py and the log calls of the source. -->",
        "",
        "What the operator and the runners write, one JSON object per line; [how to read them](../operations/logs.md).",
        f"Its JSON Schema is [{Path(SCHEMA_FILE).name}](../../{SCHEMA_FILE}).",
        "",
        "## Fields",
        "",
        "The first four are on every line, all others only where they are known.",
        "",
        "| Field | Type | Meaning |",
        "|---|---|---|",
        *(f"| `{name}` | {_type(field)} | {field['description']} |" for name, field in schema()["properties"].items()),
        "",
        "## Messages",
        "",
        f"Beside these, `{UNWRITABLE}` replaces a line that could not be put together.",
    ]
    found = calls()
    for package, title in (("whatsapp_operator", "The operator's"), ("session_runner", "A runner's")):
        lines += ["", f"### {title}", "", "| Message | Level | Fields | Logger |", "|---|---|---|---|"]
        lines += [_row(call) for call in found if call.module.partition(".")[0] in (package, "session_protocol")]
    return "\n".join(lines) + "\n"


def _type(field: Mapping[str, Any]) -> str:
    return (
        str(field.get("type", "text")).replace("string", "text").replace("object", "mapping").replace("array", "list")
    )


def _row(call: LogCall) -> str:
    fields = ", ".join(f"`{field}`" for field in dict.fromkeys(call.fields))
    return f"| {call.message} | {call.level} | {fields} | `{call.module}` |"
