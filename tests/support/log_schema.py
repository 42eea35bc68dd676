"""Holds log lines to the schema that people are given: what the operator or a runner wrote, line by line.

Whoever starts one of the programs asks this at its end: the integration tests of the operator, everything that starts a
runner, and the end-to-end run for the logs of all its pods.
"""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

SCHEMA = Path(__file__).parents[2] / "schemas/log-line.schema.json"
LONGEST_SHOWN = 300
""" Characters of a line that is wrong. """


def faults(lines: Iterable[str]) -> list[str]:
    """Return what is wrong with lines, a text for each that is."""
    return list(_faults(lines))


def _faults(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            yield f"no JSON: {line[:LONGEST_SHOWN]}"
            continue
        wrong = "; ".join(f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in _errors(entry))
        if wrong:
            yield f"{wrong[:LONGEST_SHOWN]}: {line[:LONGEST_SHOWN]}"


def _errors(entry: Any) -> Iterator[Any]:
    yield from _validator().iter_errors(entry)


@cache
def _validator() -> Any:
    return jsonschema_rs.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
