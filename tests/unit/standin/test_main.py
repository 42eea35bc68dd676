"""`python -m standin` as a process: its certificates, its ports, its refusals and its end."""

import json
import os
import selectors
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from standin.__main__ import main

TESTS = Path(__file__).parents[2]
HOSTS = "web.standin.localhost,static.standin.localhost"


@pytest.fixture
def tls(tmp_path: Path) -> Path:
    """TLS files made by the command."""
    assert 0 == main(["certificates", "--out", str(tmp_path / "tls"), "--hosts", HOSTS])
    return tmp_path / "tls"


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """A token file with a newline at its end, as editors write it."""
    path = tmp_path / "token"
    path.write_text("secret\n")
    return path


@pytest.fixture
def process(tls: Path, token: Path) -> Iterator[subprocess.Popen[str]]:
    """The stand-in on free ports."""
    command = [sys.executable, "-m", "standin", "--https-port", "0", "--phone-port", "0"]
    with subprocess.Popen(
        [*command, "--mode", "modern", "--tls-dir", str(tls), "--token-file", str(token)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    ) as process:
        yield process
        process.kill()


def ports(process: subprocess.Popen[str]) -> tuple[int, int]:
    """Read the two ports from the line the process writes when it listens."""
    assert process.stderr is not None
    end = time.monotonic() + 20
    with selectors.DefaultSelector() as selector:
        selector.register(process.stderr, selectors.EVENT_READ)
        while selector.select(max(0, end - time.monotonic())):
            fields = process.stderr.readline().replace(",", "").split()
            if "port" in fields:
                https, phone = (int(fields[place + 1]) for place, field in enumerate(fields) if field == "port")
                return https, phone
    raise AssertionError("the process did not say where it listens")


def test_it_serves_and_ends_on_request(process: subprocess.Popen[str], tls: Path) -> None:
    """Both ports answer; SIGTERM ends it with status 0."""
    https, phone = ports(process)
    request = urllib.request.Request(
        f"http://127.0.0.1:{phone}/phone/devices", headers={"Authorization": "Bearer secret"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        assert {"devices": []} == json.load(response)
    context = ssl.create_default_context(cafile=tls / "ca.crt")
    context.check_hostname = False  # asked by address: not every resolver knows names under .localhost
    with urllib.request.urlopen(f"https://127.0.0.1:{https}/healthz", context=context, timeout=10) as response:
        assert b"ok\n" == response.read()
    process.send_signal(signal.SIGTERM)

    assert 0 == process.wait(timeout=10)


def test_a_missing_file_is_named(tmp_path: Path, tls: Path, token: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With the command that makes it."""
    status = main(["--tls-dir", str(tmp_path / "none"), "--token-file", str(token)])
    assert (2, True) == (status, "python -m standin certificates" in caplog.text)
    status = main(["--tls-dir", str(tls), "--token-file", str(tmp_path / "none")])

    assert 2 == status
    assert str(tmp_path / "none") in caplog.text


def test_an_empty_token_is_refused(tls: Path, token: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Else anybody's empty header would do."""
    token.write_text("\n")

    assert 2 == main(["--tls-dir", str(tls), "--token-file", str(token)])
    assert "empty" in caplog.text
