"""The kubectl program, called from Python as a person would: by both kinds of cluster, the demo and the tests.

Everything that is done to a cluster goes through it (port-forward included), so it works wherever kubectl does and
tries no right that its caller lacks. Forwarding is the plugin's, which is installed alone.
"""

import contextlib
import functools
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from kubectl_whatsapp.errors import PluginError
from kubectl_whatsapp.kubectl import Kubectl as Forwarding

from session_devtools.errors import CommandError, ToolError
from session_devtools.waiting import wait_until

__all__ = ["Kubectl"]


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl for one cluster."""

    program: str
    flags: tuple[str, ...] = ()
    """What chooses the cluster, such as `--context=…`; put on every command, first of all."""
    environment: Mapping[str, str] | None = None
    """None: the person's own, with proxies, login plugins and the current context."""

    @classmethod
    def alone(cls, *, program: Path, kubeconfig: Path, cache: Path) -> Self:
        """Of a cluster of ours: no setting of another one gets in; `cache`, what it learned of the API, goes with it."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "KUBECONFIG": str(kubeconfig),
            "KUBECACHEDIR": str(cache),
        }
        return cls(program=str(program), environment=environment)

    def __call__(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002  the name subprocess gives it
        check: bool = True,
        timeout: float = 300.0,
    ) -> str:
        """Run it and return its standard output; `timeout` is in seconds.

        Raises CommandError for a failure; with check=False all that the failed call said is returned instead.
        """
        command, words = [self.program, *self.flags, *arguments], ["kubectl", *arguments]
        try:
            done = subprocess.run(
                command, input=input, env=self.environment, timeout=timeout, capture_output=True, text=True, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise CommandError(words, 124, f"it took over {timeout:.0f} s") from error
        if done.returncode == 0:
            return done.stdout
        if check:
            raise CommandError(words, done.returncode, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def get(self, kind: str, name: str, *, namespace: str | None = None) -> dict[str, Any] | None:
        """One object, or None when there is none."""
        place = [] if namespace is None else [f"--namespace={namespace}"]
        said = self("get", kind, name, *place, "--ignore-not-found", "--output=json")
        return dict(json.loads(said)) if said.strip() else None

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """Apply objects as a person would, by `kubectl apply -f -`."""
        self("apply", "--filename=-", input="\n---\n".join(json.dumps(item) for item in objects))

    def wait_established(self, *crds: str, within: float = 60.0) -> None:
        """Wait until the API server serves these CRDs, given by name; `within` is in seconds.

        Raises NotInTime. `kubectl wait` alone fails at once on a CRD so new that it has no condition yet, and
        Established is said a moment before every API server has the new kinds.
        """
        wait = ("wait", "--for=condition=Established", "--timeout=5s", *(f"crd/{name}" for name in crds))
        for command in (wait, ("get", ",".join(crds), "--all-namespaces")):
            ask = functools.partial(self, *command)
            wait_until("the API server serves the CRDs", ask, lambda _: True, within=within, not_yet=CommandError)

    @contextlib.contextmanager
    def forwarded(self, pod: str, port: int, *, namespace: str) -> Iterator[int]:
        """Forward a port of a pod; yields the local port.

        Raises ToolError with kubectl's words.
        """
        try:
            with Forwarding(program=self.program, flags=self.flags).forward(pod, port, namespace=namespace) as local:
                yield local
        except PluginError as error:
            raise ToolError(str(error)) from error
