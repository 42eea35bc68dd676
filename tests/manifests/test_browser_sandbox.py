"""The component that brings Chromium's sandbox: its profile, and the one pod of ours that touches a node."""

import json
import subprocess
import sys
from typing import Any

import pytest
from manifests.rendering import MANIFESTS, documents, render_component
from whatsapp_operator.app.settings import Settings

PROFILE = MANIFESTS / "components/browser-sandbox/nodes/chromium-sandbox.json"
KEPT_SHUT = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000
""" CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC. """
WANTED = 0x10000000 | 0x20000000 | 0x40000000
""" CLONE_NEWUSER, NEWPID, NEWNET. """


@pytest.fixture(scope="module")
def profile() -> dict[str, Any]:
    """The profile as it is shipped."""
    found: dict[str, Any] = json.loads(PROFILE.read_text())
    return found


@pytest.fixture(scope="module")
def rendered() -> list[dict[str, Any]]:
    """The base with the component, as somebody's overlay has it."""
    images = [{"name": "whatsapp-operator", "newName": "registry.example/operator", "newTag": "7"}]
    return list(documents(render_component("components/browser-sandbox", images=images)))


def rules(profile: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the rules about one system call."""
    return [rule for rule in profile["syscalls"] if name in rule["names"]]


@pytest.mark.parametrize("call", ["clone", "unshare"])
def test_new_namespaces_are_those_of_the_sandbox(profile: dict[str, Any], call: str) -> None:
    """User, pid and network; with a bit of another kind the call is refused."""
    (rule,) = rules(profile, call)
    (argument,) = rule["args"]

    assert ("SCMP_ACT_ALLOW", 0, "SCMP_CMP_MASKED_EQ") == (rule["action"], argument["index"], argument["op"])
    assert (KEPT_SHUT, 0) == (argument["value"], argument.get("valueTwo", 0))
    assert 0 == argument["value"] & WANTED


def test_what_else_a_container_must_not_do_stays_refused(profile: dict[str, Any]) -> None:
    """What is not named is an error; mounts, other namespaces, modules, keys, io_uring are not named."""
    allowed = {name for rule in profile["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]}
    refused = {
        "mount",
        "umount2",
        "pivot_root",
        "setns",
        "bpf",
        "init_module",
        "keyctl",
        "add_key",
        "kexec_load",
        "reboot",
    }

    assert "SCMP_ACT_ERRNO" == profile["defaultAction"]
    assert set() == allowed & refused
    assert [] == [name for name in allowed if name.startswith("io_uring")]
    assert [{"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}] == rules(profile, "clone3")
    assert [{"names": ["chroot"], "action": "SCMP_ACT_ALLOW"}] == rules(profile, "chroot")


@pytest.mark.timeout(600)  # seconds: on a new machine the module is downloaded first
def test_it_is_made_from_the_containerd_that_is_pinned() -> None:
    """`make seccomp-profile` would write the same."""
    script = MANIFESTS.parent / "scripts/seccomp_profile.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)


def test_the_component_puts_it_where_the_operator_looks_for_it(rendered: list[dict[str, Any]]) -> None:
    """And switches the setting on, with the overlay's own image for everything."""
    pod = next(item for item in rendered if item["kind"] == "DaemonSet")["spec"]["template"]["spec"]
    (source,) = [volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume]
    (target,) = [volume["hostPath"]["path"] for volume in pod["volumes"] if "hostPath" in volume]
    (config,) = [item for item in rendered if item["kind"] == "ConfigMap"]
    operator = next(item for item in rendered if item["kind"] == "Deployment")["spec"]["template"]["spec"][
        "containers"
    ][0]
    images = {container["image"] for container in [*pod["initContainers"], *pod["containers"]]}
    place = Settings.model_fields["browser_seccomp_profile"].default

    assert (source, {PROFILE.name: PROFILE.read_text()}) == (config["metadata"]["name"], config["data"])
    assert f"/var/lib/kubelet/seccomp/{place}" == f"{target}/{PROFILE.name}"
    assert {"name": "BROWSER_SANDBOX", "value": "true"} in operator["env"]
    assert {"registry.example/operator:7"} == images


def test_the_pod_that_touches_the_node_can_do_no_more(rendered: list[dict[str, Any]]) -> None:
    """Root without a capability, one folder, no account, no network; in a namespace of its own."""
    (daemon_set,) = [item for item in rendered if item["kind"] == "DaemonSet"]
    pod = daemon_set["spec"]["template"]["spec"]
    where = daemon_set["metadata"]["namespace"]
    (namespace,) = [item for item in rendered if item["kind"] == "Namespace" and item["metadata"]["name"] == where]
    policies = [item for item in rendered if item["kind"] == "NetworkPolicy" and item["metadata"]["namespace"] == where]

    for container in [*pod["initContainers"], *pod["containers"]]:
        assert {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        } == container["securityContext"]
    assert not {"hostNetwork", "hostPID", "hostIPC", "serviceAccountName"}.intersection(pod)
    assert (False, {"type": "RuntimeDefault"}) == (
        pod["automountServiceAccountToken"],
        pod["securityContext"]["seccompProfile"],
    )
    assert [[mount["name"] for mount in container["volumeMounts"]] for container in pod["initContainers"]] == [
        ["profiles", "seccomp"]
    ]
    assert "volumeMounts" not in pod["containers"][0]
    assert "privileged" == namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
    assert [{"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}] == [policy["spec"] for policy in policies]
