"""What the operator did with its rights, over the whole run; and what it could not do with a Secret that is not its."""

import base64
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from e2e.harness import ClusterHarness
from e2e.tenant import Tenant
from session_devtools.audit_log import Entry
from session_devtools.http_client import Client
from session_devtools.installation.constants import OPERATOR_ACCOUNT

PIN = "tr3asure"

ELSEWHERE = {"test_demo_current.py"}
""" Modules whose operator acts in another cluster. """
FOREIGN = "whose object of our name it is, when making ours meets one that was not listed (tests/integration, foreign)"
UNUSED = {
    ("pods", "get"): FOREIGN,
    ("persistentvolumeclaims", "get"): FOREIGN,
    ("services", "get"): FOREIGN,
    ("networkpolicies", "get"): FOREIGN,
    ("networkpolicies", "patch"): "what somebody changed is put back (tests/integration, network_policy)",
    ("whatsappsessions", "get"): "to look again after a status write met a newer version (tests/integration, people)",
    ("persistentvolumeclaims", "patch"): "a bigger size or another retention; the local volumes cannot grow",
    ("secrets", "update"): "rotating the key of the tokens, a command of its own (tests/integration, rights)",
    ("events", "patch"): "the count of an event that comes again; whether one does is the machine's pace",
}
""" Verbs that a whole run may do without, and why they are there. """


class Right(NamedTuple):
    """One verb on one resource."""

    resource: str
    verb: str


def _granted(e2e: ClusterHarness) -> Iterator[Right]:
    """The rules of the operator's two roles, as they are in the cluster."""
    role = e2e.kubectl.find("role", "whatsapp-operator", namespace="whatsapp-operator") or {}
    for rule in [*(e2e.kubectl.find("clusterrole", "whatsapp-operator") or {})["rules"], *role["rules"]]:
        for resource in rule["resources"]:
            for verb in rule["verbs"]:
                yield Right(resource, verb)


def _is_whole_run(request: pytest.FixtureRequest) -> bool:
    """Whether all other modules of this folder are part of this run."""
    folder = request.path.parent
    return {path.name for path in folder.glob("test_*.py")} - ELSEWHERE <= {
        item.path.name for item in request.session.items if item.path.parent == folder
    }


def test_no_request_was_refused(every_cluster: ClusterHarness) -> None:
    """Nobody told the operator that it may not, from its first request to its last."""
    requests = every_cluster.audit.requests(since=every_cluster.began)

    assert len(requests) > 100
    assert [] == [str(one) for one in requests if one.code in (401, 403)]


def test_each_verb_was_used_or_is_explained(e2e: ClusterHarness, request: pytest.FixtureRequest) -> None:
    """A right that nothing needs is a right too many; the list of exceptions names no right that there is not."""
    if not _is_whole_run(request):
        pytest.skip("only a run of all end-to-end tests uses all that the operator needs")
    used = {_right(one) for one in e2e.audit.requests(since=e2e.began)}
    granted = set(_granted(e2e))

    assert set() == granted - used - {Right(*each) for each in UNUSED}
    assert set() == {Right(*each) for each in UNUSED} - granted


def _right(entry: Entry) -> Right:
    return Right(entry.resource, entry.verb)


class Request(NamedTuple):
    """One request about Secrets, below the namespace's path."""

    method: str
    path: str
    body: bool = False
    content: str = "application/json"
    accept: str = "application/json"


ONE, ALL = "/secrets/bank", "/secrets"
REQUESTS = {
    "get": Request("GET", ONE),
    "get metadata": Request("GET", ONE, accept="application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"),
    "list": Request("GET", ALL),
    "list by name": Request("GET", f"{ALL}?fieldSelector=metadata.name%3Dbank"),
    "watch": Request("GET", f"{ALL}?watch=true&timeoutSeconds=2"),
    "merge patch": Request("PATCH", ONE, body=True, content="application/merge-patch+json"),
    "strategic patch": Request("PATCH", ONE, body=True, content="application/strategic-merge-patch+json"),
    "server-side apply": Request(
        "PATCH", f"{ONE}?fieldManager=test&force=true", body=True, content="application/apply-patch+yaml"
    ),
    "apply a dry run": Request(
        "PATCH", f"{ONE}?fieldManager=test&dryRun=All", body=True, content="application/apply-patch+yaml"
    ),
    "update": Request("PUT", ONE, body=True),
    "create": Request("POST", ALL, body=True),
    "create a dry run": Request("POST", f"{ALL}?dryRun=All", body=True),
    "delete": Request("DELETE", ONE),
    "delete a dry run": Request("DELETE", f"{ONE}?dryRun=All"),
    "deletecollection": Request("DELETE", ALL),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_no_verb_on_secrets_gives_a_foreign_one_away(as_operator: str, bank: Tenant, name: str) -> None:
    """With the operator's account, on the real API server: refused, not a byte of it told, and it is as it was."""
    attempt = REQUESTS[name]
    mine = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bank"}, "stringData": {"pin": "0000"}}

    answer = Client(as_operator).request(
        f"/api/v1/namespaces/{bank.namespace}{attempt.path}",
        method=attempt.method,
        body=mine if attempt.body else None,
        headers={"Content-Type": attempt.content, "Accept": attempt.accept},
        timeout=30,
    )

    refusal = "may write and delete only what it makes" if attempt.method == "POST" else OPERATOR_ACCOUNT
    assert (403, True) == (answer.status, refusal in answer.text), answer.text
    assert PIN not in answer.text
    assert _encoded(PIN) not in answer.text
    assert {"pin": _encoded(PIN)} == (bank.get("secret", "bank") or {})["data"]


@pytest.fixture(scope="module")
def as_operator(e2e: ClusterHarness) -> Iterator[str]:
    """The API server's address for requests that are taken for the operator's."""
    command = [*e2e.kubectl.command, f"--as={OPERATOR_ACCOUNT}", "proxy", "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
        try:
            assert proxy.stdout is not None
            yield f"http://{proxy.stdout.readline().split()[-1]}"
        finally:
            proxy.terminate()


@pytest.fixture(scope="module")
def bank(e2e: ClusterHarness) -> Iterator[Tenant]:
    """A namespace with a Secret that is none of the operator's business."""
    tenant = Tenant.make(e2e.kubectl, e2e.phone)
    tenant.run("create", "secret", "generic", "bank", f"--from-literal=pin={PIN}")
    yield tenant
    tenant.close()


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
