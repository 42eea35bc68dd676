"""Rules with one mistake each: every number, duration, label, value and operator of the rule file, changed one at a time.

A mutant that still passes its alert's tests is a threshold that nobody tests.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from support.alert_rules import names

__all__ = ["Mutant", "Rule", "beside_each_other", "mutants", "needed"]

_STRING: Final = re.compile(r'"[^"]*"')
_BRACES: Final = re.compile(r"\{[^}]*\}")
_NOT_BRACES: Final = re.compile(r"(?:^|(?<=\}))[^{]*")
_DURATION: Final = re.compile(r"(?<=\[)\d+[smhd](?=\])|(?<=offset )\d+[smhd]")
_NUMBER: Final = re.compile(r"(?<![\w.:\[])\d+(?:\.\d+)?(?![\w.:])")
_COMPARISON: Final = re.compile(r" (?:==|<|>) (?![1-9]\.5)")  # next to a count, > and >= are one
_MATCHER: Final = re.compile(r"=~|!~|!=|=")
_GROUPING: Final = re.compile(r"\b(?:by|without|on|ignoring) \([^)]+\)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_OTHER: Final = {">": (">=", "<"), "<": ("<=", ">"), "==": ("!=",)}
_OPPOSITE: Final = {"=~": "!~", "!~": "=~", "!=": "=", "=": "!="}

Rule = dict[str, Any]


@dataclass(frozen=True)
class Mutant:
    """A rule with one mistake."""

    place: int
    """ Which rule of the file it is. """
    what: str
    rule: Rule


def mutants(rules: list[Rule]) -> Iterator[Mutant]:
    """Yield every mistake in every rule."""
    for place, rule in enumerate(rules):
        for what, changes in _changes(rule):
            yield Mutant(place, f"{_name(rule)}: {what}", {**copy.deepcopy(rule), **changes})


def needed(rules: list[Rule], targets: set[str]) -> list[Rule]:
    """Return the rules that some alerts need: themselves and the records that they read, in their order."""
    records = {rule["record"]: rule for rule in rules if "record" in rule}
    wanted = {rule["alert"] for rule in rules if rule.get("alert") in targets}
    waiting = [rule for rule in rules if rule.get("alert") in targets]
    while waiting:
        fresh = (names(waiting.pop()["expr"]) & records.keys()) - wanted
        wanted |= fresh
        waiting += [records[name] for name in fresh]
    return [rule for rule in rules if _name(rule) in wanted]


def beside_each_other(rules: list[Rule], alert: str, found: Mapping[str, Mutant]) -> list[Rule]:
    """Return the rules that an alert needs, and behind each its copies for the mutants by their names.

    A mutant has a copy of the rule with the mistake and of all that reads it, down to the alert, as ALERT:NAME. So all of
    them are evaluated over the same series, which takes a tenth of the time that a file for each takes.
    """
    originals = needed(rules, {alert})
    copies: dict[str, list[Rule]] = {_name(rule): [] for rule in originals}
    for name, mutant in found.items():
        own: set[str] = set()
        while fresh := {_name(rule) for rule in originals if _is_other(rule, rules[mutant.place], own)} - own:
            own |= fresh
        for rule in originals:
            if _name(rule) in own:
                given = mutant.rule if rule is rules[mutant.place] else rule
                copies[_name(rule)].append(_renamed(given, {each: f"{each}:{name}" for each in own}))
    return [one for rule in originals for one in ([rule] if "record" in rule else []) + copies[_name(rule)]]


def _is_other(rule: Rule, changed: Rule, others: set[str]) -> bool:
    """Whether a rule is the changed one, or reads one that is another one because of it."""
    return rule is changed or bool(names(rule["expr"]) & others)


def _renamed(rule: Rule, others: Mapping[str, str]) -> Rule:
    """Return the rule under its other name, reading the others."""
    kind = "alert" if "alert" in rule else "record"
    expr = rule["expr"]
    for name, other in others.items():
        expr = re.sub(rf"(?<![\w:]){re.escape(name)}(?![\w:])", other, expr)
    return {**rule, kind: others[rule[kind]], "expr": expr}


def _name(rule: Rule) -> str:
    name: str = rule.get("alert") or rule["record"]
    return name


def _changes(rule: Rule) -> Iterator[tuple[str, Rule]]:
    for what, expr in _expressions(rule["expr"]):
        yield what, {"expr": expr}
    if "for" in rule:
        minutes = int(rule["for"].removesuffix("m"))
        for other in (f"{minutes - 1}m", f"{minutes + 1}m", "0m"):
            yield f"for {other}", {"for": other}
    for label, value in rule.get("labels", {}).items():
        others = {key: text for key, text in rule["labels"].items() if key != label}
        yield f"without label {label}", {"labels": others}
        yield f"label {label} changed", {"labels": {**others, label: f"{value}x"}}


def _expressions(expr: str) -> Iterator[tuple[str, str]]:
    """Yield the expression with one of its parts changed, each with what was done."""
    code = _without(_STRING, expr)
    matchers = _without(_NOT_BRACES, code)
    kinds = (
        (_NUMBER, code, _other_numbers),
        (_DURATION, code, _other_durations),
        (_COMPARISON, _without(_BRACES, code), _other_comparisons),
        (_MATCHER, matchers, lambda text: [_OPPOSITE[text]]),
        (_STRING, expr, _other_values),
        (_GROUPING, expr, _other_groupings),
    )
    for pattern, text, others in kinds:
        for match in pattern.finditer(text):
            line = expr.count("\n", 0, match.start()) + 1
            for other in others(match.group()):
                yield f"line {line}: {match.group()} is {other}", expr[: match.start()] + other + expr[match.end() :]


def _without(pattern: re.Pattern[str], text: str) -> str:
    """Return the text with spaces in place of what matches, so that everything keeps its place."""
    return pattern.sub(lambda match: " " * len(match.group()), text)


def _other_numbers(text: str) -> Iterator[str]:
    """Yield the next numbers below and above: by a hundredth where there is a point, else by one.

    A half, as in 4.5, stands between two counts: it is moved to the next one.
    """
    near = 1.0 if re.fullmatch(r"\d+|[1-9]\.5", text) else 0.01
    yield from (f"{float(text) - near:g}", f"{float(text) + near:g}")


def _other_durations(text: str) -> Iterator[str]:
    """Yield a duration that is a tenth shorter, and one that is a tenth longer, in whole minutes."""
    minutes = int(text[:-1]) * _SECONDS[text[-1]] // 60
    tenth = -(-minutes // 10)
    yield from (f"{minutes - tenth}m", f"{minutes + tenth}m")


def _other_comparisons(text: str) -> Iterator[str]:
    """Yield the operators that a typing mistake would make of it."""
    return (f" {other} " for other in _OTHER[text.strip()])


def _other_values(text: str) -> Iterator[str]:
    """Yield a value that nothing has in place of each alternative, and the alternatives without each."""
    parts = [part for part in text.strip('"').split("|") if part]
    for place, part in enumerate(parts):
        yield '"' + "|".join([*parts[:place], f"{part}x", *parts[place + 1 :]]) + '"'
        if len(parts) > 1:
            yield '"' + "|".join([*parts[:place], *parts[place + 1 :]]) + '"'


def _other_groupings(text: str) -> Iterator[str]:
    """Yield it without each of its labels."""
    keyword, _, listed = text.partition(" (")
    labels = listed.rstrip(")").split(", ")
    for label in labels:
        yield f"{keyword} ({', '.join(other for other in labels if other != label)})"
