"""kubectl with one cluster's kubeconfig, called from Python: by both kinds of cluster, the demo and the tests."""

import os
import subprocess
from pathlib import Path

from local_cluster.errors import CommandError

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

    def environment(self) -> dict[str, str]:
        """The environment for a kubectl that a caller runs itself, a `port-forward` say."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECACHEDIR": str(self._cache),
        }
