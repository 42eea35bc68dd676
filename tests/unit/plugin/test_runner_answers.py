"""The runner's answers as the plugin reads them: right ones, wrong ones, none."""

import contextlib
import json
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kubectl_whatsapp.errors import PluginError, RunnerRefused, RunnerUnreachable
from kubectl_whatsapp.runner import QrCode, Runner, RunnerStatus


class OneAnswer:
    """A server that gives the bytes it was told to every request, whatever they are."""

    def __init__(self) -> None:
        self.answer = b""
        self.requests: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def json(self, value: object, *, status: str = "200 OK") -> None:
        """Answer with this JSON."""
        self.body(json.dumps(value).encode(), status=status)

    def body(self, body: bytes, *, status: str = "200 OK") -> None:
        """Answer with these bytes as the body."""
        self.answer = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    def close(self) -> None:
        """Stop it: the accept of a closed listener would hang, so a last connection wakes it."""
        self.answer = b""
        self._closing = True
        with socket.create_connection(("127.0.0.1", self.port)):
            self._thread.join()
        self._listener.close()

    _closing = False

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                if self._closing:
                    return
                received = b""
                while b"\r\n\r\n" not in received and (chunk := connection.recv(65536)):
                    received += chunk
                self.requests.append(received.decode())
                with contextlib.suppress(OSError):  # a reader that has enough
                    connection.sendall(self.answer)


@pytest.fixture(scope="module")
def server() -> Iterator[OneAnswer]:
    """The server of a module's tests."""
    made = OneAnswer()
    yield made
    made.close()


@pytest.fixture
def runner(server: OneAnswer) -> Runner:
    """The plugin's side of it."""
    return Runner(port=server.port, link_token="link-secret", state_token="state-secret")


def test_a_code(server: OneAnswer, runner: Runner) -> None:
    """Text, end and round come as the runner says them."""
    server.json({"text": "2@x", "issuedTime": "2026-11-22T14:00:00Z", "expiryTime": "2026-11-22T14:00:20Z", "round": 3})

    assert QrCode(text="2@x", expires=datetime(2026, 11, 22, 14, 0, 20, tzinfo=UTC), round=3) == runner.code()


def test_no_code(server: OneAnswer, runner: Runner) -> None:
    """Not found is no fault: there is none now."""
    server.json({"error": {"code": "NoQrCode", "message": "There is no QR code now."}}, status="404 Not Found")

    assert None is runner.code()


def test_a_state(server: OneAnswer, runner: Runner) -> None:
    """What the plugin does not need is left where it is."""
    server.json(
        {"revision": 7, "state": "QRPending", "reason": "WaitingForScan", "message": "", "since": "x", "new": 1}
    )

    assert RunnerStatus(revision=7, state="QRPending", reason="WaitingForScan", message="") == runner.status()


@pytest.mark.parametrize(
    ("ask", "line", "token"),
    [
        (lambda runner: runner.code(), "GET /v1/qr HTTP/1.1", "link-secret"),
        (lambda runner: runner.status(), "GET /v1/state HTTP/1.1", "state-secret"),
        (lambda runner: runner.status(after=7, wait=9.6), "GET /v1/state?after=7&wait=10 HTTP/1.1", "state-secret"),
    ],
)
def test_what_is_asked(
    server: OneAnswer, runner: Runner, ask: Callable[[Runner], object], line: str, token: str
) -> None:
    """Each question goes to its path with the token of its scope."""
    server.json({"text": "2@x", "state": "QRPending"})

    ask(runner)

    request = server.requests[-1].splitlines()
    assert line == request[0]
    assert f"Authorization: Bearer {token}" in request


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("401 Unauthorized", "the runner does not accept the token of the session's Secret"),
        ("403 Forbidden", "the runner does not accept the token of the session's Secret"),
        ("500 Internal Server Error", "the runner answered with status 500: x"),
        ("302 Found", "the runner answered with status 302: x"),
    ],
)
def test_refusals(server: OneAnswer, runner: Runner, status: str, expected: str) -> None:
    """A refusal is a sentence; a redirect is not followed, because a token goes to nobody else."""
    server.json({"error": {"code": "X", "message": "x"}}, status=status)

    with pytest.raises(RunnerRefused) as caught:
        runner.code()

    assert expected == str(caught.value)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"<html>", "the runner's answer is not JSON"),
        (b"[]", "the runner's answer is not a JSON object"),
        (b"\xff\xfe", "the runner's answer is not JSON"),
        (b'{"round": 1}', "the runner answered without a QR code's text: it may be of another version"),
        (b'{"text": ""}', "the runner answered without a QR code's text: it may be of another version"),
    ],
)
def test_codes_that_are_none(server: OneAnswer, runner: Runner, body: bytes, expected: str) -> None:
    """Whatever listens there may say anything: it is named as what it is."""
    server.body(body)

    with pytest.raises(RunnerRefused) as caught:
        runner.code()

    assert expected == str(caught.value)


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        ({"error": {"code": "BadRequest", "message": "wait is no number"}}, ": wait is no number"),
        ({"title": "Bad Request", "detail": "old", "error": {"code": "X", "message": "new"}}, ": new"),
        (
            {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "wait is no number"},
            ": wait is no number",
        ),
        ({"title": "Bad Request", "error": "as told"}, ": Bad Request"),
        ({"error": {"code": "BadRequest"}}, ": BadRequest"),
        ({"error": {"message": "\x1b[2J\r\nno\u202e"}}, r": \x1b[2J no\u202e"),
        ({"error": {"message": "x" * 5000}}, f": {'x' * 1023}…"),
        ({"error": {"message": 7}, "detail": None, "title": []}, ""),
        ([], ""),
    ],
)
def test_why_the_runner_refused(server: OneAnswer, runner: Runner, refusal: object, expected: str) -> None:
    """The error object that every version has, else the problem's own words; one printable line of it."""
    server.json(refusal, status="400 Bad Request")

    with pytest.raises(RunnerRefused) as caught:
        runner.status()

    assert f"the runner answered with status 400{expected}" == str(caught.value)


@pytest.mark.parametrize("text", ["2@\x1b[2J", "2@a\nb", "\u202e2@", "2@\ud800", "2@\x7f"])
def test_a_code_that_a_terminal_would_obey(server: OneAnswer, runner: Runner, text: str) -> None:
    """`-o text` gives the code out as it is, so that it is none unless it is printable."""
    server.json({"text": text})

    with pytest.raises(RunnerRefused, match="the runner answered without a QR code's text"):
        runner.code()


def test_an_answer_that_is_just_small_enough(server: OneAnswer, runner: Runner) -> None:
    """64 KiB with its head are read."""
    body = b'{"state": "Loading", "message": "' + b"x" * 65_000 + b'"}'
    server.body(body + b" " * (65_536 - len(body) - len("HTTP/1.1 200 OK\r\nContent-Length: 65490\r\n\r\n")))

    assert "Loading" == runner.status().state
    assert 65_536 == len(server.answer)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 70_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + b" " * 70_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 20_000,
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"x" * 1000) for i in range(90)) + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 4000,
    ],
    ids=["endless", "long", "chunked", "head", "continues"],
)
def test_an_answer_that_is_too_large(server: OneAnswer, runner: Runner, answer: bytes) -> None:
    """Over 64 KiB nothing is read, in whatever part of an answer they come."""
    server.answer = answer

    with pytest.raises(RunnerRefused, match="the runner's answer is larger than 64 KiB"):
        runner.status()


def test_an_answer_that_comes_byte_by_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is for the whole answer: one byte now and then does not make it longer."""
    monkeypatch.setattr("kubectl_whatsapp.runner.TIMEOUT", 0.5)
    over = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            while not over.wait(0.05):
                connection.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        with pytest.raises(RunnerUnreachable):
            Runner(port=listener.getsockname()[1], link_token="x", state_token="x").status()
        over.set()
        thread.join()


@pytest.mark.parametrize("body", [b"[" * 60_000, b'{"a":' * 10_000, b"1" * 5000])
def test_json_that_is_meant_to_break_the_reader(server: OneAnswer, runner: Runner, body: bytes) -> None:
    """Nested without end, or a number without end: no JSON, and no traceback."""
    server.body(body)

    with pytest.raises(RunnerRefused, match="the runner's answer is not JSON"):
        runner.status()


@pytest.mark.parametrize("value", [True, -1, 2**53, 1.5, "3", None])
def test_counts_that_are_none(server: OneAnswer, runner: Runner, value: object) -> None:
    """A round or a revision is a whole number that every JSON reader holds exactly; else it is not known."""
    server.json({"text": "2@x", "state": "Loading", "round": value, "revision": value})

    code = runner.code()
    assert code is not None
    assert (0, 0) == (code.round, runner.status().revision)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"SSH-2.0-OpenSSH\r\n"])
def test_answers_that_break_off(server: OneAnswer, runner: Runner, answer: bytes) -> None:
    """A connection that ends too early is silence: the pod may be ending."""
    server.answer = answer

    with pytest.raises(RunnerUnreachable):
        runner.code()


def test_nobody_listens() -> None:
    """A refused connection is silence too."""
    with pytest.raises(RunnerUnreachable):
        Runner(port=1, link_token="x", state_token="x").status()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(["text", "round", "expiryTime", "revision", "state", "reason", "message"]),
        st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.lists(st.integers(), max_size=2),
    )
)
def test_no_answer_is_too_odd(server: OneAnswer, runner: Runner, answer: dict[str, object]) -> None:
    """Any JSON object is an answer or an error of ours."""
    server.json(answer)

    for ask in (runner.code, runner.status):
        assert isinstance(outcome(ask), QrCode | RunnerStatus | PluginError)


def outcome(ask: Callable[[], object]) -> object:
    """What came of a question: the answer, or the error of ours, which never shows a token."""
    try:
        return ask()
    except PluginError as error:
        if "-secret" in str(error):
            raise
        return error


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
        b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" * 10_000,
        CHUNKED + b"1\r\n \r\n" * 50_000,
        CHUNKED + b"1;" + b"a=b;" * 50_000,
        CHUNKED + b"1\r\n \r\n0\r\n" + b"X: y\r\n" * 50_000,
        CHUNKED + b"FFFFFFFF\r\n" + b" " * 200_000,
        CHUNKED + b"-1\r\n \r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"Set-Cookie: a=b\r\n" * 20_000,
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000,
        b"HTTP/1.1 200 " + b"O" * 200_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b" " * 200_000,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 60_000,
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + b"x" * 200_000,
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"\x1b[2J" * 1000,
    ],
)
def test_an_answer_that_goes_on_and_on_is_refused(server: OneAnswer, runner: Runner, answer: bytes) -> None:
    """Wherever HTTP lets it: no more than 64 KB are read or held ready, and what is said about it is printable."""
    server.answer = answer
    tracemalloc.start()

    try:
        with pytest.raises(PluginError) as caught:
            runner.status()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert 2**20 > most
    assert str(caught.value).isprintable()
