"""Every name that somebody outside of the code goes by is still there: in queries, manifests, scripts, stored objects.

A new one may come beside the recorded ones; a recorded one that is missing or has another value was renamed.
"""

import importlib.util
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from session_protocol.answers import Code, Problem, State
from session_protocol.environment import Variable
from session_protocol.metric_family import MetricFamily
from session_protocol.states import OperatorState
from session_protocol.vocabulary import ExitCode, RunnerState, StateReason, TokenScope
from session_runner.http.errors import ApiError
from session_runner.http.routes import ROUTES
from session_runner.metrics.families import FAMILIES as RUNNER_FAMILIES
from session_runner.metrics.metrics import Metrics as RunnerMetrics
from whatsapp_operator.api import constants
from whatsapp_operator.api.conditions import ConditionType, Reason
from whatsapp_operator.api.crd.definitions import KINDS, root_schema
from whatsapp_operator.app.settings import Settings
from whatsapp_operator.runtime.metrics.families import FAMILIES as OPERATOR_FAMILIES
from whatsapp_operator.runtime.process.metrics import Metrics as OperatorMetrics

Json = dict[str, Any]

RECORDED: Json = json.loads((Path(__file__).parents[1] / "recordings/names.json").read_text())
ENTRY_POINTS: list[str] = RECORDED["entryPoints"]


def families(rows: Iterable[MetricFamily], registry: CollectorRegistry) -> Iterator[tuple[str, Json]]:
    """Yield each metric of a program with its type and labels; those of the client library have no row."""
    for family in registry.collect():
        yield family.name, {"type": family.type, "labels": []}
    for row in rows:
        yield row.family, {"type": str(row.type), "labels": list(row.labels)}


def field_paths(path: str, schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield every field of a schema by its path."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}"
        yield from field_paths(f"{path}.{name}", field.get("items", field))


@cache
def names() -> Json:
    """Return every name that somebody outside of the code goes by."""
    operator = [row for _, rows in OPERATOR_FAMILIES for row in rows]
    return {
        "fields": {kind.kind: sorted(field_paths("", root_schema(kind))) for kind in KINDS},
        "columns": {kind.kind: {column.name: column.path for column in kind.columns} for kind in KINDS},
        "conditions": [*ConditionType],
        "reasons": [*Reason],
        "operatorStates": [*OperatorState],
        "runnerStates": [*RunnerState],
        "stateReasons": [*StateReason],
        "constants": {name: value for name, value in sorted(vars(constants).items()) if name.isupper()}
        | {"MADE_FROM_ANNOTATION": constants.TEMPLATE_HASH_ANNOTATION},
        "metrics": dict(
            [*families(operator, OperatorMetrics().registry), *families(RUNNER_FAMILIES, RunnerMetrics().registry)]
        ),
        "operatorVariables": sorted(name.upper() for name in Settings.model_fields),
        "runnerVariables": [*Variable],
        "routes": {route.path: str(route.scope) if route.scope else None for route in ROUTES},
        "stateAnswer": list(State.__struct_encode_fields__),
        "codeAnswer": list(Code.__struct_encode_fields__),
        "problem": list(Problem.__struct_encode_fields__),
        "errorCodes": sorted({kind.code for kind in ApiError.__subclasses__() if hasattr(kind, "code")}),
        "exitCodes": {code.reason: int(code) for code in ExitCode},
        "scopes": [*TokenScope],
    }


def missing(recorded: Any, today: Any) -> Any:
    """Return what of the recording is not there or is another today; nothing when all is."""
    if isinstance(recorded, dict):
        found = {
            name: lost
            for name, value in recorded.items()
            if (lost := missing(value, today[name]) if name in today else "missing")
        }
        return found or None
    if isinstance(recorded, list):
        return [item for item in recorded if item not in today] or None
    return None if recorded == today else f"{recorded} became {today}"


@pytest.mark.parametrize("group", sorted(set(RECORDED) - {"entryPoints"}))
def test_what_others_go_by_keeps_its_name(group: str) -> None:
    """Fields, conditions, reasons, states, labels, annotations, metrics, variables, routes, exit codes, scopes."""
    assert missing(RECORDED[group], names()[group]) is None


@pytest.mark.parametrize("module", ENTRY_POINTS)
def test_what_is_started_by_name_is_there(module: str) -> None:
    """`python -m` in an image, a manifest or the Makefile."""
    package = importlib.util.find_spec(f"{module}.__main__" if "." not in module else module)

    assert package is not None
