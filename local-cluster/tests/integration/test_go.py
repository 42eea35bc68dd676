"""The Go code of the cluster's programs: formatted, vetted, and its own tests passed."""

import os
import subprocess
from pathlib import Path

import pytest
from local_cluster.build.versions import GO_MODULES
from session_devtools.build.toolchain import find_go
from session_devtools.progress import ConsoleProgress

pytestmark = pytest.mark.timeout(900)  # seconds: from a cold cache it compiles client-go first

MODULE = GO_MODULES / "kube"
OURS = "./provisioner/..."  # the main package beside it imports all of Kubernetes, and is a table


def go(*arguments: str, module: Path = MODULE) -> str:
    """What Go says of a module, on either output; it may fail."""
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOFLAGS": "-mod=readonly",
    }
    command = [str(find_go(progress=ConsoleProgress())), *arguments]
    done = subprocess.run(command, cwd=module, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr + (f"status {done.returncode}" if done.returncode else "")


@pytest.mark.parametrize("module", ["kube", "network-policies", "pause"])
def test_it_is_formatted(module: str) -> None:
    """Gofmt names no file."""
    assert go("run", "cmd/gofmt", "-l", ".", module=GO_MODULES / module) == ""


def test_it_is_vetted() -> None:
    """The suspicious constructs that Go's own checker knows."""
    assert go("vet", OURS) == ""


def test_its_own_tests_pass() -> None:
    """The provisioner's pure parts, and what it does on a disk without mounting."""
    assert go("test", OURS).splitlines()[-1].startswith("ok")
