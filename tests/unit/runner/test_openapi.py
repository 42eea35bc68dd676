"""The OpenAPI document against the code."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate
from session_runner.http.app import Api
from session_runner.http.auth import TokenFolder
from session_runner.metrics import Metrics
from session_runner.store import StateStore

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    """The document."""
    loaded: dict[str, Any] = yaml.safe_load((resources.files("session_runner.http") / "openapi.yaml").read_text())
    return loaded


def make_api(tmp_path: Path) -> Api:
    """An API over nothing."""
    store = StateStore(clock=lambda: NOW)
    return Api(
        store=store, tokens=TokenFolder(tmp_path), metrics=Metrics(), session_uid="s", pod_uid="p", clock=lambda: NOW
    )


def test_the_document_is_valid(contract: dict[str, Any]) -> None:
    """It is OpenAPI 3.1 by the validator's word."""
    validate(contract)


def test_the_document_has_every_route(contract: dict[str, Any], tmp_path: Path) -> None:
    """Paths and methods are those that the application serves."""
    served = {
        (route.resource.canonical, route.method.lower())
        for route in make_api(tmp_path).application().router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    written = {(path, method) for path, methods in contract["paths"].items() for method in methods}

    assert written == served


def test_the_state_has_the_fields_of_the_document(contract: dict[str, Any], tmp_path: Path) -> None:
    """The schema's fields are the answer's, in its order."""
    api = make_api(tmp_path)
    document = api._document(StateStore(clock=lambda: NOW).snapshot)
    schema = contract["components"]["schemas"]["State"]

    assert list(document) == schema["required"] == list(schema["properties"])


def test_tokens_are_demanded_where_the_code_demands_them(contract: dict[str, Any]) -> None:
    """State and code are behind a token, everything else is open."""
    guarded = {path for path, methods in contract["paths"].items() if "security" not in methods["get"]}

    assert guarded == {"/v1/state", "/v1/qr"}
