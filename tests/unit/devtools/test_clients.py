"""The two ways our own code talks to an API server: a few requests with a certificate, and kubectl."""

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from session_devtools.api import Answer, ApiClient
from session_devtools.errors import CommandError
from session_devtools.kubectl import Kubectl


class Api(http.server.BaseHTTPRequestHandler):
    """Plays an API server: ready, or not found."""

    def do_GET(self) -> None:
        """Answer by the path."""
        status, body = (200, b'{"kind": "Node"}') if self.path == "/readyz" else (404, b"no such path")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


class Quiet(http.server.ThreadingHTTPServer):
    """A server that does not print what a client did wrong; the tests do that on purpose."""

    def handle_error(self, *_: object) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Files:
    """A server's and two users' certificates; the stranger's and his authority are others'."""

    folder: Path

    def __getitem__(self, name: str) -> Path:
        return self.folder / name


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Certificates of two authorities."""
    made = Files(tmp_path_factory.mktemp("certificates"))
    for authority, names in (("ca", ("127.0.0.1", "admin")), ("other-ca", ("stranger",))):
        issuer = trustme.CA()
        issuer.cert_pem.write_to_path(made[f"{authority}.crt"])
        for name in names:
            pair = issuer.issue_cert(name)
            pair.private_key_pem.write_to_path(made[f"{name}.key"])
            pair.cert_chain_pems[0].write_to_path(made[f"{name}.crt"])
    return made


@pytest.fixture
def port(files: Files) -> Iterator[int]:
    """A server that wants a client certificate of the first authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files["127.0.0.1.crt"], files["127.0.0.1.key"])
    context.load_verify_locations(files["ca.crt"])
    context.verify_mode = ssl.CERT_REQUIRED
    with Quiet(("127.0.0.1", 0), Api) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join(20)


def _client(files: Files, port: int, *, user: str = "admin", authority: str = "ca") -> ApiClient:
    return ApiClient(
        host="127.0.0.1",
        port=port,
        authority=files[f"{authority}.crt"],
        certificate=files[f"{user}.crt"],
        key=files[f"{user}.key"],
    )


def test_an_answer_carries_status_and_object(files: Files, port: int) -> None:
    """What the server said, as text and as an object."""
    answer = _client(files, port).get("/readyz")

    assert answer.ok
    assert answer.object() == {"kind": "Node"}


def test_a_refusal_is_an_answer(files: Files, port: int) -> None:
    """Who waits for something looks at it again later."""
    assert _client(files, port).get("/none") == Answer(404, "no such path")


def test_a_stranger_gets_no_answer(files: Files, port: int) -> None:
    """The certificate of another authority does not get through the handshake."""
    answer = _client(files, port, user="stranger").get("/readyz")

    assert not answer.ok
    assert answer.status == 0
    assert answer.text != ""


def test_an_impostor_is_not_believed(files: Files, port: int) -> None:
    """A server whose certificate is not of our authority is none."""
    answer = _client(files, port, authority="other-ca").get("/readyz")

    assert answer.status == 0
    assert "certificate" in answer.text.lower()


def test_a_server_that_is_not_there_is_no_error(files: Files) -> None:
    """It may be starting; the reason is in the text."""
    answer = _client(files, 1).get("/readyz", timeout=5)

    assert answer.status == 0
    assert "refused" in answer.text


@pytest.fixture
def kubectl(tmp_path: Path) -> Kubectl:
    """A program in kubectl's place that tells what it was given."""
    program = tmp_path / "kubectl"
    program.write_text(
        "#!/usr/bin/env python3\n"
        "import json, os, sys\n"
        "if sys.argv[1] == 'fail':\n"
        "    print('half an answer')\n"
        "    sys.exit('Error: no such thing')\n"
        "names = ('KUBECONFIG', 'KUBECACHEDIR')\n"
        "print(json.dumps([sys.argv[1:], sys.stdin.read(), {name: os.environ[name] for name in names}, len(os.environ)]))\n"
    )
    program.chmod(0o755)
    return Kubectl(program=program, kubeconfig=tmp_path / "config", cache=tmp_path / "cache")


def test_kubectl_is_given_words_input_and_cluster(kubectl: Kubectl, tmp_path: Path) -> None:
    """Its cache is the cluster's own: another cluster may stand at the same address tomorrow."""
    words, text, environment, _ = json.loads(kubectl("apply", "-f", "-", input="objects"))

    assert words == ["apply", "-f", "-"]
    assert text == "objects"
    assert environment == {"KUBECONFIG": str(tmp_path / "config"), "KUBECACHEDIR": str(tmp_path / "cache")}


def test_kubectl_does_not_see_the_persons_environment(kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of another cluster gets in."""
    before = json.loads(kubectl("get", input=""))[3]
    monkeypatch.setenv("KUBECTL_EXTERNAL_DIFF", "something")

    assert before == json.loads(kubectl("get", input=""))[3]


def test_a_failure_of_kubectl_is_an_error_with_all_it_said(kubectl: Kubectl) -> None:
    """Both streams: some commands answer on one and explain on the other."""
    with pytest.raises(CommandError) as caught:
        kubectl("fail")

    assert caught.value.returncode == 1
    assert caught.value.output == "half an answer\nError: no such thing\n"
    assert caught.value.output == kubectl("fail", check=False)
