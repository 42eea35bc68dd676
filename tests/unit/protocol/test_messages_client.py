"""The client of a runner's messages: what it asks, and what it makes of every answer."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_protocol.messages_client import Answer, MessageRefusedError, MessagesClient, Progress
from session_runner.messages.contents import Text
from session_runner.messages.requests import SendRequest, read_request

ID = "265070092772032"
TAKEN = {
    "messaging_product": "whatsapp",
    "contacts": [{"input": "15550100777", "wa_id": "15550100777"}],
    "messages": [{"id": "3EB0C767D097B7C7C030", "message_status": "accepted"}],
}
NOBODY = {
    "error": {
        "message": "(#131026) Message undeliverable",
        "type": "OAuthException",
        "code": 131026,
        "error_data": {"messaging_product": "whatsapp", "details": "The number is not on WhatsApp."},
    }
}


class Runner:
    """Gives one answer, and keeps what it was asked."""

    def __init__(self, document: Any, *, status: int = 200) -> None:
        self.answer = Answer(status, document if isinstance(document, bytes) else json.dumps(document).encode())
        self.asked: list[tuple[str, str, bytes | None, dict[str, str]]] = []

    def __call__(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        """Answer."""
        self.asked.append((method, path, body, headers))
        return self.answer


def client(runner: Runner) -> MessagesClient:
    """Return a client of it."""
    return MessagesClient(runner, phone_number_id=ID)


def send(runner: Runner) -> str:
    """Send a text."""
    return client(runner).send_text(to="15550100777", text="Hello", key="key-1")


def test_a_text_is_sent_as_the_cloud_api_has_it() -> None:
    """With a key, so that it can be asked for again."""
    runner = Runner(TAKEN)

    assert "3EB0C767D097B7C7C030" == send(runner)
    ((method, path, body, headers),) = runner.asked
    assert ("POST", f"/v24.0/{ID}/messages") == (method, path)
    assert {"messaging_product": "whatsapp", "to": "15550100777", "type": "text", "text": {"body": "Hello"}} == (
        json.loads(body or b"")
    )
    assert {"Content-Type": "application/json", "Idempotency-Key": "key-1"} == headers


def test_the_runner_reads_what_is_sent() -> None:
    """By its own reader of the Cloud API's shape."""
    runner = Runner(TAKEN)
    send(runner)
    ((_, _, body, _),) = runner.asked
    request = read_request(body or b"")

    assert isinstance(request, SendRequest)
    assert ("15550100777", Text(body="Hello")) == (request.digits, request.content)


@pytest.mark.parametrize("identifier", ["", "../state", "3EB0?", "3EB0\n", "x" * 65])
def test_what_is_no_id_is_asked_of_nobody(identifier: str) -> None:
    """It would be a part of the path."""
    runner = Runner({})
    with pytest.raises(ValueError, match="message's id"):
        client(runner).progress(identifier)

    assert [] == runner.asked


@pytest.mark.parametrize(
    ("document", "expected", "final"),
    [
        ({"status": "accepted", "errorCode": None}, Progress(status="accepted"), False),
        ({"status": "handed_over", "errorCode": True}, Progress(status="handed_over"), False),
        (
            {"status": "accepted", "waiting": {"until": "2026-11-30T00:01:00Z"}},
            Progress(status="accepted", turn="2026-11-30T00:01:00Z"),
            False,
        ),
        ({"status": "accepted", "waiting": {"until": "\x1b[2J"}}, Progress(status="accepted"), False),
        ({"status": "sent"}, Progress(status="sent"), True),
        ({"status": "failed", "errorCode": 131000}, Progress(status="failed", error_code=131000), True),
    ],
)
def test_how_far_it_has_come(document: dict[str, Any], expected: Progress, *, final: bool) -> None:
    """Sent and failed are the ends that matter to whoever sent it."""
    runner = Runner(document)

    found = client(runner).progress("3EB0")

    assert (expected, final) == (found, found.is_final)
    assert [("GET", "/v1/messages/3EB0", None, {})] == runner.asked


def test_a_refusal_has_the_runners_text_and_code() -> None:
    """What the Cloud API says, and the details, which say what to do."""
    with pytest.raises(MessageRefusedError, match=r"131026.*undeliverable: The number is not on WhatsApp") as caught:
        send(Runner(NOBODY, status=400))

    assert (400, 131026) == (caught.value.status, caught.value.code)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[" * 5000,
        [],
        {},
        {"messages": []},
        {"messages": ["3EB0"]},
        {"messages": [{"id": 7}]},
        {"messages": [{"id": "../state"}]},
        {"error": "no"},
        {"status": "\x1b[2J"},
        {"status": 7},
    ],
)
def test_what_is_no_answer_is_refused(document: Any) -> None:
    """Nothing of it reaches a path or a terminal."""
    with pytest.raises(MessageRefusedError):
        send(Runner(document))
    with pytest.raises(MessageRefusedError):
        client(Runner(document)).progress("3EB0")


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_any_error_is_read(document: Any) -> None:
    """Whatever it holds, and at most some of it is repeated."""
    with pytest.raises(MessageRefusedError) as caught:
        send(Runner({"error": document}, status=500))

    assert 500 == caught.value.status
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("identifier", ["", "1" * 14, "0" * 15, "../" * 5, f"{ID}\n"])
def test_only_an_id_is_taken_for_one(identifier: str) -> None:
    """It becomes a part of paths."""
    with pytest.raises(ValueError, match="15 digits"):
        MessagesClient(Runner({}), phone_number_id=identifier)
