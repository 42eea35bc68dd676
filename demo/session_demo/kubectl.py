"""The demo's only way to a cluster: the kubectl program, as a person would use it.

Everything goes through it (port-forward included), so the demo works wherever kubectl does and tries no right that
the person running it lacks. Reading and forwarding are the plugin's; what only the demo does is to change things.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kubectl_whatsapp.kubectl import Kubectl as Reader
from kubectl_whatsapp.kubectl import KubectlError

from session_demo.errors import CommandFailed


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl for one cluster."""

    program: str
    flags: tuple[str, ...] = ()
    """ What chooses the cluster, such as `--kubeconfig=…`; none: the current context. """

    def run(self, *arguments: str, stdin: str | None = None, timeout: float = 60) -> str:
        """Run it and return what it printed; raises CommandFailed with kubectl's own words."""
        command = [self.program, *self.flags, *arguments]
        try:
            done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired as error:
            raise CommandFailed(f"kubectl {' '.join(arguments)} took over {timeout:.0f} s") from error
        if done.returncode != 0:
            raise CommandFailed(f"kubectl {' '.join(arguments)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def get(self, kind: str, name: str, *, namespace: str | None = None) -> dict[str, Any] | None:
        """Return one object, or None when there is none."""
        try:
            found = self._reader.get(kind, name, namespace=namespace, missing_ok=True)
        except KubectlError as error:
            raise CommandFailed(str(error)) from error
        return found[0] if found else None

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """Apply objects as a person would, by `kubectl apply -f -`."""
        self.run("apply", "--filename=-", stdin="\n---\n".join(json.dumps(item) for item in objects))

    @contextmanager
    def forwarded(self, pod: str, port: int, *, namespace: str) -> Iterator[int]:
        """Forward a port of a pod; yields the local port."""
        try:
            with self._reader.forward(pod, port, namespace=namespace) as local:
                yield local
        except KubectlError as error:
            raise CommandFailed(str(error)) from error

    @property
    def _reader(self) -> Reader:
        return Reader(program=self.program, flags=self.flags)
