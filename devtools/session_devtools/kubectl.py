"""kubectl with one cluster's kubeconfig, called from Python: by both kinds of cluster, the demo and the tests."""

import os
import subprocess
import time
from pathlib import Path

from session_devtools.errors import CommandError

__all__ = ["Kubectl"]


class Kubectl:
    """Calls kubectl; `cache` is where it keeps what it learned of the API's resources, which goes with the cluster."""

    def __init__(self, *, program: Path, kubeconfig: Path, cache: Path) -> None:
        self.program = program
        self.kubeconfig = kubeconfig
        self._cache = cache

    def __call__(self, *arguments: str, input: str | None = None, check: bool = True) -> str:  # noqa: A002
        """Run it and return its standard output.

        Raises CommandError for a failure; with check=False all that the failed call said is returned instead.
        """
        result = subprocess.run(
            [self.program, *arguments],
            input=input,
            capture_output=True,
            text=True,
            check=False,
            env=self.environment(),
        )
        if result.returncode == 0:
            return result.stdout
        said = result.stdout + result.stderr
        if check:
            raise CommandError(["kubectl", *arguments], result.returncode, said)
        return said

    def wait_established(self, *crds: str, within: float = 30) -> None:
        """Wait until the API server serves these CRDs, given by name; `within` is in seconds.

        Raises CommandError when it does not. `kubectl wait` alone fails at once on a CRD so new that it has no
        condition yet.
        """
        deadline = time.monotonic() + within
        command = ("wait", "--for=condition=Established", "--timeout=5s", *(f"crd/{name}" for name in crds))
        while True:
            try:
                self(*command)
            except CommandError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def environment(self) -> dict[str, str]:
        """The environment for a kubectl that a caller runs itself, a `port-forward` say."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECACHEDIR": str(self._cache),
        }
