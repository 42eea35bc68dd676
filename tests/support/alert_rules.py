"""The alert rules as tests read them: groups, alerts, and the names and label values in an expression.

The last two by a few patterns and no grammar of PromQL: the rules are ours, and promtool says whether they are PromQL.
Whatever a pattern does not know would show up as a metric that nobody has.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

RULES: Final = Path(__file__).parents[2] / "manifests" / "monitoring" / "rules.yaml"

_SELECTOR: Final = re.compile(r"(?P<metric>[a-zA-Z_:][\w:]*)\s*\{(?P<matchers>[^}]*)\}")
_MATCHER: Final = re.compile(r'(?P<label>\w+)\s*(?P<operator>=~|!~|!=|=)\s*"(?P<value>[^"]*)"')
_GROUPING: Final = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_NOT_NAMES: Final = re.compile(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\boffset\s+\w+|\b\d[\w.]*')
_NAME: Final = re.compile(r"[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])")
_KEYWORDS: Final = frozenset({"and", "or", "unless", "bool"})


class Matcher(NamedTuple):
    """One condition on a label of a metric."""

    metric: str
    label: str
    operator: str
    values: tuple[str, ...]
    """ The alternatives of a regular expression, each by itself. """


@dataclass(frozen=True)
class Alert:
    """One alert, as it stands in the file."""

    name: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]


def groups(text: str | None = None) -> list[dict[str, Any]]:
    """Return the groups of the rule file."""
    found: list[dict[str, Any]] = yaml.safe_load(RULES.read_text(encoding="utf-8") if text is None else text)["groups"]
    return found


def alerts() -> list[Alert]:
    """Return all alerts in the order of the file."""
    return [
        Alert(rule["alert"], rule["expr"], rule["labels"], rule["annotations"])
        for group in groups()
        for rule in group["rules"]
        if "alert" in rule
    ]


def expressions() -> Iterator[str]:
    """Yield every expression, of records and alerts."""
    return (rule["expr"] for group in groups() for rule in group["rules"])


def names(expr: str) -> set[str]:
    """Return the metrics and records that an expression reads."""
    bare = _NOT_NAMES.sub(" ", _GROUPING.sub(" ", expr))
    return set(_NAME.findall(bare)) - _KEYWORDS


def matchers(expr: str) -> list[Matcher]:
    """Return the conditions on labels in an expression."""
    return [
        Matcher(selector["metric"], each["label"], each["operator"], tuple(each["value"].split("|")))
        for selector in _SELECTOR.finditer(expr)
        for each in _MATCHER.finditer(selector["matchers"])
    ]
