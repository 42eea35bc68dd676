"""The plugin's kubectl, for programs: both kinds of cluster, the demo, the benchmarks and the tests.

Everything that is done to a cluster goes through it (port-forward included), so it works wherever kubectl does and
tries no right that its caller lacks. The plugin is installed alone, so the class is the plugin's; here its faults join
the one family of the tools, and what only programs ask for is added.
"""

import contextlib
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import kubectl_whatsapp.kubectl as plugin
from kubectl_whatsapp.kubectl_errors import KubectlError, KubectlFailed, KubectlSlow

from session_devtools.errors import CommandError, ToolError
from session_devtools.waiting import wait_until

__all__ = ["Kubectl"]


@dataclass(frozen=True, kw_only=True)
class Kubectl(plugin.Kubectl):
    """kubectl for one cluster."""

    timeout: float | None = 300.0

    @classmethod
    def isolated(cls, *, program: Path, kubeconfig: Path, cache: Path) -> Self:
        """Of a cluster of ours: no setting of another one gets in; `cache`, what it learned of the API, goes with it."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "KUBECONFIG": str(kubeconfig),
            "KUBECACHEDIR": str(cache),
        }
        return cls(program=program, environment=environment)

    def __call__(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002  the name subprocess gives it
        check: bool = True,
        timeout: float | None = None,
    ) -> str:
        """Run it and return its standard output; `timeout` is in seconds.

        :raises CommandError: for a failure.

        with check=False all that the failed call said is returned instead.
        """
        try:
            return super().__call__(*arguments, input=input, check=check, timeout=timeout)
        except KubectlFailed as error:
            raise CommandError(["kubectl", *arguments], error.status, error.output) from error
        except KubectlSlow as error:
            raise CommandError(["kubectl", *arguments], 124, str(error)) from error

    @contextlib.contextmanager
    def forward(self, pod: str, port: int, *, namespace: str) -> Iterator[int]:
        """Forward a port of a pod; yields the local port.

        :raises ToolError: it could not be done, with kubectl's words.
        """
        try:
            with super().forward(pod, port, namespace=namespace) as local:
                yield local
        except KubectlError as error:
            raise ToolError(str(error)) from error

    def wait_established(self, *crds: str, within: float = 60.0) -> None:
        """Wait until the API server serves these CRDs, given by name; `within` is in seconds.

        :raises WaitTimeout: the time is over.

        `kubectl wait` alone fails at once on a CRD so new that it has no condition yet, and
        Established is said a moment before every API server has the new kinds.
        """
        wait = ("wait", "--for=condition=Established", "--timeout=5s", *(f"crd/{name}" for name in crds))
        for command in (wait, ("get", ",".join(crds), "--all-namespaces")):
            ask = functools.partial(self, *command)
            wait_until("the API server serves the CRDs", ask, lambda _: True, within=within, retry_on=CommandError)
