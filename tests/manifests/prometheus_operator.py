"""The CRDs of the real Prometheus operator, which come with its Go module as it is published.

The newest one of the module that can be had through Go's ordinary means; its checksum is ours to verify, so that no
database of checksums needs to be reached.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from session_devtools.build.toolchain import find_go
from session_devtools.progress import ConsoleProgress

__all__ = ["KINDS", "crds"]

MODULE: Final = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
SUM: Final = "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s="
KINDS: Final = ("podmonitors", "prometheusrules")


def crds() -> list[Path]:
    """Return the files, one for each kind of which we ship an object; downloaded first when nobody has."""
    progress = ConsoleProgress()
    command = [str(find_go(progress=progress)), "mod", "download", "-json", MODULE]
    environment = {**os.environ, "GOSUMDB": "off", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
    with progress.step("the CRDs of the Prometheus operator"), tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
    answer = json.loads(done.stdout)
    assert SUM == answer.get("Sum"), answer
    return [Path(answer["Dir"], f"example/prometheus-operator-crd/monitoring.coreos.com_{kind}.yaml") for kind in KINDS]
