"""Light mode with real programs: authentication, rights, the audit log, controllers, and nothing left behind."""

import dataclasses
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cluster.support import INTERRUPTIBLE
from local_cluster.light import LightCluster, Programs
from session_devtools.errors import CommandError, StartError
from session_devtools.http_client import Client
from session_devtools.processes import identify
from session_devtools.waiting import wait_until

MakeNamespace = Callable[[LightCluster], str]
READY_BUDGET = 20.0  # seconds; it takes about three on an idle machine, and tests share theirs


def _get(cluster: LightCluster, path: str, *, user: str | None = None) -> int:
    own, key = (None, None) if user is None else cluster.client_cert_for(user)
    return Client(cluster.url, ca_file=cluster.ca_file, certificate=own, key=key).request(path).status


def _audit(cluster: LightCluster, *, user: str) -> list[dict[str, object]]:
    events = [json.loads(line) for line in cluster.audit_log.read_text().splitlines()]
    return [event for event in events if event["user"].get("username") == user]


def _script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)
    return path


def test_it_is_ready_in_seconds_and_leaves_nothing(light_programs: Programs, tmp_path: Path) -> None:
    """A start and a stop: no process, no file, within the budget."""
    begin = time.monotonic()
    with LightCluster.start(programs=light_programs, parent_folder=tmp_path) as cluster:
        took = time.monotonic() - begin
        pids = cluster.pids()

    assert took < READY_BUDGET
    assert sorted(pids) == ["etcd", "kube-apiserver"]
    assert [identify(pid) for pid in pids.values()] == [None, None]
    assert list(tmp_path.iterdir()) == []


def test_two_stand_side_by_side(light_cluster: LightCluster, light_programs: Programs, tmp_path: Path) -> None:
    """What is made in one is not seen in the other."""
    with LightCluster.start(programs=light_programs, parent_folder=tmp_path) as other:
        other.kubectl("create", "namespace", "only-here")

        assert light_cluster.url != other.url
        assert "only-here" in other.kubectl("get", "namespaces")
        assert "only-here" not in light_cluster.kubectl("get", "namespaces")


def test_nobody_is_anonymous(light_cluster: LightCluster) -> None:
    """Without a certificate not even the health paths answer."""
    assert [_get(light_cluster, path) for path in ("/readyz", "/api", "/version")] == [401, 401, 401]


def test_a_user_has_the_rights_that_roles_give(light_cluster: LightCluster, make_namespace: MakeNamespace) -> None:
    """RBAC is on: refused before the binding, let in after it."""
    namespace = make_namespace(light_cluster)
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    before = _get(light_cluster, path, user="jane")
    light_cluster.kubectl("-n", namespace, "create", "role", "reader", "--verb=list", "--resource=configmaps")
    light_cluster.kubectl("-n", namespace, "create", "rolebinding", "jane", "--role=reader", "--user=jane")

    assert before == 403
    # The authorizer hears of the binding through its watch.
    wait_until(
        "jane is let in", lambda: _get(light_cluster, path, user="jane"), lambda status: status == 200, within=20
    )


def test_a_kubeconfig_carries_user_and_groups(light_cluster: LightCluster) -> None:
    """What the API server sees is what was asked for."""
    config = light_cluster.kubeconfig_for("jane", "devs")
    answer = json.loads(light_cluster.kubectl("--kubeconfig", str(config), "auth", "whoami", "-o", "json"))

    assert answer["status"]["userInfo"]["username"] == "jane"
    assert "devs" in answer["status"]["userInfo"]["groups"]


def test_every_request_is_in_the_audit_log(light_cluster: LightCluster) -> None:
    """With its user, its program and its answer, once the answer is there: a test can count."""
    _get(light_cluster, "/api/v1/nodes", user="counted-once")

    (event,) = _audit(light_cluster, user="counted-once")
    assert event["verb"] == "list"
    assert "python-urllib3" in str(event["userAgent"])
    assert event["responseStatus"] == {**dict(event["responseStatus"]), "code": 403}  # type: ignore[call-overload]
    assert "requestObject" not in event


def test_etcd_answers_nobody_without_its_own_certificate(light_cluster: LightCluster) -> None:
    """Neither no certificate nor that of the cluster's administrator opens it."""
    command = Path(f"/proc/{light_cluster.pids()['etcd']}/cmdline").read_text().split("\0")
    url = next(argument for argument in command if argument.startswith("--listen-client-urls=")).partition("=")[2]
    trust = light_cluster.folder / "pki" / "etcd" / "ca.crt"

    for certificate in (None, light_cluster.client_cert_for("admin", "system:masters")):
        own, key = certificate or (None, None)
        answer = Client(url, ca_file=trust, certificate=own, key=key).request("/version")
        assert answer.status == 0
        assert re.search("ssl|reset", answer.text, re.IGNORECASE)


def test_pods_can_be_made_without_controllers(light_cluster: LightCluster, make_namespace: MakeNamespace) -> None:
    """A test that plays kubelet needs no account for its pods."""
    namespace = make_namespace(light_cluster)
    light_cluster.kubectl("-n", namespace, "run", "one", "--image=none", "--restart=Never")

    assert "one" in light_cluster.kubectl("-n", namespace, "get", "pods", "-o", "name")


def test_a_failure_of_kubectl_carries_its_output(light_cluster: LightCluster) -> None:
    """As an error, or as text for a test that expects it."""
    with pytest.raises(CommandError, match="NotFound"):
        light_cluster.kubectl("get", "namespace", "no-such")
    assert "NotFound" in light_cluster.kubectl("get", "namespace", "no-such", check=False)


def test_controllers_collect_what_lost_its_owner(
    light_cluster_with_controllers: LightCluster, make_namespace: MakeNamespace
) -> None:
    """The garbage collector runs: an owned object goes with its owner."""
    cluster = light_cluster_with_controllers
    namespace = make_namespace(cluster)
    cluster.kubectl("-n", namespace, "create", "configmap", "owner")
    uid = cluster.kubectl("-n", namespace, "get", "configmap", "owner", "-o", "jsonpath={.metadata.uid}")
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    owned = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "owned", "namespace": namespace, "ownerReferences": [reference]},
    }
    cluster.kubectl("apply", "-f", "-", input=json.dumps(owned))
    cluster.kubectl("-n", namespace, "delete", "configmap", "owner")
    cluster.kubectl("-n", namespace, "wait", "--for=delete", "configmap/owned", "--timeout=20s")

    assert "owned" not in cluster.kubectl("-n", namespace, "get", "configmaps", "-o", "name")


def test_an_interrupted_pytest_leaves_nothing(light_programs: Programs, tmp_path: Path) -> None:
    """A Ctrl-C in the middle of a test that uses the fixture ends its processes, and removes its files."""
    (tmp_path / "test_it.py").write_text(
        "import json, os, pathlib, signal\n"
        "def test_it(light_cluster):\n"
        "    pathlib.Path('pids').write_text(json.dumps(light_cluster.pids()))\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
    )
    arguments = ["-m", "pytest", "-q", "-p", "local_cluster.testing", "--basetemp", "base", "test_it.py"]
    command = [*INTERRUPTIBLE, sys.executable, *arguments]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False)
    pids = json.loads((tmp_path / "pids").read_text())

    assert result.returncode == pytest.ExitCode.INTERRUPTED
    assert [identify(pid) for pid in pids.values()] == [None, None]
    assert list(tmp_path.rglob("light-cluster-*")) == []
    assert light_programs.etcd.exists()


def test_a_program_that_ends_at_once_is_reported_with_its_log(light_programs: Programs, tmp_path: Path) -> None:
    """The person sees the program's own words, and no folder is left."""
    broken = _script(tmp_path / "broken", "echo cannot work like this >&2\nexit 3\n")
    programs = dataclasses.replace(light_programs, etcd=broken, api_server=broken)
    data = tmp_path / "data"
    data.mkdir()

    with pytest.raises(StartError, match=r"(?s)ended with status 3.*cannot work like this"):
        LightCluster.start(programs=programs, parent_folder=data)
    assert list(data.iterdir()) == []


def test_taken_ports_lead_to_another_try(light_programs: Programs, tmp_path: Path) -> None:
    """Two test processes that drew one port both get a cluster: the loser starts anew, three times at most."""
    etcd = _script(tmp_path / "etcd", f"echo x >> {tmp_path}/tries\necho bind: address already in use\nexit 1\n")
    api_server = _script(tmp_path / "kube-apiserver", "exec sleep 60\n")
    programs = dataclasses.replace(light_programs, etcd=etcd, api_server=api_server)

    with pytest.raises(StartError, match="address already in use"):
        LightCluster.start(programs=programs, parent_folder=tmp_path)
    assert (tmp_path / "tries").read_text() == "x\n" * 3
