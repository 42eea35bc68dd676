"""The documented ways to verify a delivery, run as they stand in the page, on what the runner sends; and what it sends."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from session_runner.messages.cloud_events import Account, Wanted, cloud_body
from session_runner.webhooks.signing import cloud_api_headers, standard_headers
from support.events import read_event
from unit.runner.webhooks.receivers import SECRET

PAGE = (Path(__file__).parents[4] / "docs/webhooks.md").read_text()
BODY = b'{"text": "caf\xc3\xa9"}'


def example(language: str) -> str:
    """The page's code in one language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def sent() -> tuple[dict[str, str], dict[str, str]]:
    """The headers of the two formats."""
    now = int(time.time())
    return cloud_api_headers("abc", BODY), standard_headers(SECRET, identifier="evt-1", timestamp=now, body=BODY)


def test_bodies() -> None:
    """The page's events are written by the runner as they stand there, and make the page's bodies in the Cloud API's form."""
    shown = [json.loads(found) for found in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    clouds = [body for body in shown if "object" in body]
    standards = [body for body in shown if "object" not in body]
    events = [read_event(json.dumps(body).encode()) for body in standards]
    account = Account(phone_number_id="104000000000001", digits="15550100000")

    assert standards == [json.loads(event.body()) for event in events]
    assert clouds == [
        json.loads(cloud_body(event, account, Wanted()) or b"") for event in events if event.type in {"message", "call"}
    ]


def test_python() -> None:
    """Both formats; neither takes other bytes, another secret or an old delivery."""
    made: dict[str, Any] = {}
    exec(compile(example("python"), "docs/webhooks.md", "exec"), made)
    cloud, standard = sent()
    old = standard_headers(SECRET, identifier="evt-1", timestamp=int(time.time()) - 3600, body=BODY)

    assert [True, False, False, False] == [
        made["is_from_cloud_api"](*given)
        for given in ((BODY, cloud, "abc"), (BODY + b" ", cloud, "abc"), (BODY, cloud, "abd"), (BODY, {}, "abc"))
    ]
    assert [True, False, False] == [
        made["is_from_standard"](*given)
        for given in ((BODY, standard, SECRET), (BODY + b" ", standard, SECRET), (BODY, old, SECRET))
    ]


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_javascript() -> None:
    """The same."""
    cloud, standard = ({name.lower(): value for name, value in headers.items()} for headers in sent())
    given = json.dumps([BODY.decode(), cloud, "abc", standard, SECRET])
    script = example("javascript") + (
        f"\nconst [text, cloud, secret, standard, key] = {given};"
        "\nconst body = Buffer.from(text), other = Buffer.from(text + ' ');"
        "\nconsole.log(JSON.stringify([isFromCloudApi(body, cloud, secret), isFromCloudApi(other, cloud, secret),"
        " isFromStandard(body, standard, key), isFromStandard(other, standard, key)]));"
    )
    ended = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True, timeout=30)

    assert [True, False, True, False] == json.loads(ended.stdout)


GO = """package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	var given struct {
		Body, CloudSecret, StandardSecret string
		Cloud, Standard                   map[string]string
	}
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		panic(err)
	}
	headers := func(of map[string]string) http.Header {
		made := http.Header{}
		for name, value := range of {
			made.Set(name, value)
		}
		return made
	}
	body, other := []byte(given.Body), []byte(given.Body+" ")
	cloud, standard := headers(given.Cloud), headers(given.Standard)
	json.NewEncoder(os.Stdout).Encode([]bool{
		isFromCloudAPI(body, cloud, given.CloudSecret), isFromCloudAPI(other, cloud, given.CloudSecret),
		isFromStandard(body, standard, given.StandardSecret), isFromStandard(other, standard, given.StandardSecret),
	})
}

"""


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(shutil.which("go") is None, reason="needs Go")
def test_go(tmp_path: Path) -> None:
    """The same; the page's code needs no more than Go's own library."""
    cloud, standard = sent()
    given = {
        "Body": BODY.decode(),
        "Cloud": cloud,
        "CloudSecret": "abc",
        "Standard": standard,
        "StandardSecret": SECRET,
    }
    (tmp_path / "main.go").write_text(GO + example("go"))
    alone = {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "-mod=mod", "GO111MODULE": "off"}
    ended = subprocess.run(
        ["go", "run", "main.go"],
        cwd=tmp_path,
        env={**os.environ, **alone},
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )

    assert "" == ended.stderr
    assert [True, False, True, False] == json.loads(ended.stdout)
