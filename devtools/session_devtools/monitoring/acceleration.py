"""The rules in a hurry: all durations divided by one number and nothing else changed, so that a test sees them fire.

Divided are `for`, `keep_firing_for`, the groups' intervals, and in the expressions what `promql` says. So an alert of ten
minutes fires after thirty seconds with 20, by the same series, the same values and the same comparisons.
"""

from typing import Any, Final

from session_devtools.monitoring.promql import divide_duration, divide_expression

__all__ = ["accelerated"]

_DURATIONS: Final = ("for", "keep_firing_for")
_GROUP: Final = ("interval", "query_offset")


def accelerated(rules: dict[str, Any], by: int) -> dict[str, Any]:
    """Return a rule file's content with its durations divided."""
    return rules | {"groups": [_group(group, by) for group in rules["groups"]]}


def _group(group: dict[str, Any], by: int) -> dict[str, Any]:
    found = group | {field: divide_duration(group[field], by) for field in _GROUP if field in group}
    return found | {"rules": [_rule(rule, by) for rule in group["rules"]]}


def _rule(rule: dict[str, Any], by: int) -> dict[str, Any]:
    found = rule | {field: divide_duration(rule[field], by) for field in _DURATIONS if field in rule}
    return found | {"expr": divide_expression(rule["expr"], by)}
