"""The operator as a process of this machine, with the account and the rights of the manifests, on a light cluster.

The operator's integration tests and its benchmark start it by the same words and read the same log; how they wait for it
(among coroutines or not) is theirs.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from local_cluster.light import LightCluster
from session_devtools.installation.constants import CRDS, OPERATOR_ACCOUNT, OPERATOR_NAMESPACE
from support import log_schema

ROOT = Path(__file__).parents[2]
# Without the policy on labels: proofs have to hold where it is not, and tests make pods in our colours to see that.
MANIFESTS = (
    *(ROOT / f"crds/wasession.dev_whatsapp{kind}.yaml" for kind in ("sessions", "sessionquotas")),
    *(
        ROOT / f"manifests/base/operator/{name}.yaml"
        for name in (
            "namespace",
            "service-account",
            "cluster-role",
            "role",
            "policies/pod-fields",
            "policies/account",
        )
    ),
)

OPERATOR = ("-m", "whatsapp_operator")
BLOCKED = (str(ROOT / "tests/support/blocked_operator.py"),)


def install(cluster: LightCluster) -> None:
    """Apply CRDs, account and rights."""
    files = [argument for path in MANIFESTS for argument in ("--filename", str(path))]
    cluster.kubectl("apply", "--server-side", *files)
    cluster.kubectl.wait_established(*CRDS)


def operator_kubeconfig(cluster: LightCluster) -> Path:
    """Return credentials of the operator's account."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{OPERATOR_NAMESPACE}")
    return cluster.kubeconfig_for(OPERATOR_ACCOUNT, *groups)


def start(
    kubeconfig: Path, log: Path, *command: str, program: tuple[str, ...] = OPERATOR, **settings: str
) -> subprocess.Popen[bytes]:
    """Start one that writes to this log, whose name is its pod's; `settings` are variables, `command` another command."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(log.parent),
        "KUBECONFIG": str(kubeconfig),
        "RUNNER_IMAGE": "example.org/runner:1",
        "OPERATOR_NAMESPACE": OPERATOR_NAMESPACE,
        "POD_NAME": log.stem,
        "HTTP_ADDRESS": "127.0.0.1",
        "HTTP_PORT": "0",
        **settings,
    }
    arguments = [sys.executable, *program, *command]
    with log.open("wb") as output:
        return subprocess.Popen(arguments, env=environment, stderr=output, cwd=log.parent)


def worker(process: subprocess.Popen[bytes]) -> int:
    """Return the id of the process that works; the one that was started holds the Lease."""
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])


def log_faults(log: Path) -> list[str]:
    """Return what is wrong with the lines of its log; the last one may have been cut off when it was killed."""
    *lines, _unended = log.read_text(encoding="utf-8").split("\n")
    return log_schema.faults(lines)


def log_lines(log: Path) -> list[dict[str, Any]]:
    """What it has logged so far; a line that is being written has no end and is left out."""
    lines = log.read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
