"""The OpenAPI document against the code."""

import json
import re
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from aiohttp.test_utils import TestClient, TestServer
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from session_protocol.messages import NOT_BLANK
from session_runner.http import openapi
from session_runner.http.session_routes import SessionRoutes
from support.runner_parts import make_api, make_parts

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    """The document."""
    loaded: dict[str, Any] = yaml.safe_load((resources.files("session_runner.http") / "openapi.yaml").read_text())
    return loaded


def test_the_document_is_valid(contract: dict[str, Any]) -> None:
    """It is OpenAPI 3.1 by the validator's word."""
    validate(contract)


def test_a_file_is_never_an_alias(contract: dict[str, Any]) -> None:
    """What is written out can be read without a jump, and by tools that know no anchors."""
    assert contract["paths"]
    assert not re.search(r"[:-] [&*]\w", openapi.FILE.read_text())


def test_patterns_are_read_by_every_language(contract: dict[str, Any]) -> None:
    r"""Their end is `$`: Python's `\Z` is no word of JSON Schema's, whose readers took no number by it."""
    schemas = contract["components"]["schemas"]

    assert r"\Z" not in openapi.FILE.read_text()
    assert OAS31Validator(schemas["ContactCheckRequest"]).is_valid({"phoneNumber": "+15550100777"})


def test_the_document_has_every_route(contract: dict[str, Any], tmp_path: Path) -> None:
    """Paths and methods are those that the application serves, but for the one answer to everything else below a version."""
    served = {
        (route.resource.canonical, route.method.lower())
        for route in make_api(make_parts(), tmp_path).router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    written = {(path, method) for path, methods in contract["paths"].items() for method in methods}

    assert written | {("/{version}/{rest}", "*")} == served


def test_the_state_has_the_fields_of_the_document(contract: dict[str, Any]) -> None:
    """The schema's fields are the answer's, in its order."""
    base = make_parts(clock=lambda: NOW).base
    routes = SessionRoutes(
        store=base.store, numbers=base.numbers, commands=base.commands, identity=base.identity, clock=lambda: NOW
    )
    document = msgspec.to_builtins(routes.document(base.store.snapshot))
    schema = contract["components"]["schemas"]["State"]

    assert list(document) == schema["required"] == list(schema["properties"])


def test_tokens_are_demanded_where_the_code_demands_them(contract: dict[str, Any]) -> None:
    """State, code and commands are behind a token, the operator's own routes behind its key, everything else is open."""
    guarded = {
        path: [next(iter(way)) for way in operation.get("security", contract["security"])]
        for path, methods in contract["paths"].items()
        for operation in methods.values()
    }

    assert {
        "/v1/state": ["bearer", "operator"],
        "/v1/qr": ["bearer"],
        "/v1/pairing-code": ["bearer"],
        "/v1/account": ["bearer", "operator"],
        "/v1/logout": ["bearer"],
        "/v1/messages": ["bearer"],
        "/v1/messages/{id}": ["bearer"],
        "/v1/messages/{id}/read": ["bearer"],
        "/v1/media": ["bearer"],
        "/v1/media/{id}": ["bearer"],
        "/v1/media/{id}/content": ["bearer"],
        "/v1/events": ["bearer"],
        "/v1/chats": ["bearer"],
        "/v1/chats/{id}/messages": ["bearer"],
        "/v1/contacts": ["bearer"],
        "/v1/contacts/check": ["bearer"],
        "/v1/contacts/{id}/picture": ["bearer"],
        "/v1/profile": ["bearer"],
        "/v1/profile/picture": ["bearer"],
        "/v1/presence": ["bearer"],
        "/v1/tokens": ["operator"],
        "/v1/settings": ["operator"],
        "/v1/webhooks": ["bearer"],
        "/v1/dead-letters": ["bearer"],
        "/v1/dead-letters/redrive": ["bearer"],
    } == {path: ways for path, ways in guarded.items() if ways and not path.startswith("/{version}/")}
    assert {("bearer", "tokenInQuery")} == {tuple(guarded[path]) for path in guarded if path.startswith("/{version}/")}


def test_each_error_is_a_problem_that_names_its_headers(contract: dict[str, Any]) -> None:
    """Whoever writes a client sees what a refusal looks like."""
    responses = contract["components"]["responses"]

    assert {"application/problem+json"} == {
        media
        for code, response in responses.items()
        for media in response["content"]
        if not code.startswith("CloudApi")
    }
    assert "WWW-Authenticate" in responses["Unauthorized"]["headers"]
    assert {"200", "400", "401", "403", "404", "406", "417", "500"} == set(
        contract["paths"]["/v1/qr"]["get"]["responses"]
    )


# How a number may be written, and how it may not: sent as it stands, and judged by the document's schema.
NUMBERS = [
    *("0", "1", "-0", "1.0", "1.5", "1e1", "1E+2", "60", "61", "9007199254740991", "9007199254740992", "1e308", "-0.0"),
    *("1.7976931348623157e308", "1.8e308", "1e309", "-1", "-1e-3", "9" * 20, "9" * 310, "9" * 5000),
    *("", " ", " 1", "1 ", "+1", "01", "1_000", "1,000", "0x10", "1.", ".5", "1e", "--1", "\u0661", "\uff11", "\u00b2"),
    *(
        "nan",
        "NaN",
        "inf",
        "Infinity",
        "-Infinity",
        "null",
        "None",
        "true",
        "[]",
        "[1]",
        "{}",
        '"1"',
        "x",
        "\x00",
        "1\n",
    ),
]


def in_schema(text: str, schema: dict[str, Any]) -> bool:
    """Whether the text is a JSON number that the schema takes."""
    if not re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", text, re.ASCII):
        return False
    try:
        return bool(OAS31Validator(schema).is_valid(json.loads(text)))
    except (ValueError, OverflowError):  # more digits than Python reads
        return False


@pytest.mark.parametrize("name", ["after", "wait"])
async def test_a_parameter_is_taken_when_its_schema_takes_it(
    contract: dict[str, Any], tmp_path: Path, name: str
) -> None:
    """The schema says exactly what is accepted, in every spelling of a number and of what is none."""
    (tmp_path / "state").write_text("t")
    parameters = contract["paths"]["/v1/state"]["get"]["parameters"]
    schema = next(parameter["schema"] for parameter in parameters if parameter["name"] == name)
    async with TestClient(TestServer(make_api(make_parts(), tmp_path))) as client:
        statuses = {}
        for text in NUMBERS:
            query = {name: text} if name == "wait" else {name: text, "wait": "0"}
            async with client.get("/v1/state", params=query, headers={"Authorization": "Bearer t"}) as response:
                statuses[text] = response.status

    assert {text: 200 if in_schema(text, schema) else 400 for text in NUMBERS} == statuses
    assert {200, 400} == set(statuses.values())


def test_what_is_blank_is_so_in_python_and_in_javascript() -> None:
    """By both lists: Python has the separators U+001C to U+001F and U+0085 besides, JavaScript the mark U+FEFF."""
    blank = {chr(code) for code in range(0x10000) if chr(code).isspace()} | {"\ufeff"}

    assert blank == {chr(code) for code in range(0x10000) if not re.search(NOT_BLANK, chr(code))}
