"""A running runner, asked all that its OpenAPI document allows and much that it does not.

Schemathesis makes the requests from the document and judges each answer by it: status, media type, headers, body;
whether valid data are taken and invalid ones refused; whether the token is really asked for. A fault is shown with the
request that finds it again.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from session_protocol.vocabulary import LinkMethod, RunnerState, StateReason
from session_runner.http.app import serve
from session_runner.http.cloud_routes import CLOUD_ROUTES
from session_runner.http.openapi import FILE
from session_runner.http.routes import ROUTES
from support.runner_parts import PHONE, make_api, make_parts

CONFIGURATION = f"""
[checks]
enabled = true
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "503"]  # not all of a runner is started here

[parameters]  # any other id is unknown, which the Cloud API answers with 400
"path.phone" = "{PHONE}"
"path.waba" = "{PHONE}"

[[operations]]  # a form can hold what its schema has no name for
include-operation-id = "uploadMedia"
checks.unsupported_method.enabled = false
checks.negative_data_rejection.enabled = false
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "429", "5xx"]

[[operations]]  # the same, with problems
include-operation-id = "uploadFile"
checks.negative_data_rejection.enabled = false
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "422", "429", "5xx"]

[[operations]]  # a message that is taken back for everybody is still told of
include-operation-id = "deleteMessage"
checks.use_after_free.enabled = false

[[operations]]  # who is mentioned has to stand in the text, which no schema can say
include-operation-id = "sendMessageV1"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429", "5xx"]

[[operations]]  # an event's id is any text, and those of events that are gone are answered with 410
include-operation-id = "streamEvents"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "410", "429", "5xx"]

[[operations]]
include-operation-id = "getMessage"
checks.use_after_free.enabled = false

[[operations]]  # as Meta's own, they answer every method, and with 400 what they cannot do, if only for now
include-path-regex = "^/.version"
checks.unsupported_method.enabled = false
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "429", "5xx"]
"""


def now() -> datetime:
    """A clock that stands still."""
    return datetime(2026, 11, 22, tzinfo=UTC)


FRIEND = {"id": "15550100777@c.us", "number": "15550100777", "lid": None, "name": "Ada"}
MESSAGE = {
    "key": "false_15550100777@c.us_A",
    "id": "A",
    "own": False,
    "t": 7,
    "type": "chat",
    "who": FRIEND,
    "body": "x",
}
ANSWERS: dict[str, Any] = {
    "chats.js": {
        "chats": [{"who": FRIEND, "t": 7, "unread": 0, "archived": False}],
        "next": [7, "15550100777@c.us"],
    },
    "chat_messages.js": {"messages": [MESSAGE], "next": MESSAGE["key"]},
    "contacts.js": {"contacts": [{"who": FRIEND, "name": "Ada"}], "next": None},
    "lookup.js": {"digits": "15550100777", "lid": None, "missing": False},
    "picture.js": {"piece": "iVBORw0KGgo="},
    "profile.js": {"name": "Shop", "about": None},
    "set_profile.js": {},
    "available.js": "available",
    "unavailable.js": "unavailable",
    "mark.js": "marked",
}


class Page:
    """A page that can be logged out, once, and has one chat."""

    def __init__(self, *, linked: bool) -> None:
        self.linked = linked

    async def call(self, script: str, argument: Any = None) -> Any:
        """Do as the logout's script does, or give what is there."""
        if script in ANSWERS:
            return ANSWERS[script]
        if not self.linked:
            return "unlinked"
        self.linked = not argument["begin"]
        return "begun"


@contextlib.asynccontextmanager
async def serving(folder: Path, *, linking: bool) -> AsyncIterator[int]:
    """Serve the API of a session that shows a code, or of one that is linked; gives the port."""
    for scope in ("state", "link", "send", "read", "admin"):
        (folder / scope).write_text(f"{scope}-token\n")
    parts = make_parts(clock=now, settings={"LINK_METHOD": LinkMethod.PAIRING_CODE})
    store, numbers = parts.base.store, parts.base.numbers
    store.publish(
        state=RunnerState.QR_PENDING if linking else RunnerState.CONNECTED,
        reason=StateReason.AS_EXPECTED,
        message="As the test says.",
        linked=not linking,
        linked_time=None if linking else now(),
        durable_time=None if linking else now(),
        round=1,
    )
    store.probed = now()
    store.show_code("2@a,b,c,d,1" if linking else None, lifetime=60)
    store.show_account(None if linking else "+15550100000")
    numbers.asked.connect(lambda: store.show_pairing_code("ABCD-1EFG", lifetime=60, phone_number=numbers.wanted))
    parts.base.commands.open(Page(linked=not linking))
    media = parts.sending.media
    async with (
        parts.sending.messaging.opened(folder / "messages.sqlite") as outbox,
        media.opened(outbox, folder / "media"),
    ):
        server, port = await serve(make_api(parts, folder), port=0, metrics=parts.base.metrics)
        try:
            yield port
        finally:
            await server.cleanup()


@pytest.mark.timeout(600)  # ten seconds each on a quiet machine
@pytest.mark.parametrize(
    ("token", "linking", "seed"),
    [
        ("admin", True, 1),
        ("admin", False, 2),
        ("state", True, 3),
        (None, True, 4),
        ("send", False, 5),
        ("read", False, 6),
    ],
)
async def test_the_runner_keeps_its_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str | None, *, linking: bool, seed: int
) -> None:
    """With every token and none, with a code and without: nothing is found."""
    monkeypatch.setattr("session_runner.http.session_routes.MAX_WAIT_SECONDS", 0.02)
    monkeypatch.setattr("session_runner.http.session_routes.SHOWN_SECONDS", 0.02)
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    async with serving(tmp_path, linking=linking) as port:
        run = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run", str(FILE)),
            *("--url", f"http://127.0.0.1:{port}", "--mode", "all", "--max-examples", "25"),
            *("--seed", str(seed), "--generation-database", "none"),
            *("--warnings", "off", "--no-color", "--continue-on-failure", "--request-timeout", "5"),
            *(("--header", f"Authorization: Bearer {token}-token") if token else ()),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await run.communicate()

    assert 0 == run.returncode, output.decode()
    passed = f"{len(ROUTES) + len(CLOUD_ROUTES)} passed"
    assert 2 == output.decode().count(passed), output.decode()  # each route in both phases that apply
