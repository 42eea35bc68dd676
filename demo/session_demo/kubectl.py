"""The demo's only way to a cluster: the kubectl program, as a person would use it.

Everything goes through it (port-forward included), so the demo works wherever kubectl does and tries no right that
the person running it lacks.
"""

from __future__ import annotations

import json
import re
import selectors
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from session_demo.errors import CommandFailed

_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl for one cluster. `kubeconfig` None: kubectl's own choice, that is the current context."""

    program: Path
    kubeconfig: Path | None = None

    def command(self, *arguments: str) -> list[str]:
        """Build the whole command line."""
        chosen = [] if self.kubeconfig is None else [f"--kubeconfig={self.kubeconfig}"]
        return [str(self.program), *chosen, *arguments]

    def run(self, *arguments: str, stdin: str | None = None, timeout: float = 60) -> str:
        """Run it and return what it printed; raises CommandFailed with kubectl's own words."""
        try:
            done = subprocess.run(
                self.command(*arguments), input=stdin, capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise CommandFailed(f"kubectl {' '.join(arguments)} took over {timeout:.0f} s") from error
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()
            raise CommandFailed(f"kubectl {' '.join(arguments)}: {said}")
        return done.stdout

    def get(self, kind: str, name: str, *, namespace: str | None = None) -> dict[str, Any] | None:
        """Return one object, or None when there is none."""
        return self._get(kind, name, namespace=namespace)

    def list(self, kind: str, *, namespace: str | None = None, selector: str | None = None) -> list[dict[str, Any]]:
        """Return all objects of a kind in a namespace."""
        chosen = [] if selector is None else ["--selector", selector]
        found = self._get(kind, *chosen, namespace=namespace)
        return [] if found is None else list(found["items"])

    def _get(self, *arguments: str, namespace: str | None) -> dict[str, Any] | None:
        where = [] if namespace is None else ["--namespace", namespace]
        printed = self.run("get", *arguments, *where, "--output=json", "--ignore-not-found")
        if not printed.strip():
            return None
        answer: dict[str, Any] = json.loads(printed)
        return answer

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """Apply objects as a person would, by `kubectl apply -f -`."""
        self.run("apply", "--filename=-", stdin="\n---\n".join(json.dumps(item) for item in objects))

    @contextmanager
    def forwarded(self, target: str, port: int, *, namespace: str, within: float = 20) -> Iterator[int]:
        """Forward a port of a pod or Service; yields the local port. The forwarder is ended by its own handle."""
        command = self.command("port-forward", f"--namespace={namespace}", target, f":{port}")
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as forwarder:
            try:
                yield _local_port(forwarder, within=within)
            finally:
                forwarder.terminate()
                forwarder.wait(timeout=10)


def _local_port(forwarder: subprocess.Popen[str], *, within: float) -> int:
    """Wait for the line that names the port; kubectl's fault, when it ends before, is the error's text."""
    out, err = forwarder.stdout, forwarder.stderr
    if out is None or err is None:
        raise CommandFailed("kubectl port-forward was started without pipes")
    deadline = time.monotonic() + within
    with selectors.DefaultSelector() as waiting:
        waiting.register(out, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            if not waiting.select(timeout=0.1):
                if forwarder.poll() is not None:
                    break
                continue
            line = out.readline()
            if found := _FORWARDING.search(line):
                return int(found.group(1))
            if not line:
                break
    forwarder.terminate()
    raise CommandFailed(f"kubectl port-forward: {err.read().strip() or 'no answer'}")


def find_program(candidates: Sequence[Path]) -> Path:
    """Return the first kubectl that is there; says what to do when none is."""
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise CommandFailed("kubectl is missing: install it, or run `make cluster-up`, which builds one")
