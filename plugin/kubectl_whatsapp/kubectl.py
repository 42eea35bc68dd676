"""The only way to the cluster: the kubectl program, with the person's own configuration, rights and login plugins.

The commands call `Kubectl.get` and `Kubectl.forward`. What kubectl says on a fault is turned into the error that the
commands handle; its own words stay in the text.
"""

from __future__ import annotations

import json
import queue
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from kubectl_whatsapp.errors import ApiMissing, Forbidden, ForwardFailed, KubectlFailed, KubectlMissing, NotFound

__all__ = ["Kubectl", "find_kubectl"]

FORWARDING = "Forwarding from 127.0.0.1:"
LOG_LINE = re.compile(r"[EFIW]\d{4} \d\d:\d\d:\d\d")
NO_CLUSTER = "connection to the server localhost:8080 was refused"
""" Where kubectl turns to when it has no configuration at all. """
FORWARD_DEADLINE = 15.0
""" Seconds until the local port must be open. """


def find_kubectl(*, search_path: str | None = None) -> str:
    """Return the kubectl program of the PATH.

    Raises KubectlMissing.
    """
    found = shutil.which("kubectl", path=search_path)
    if found is None:
        raise KubectlMissing("kubectl is not on the PATH: this plugin talks to the cluster through it alone")
    return found


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl with the flags that choose cluster and person."""

    program: str
    flags: tuple[str, ...] = ()
    """ Such as `--context=blue`; put on every command. """

    def get(
        self, kind: str, *names: str, namespace: str | None = None, everywhere: bool = False, missing_ok: bool = False
    ) -> list[dict[str, Any]]:
        """Return objects: those named, or all of the kind; no namespace means the one of the person's context.

        Raises NotFound (unless `missing_ok`), Forbidden, ApiMissing, KubectlFailed.
        """
        place = ["--all-namespaces"] if everywhere else [] if namespace is None else [f"--namespace={namespace}"]
        ignore = ["--ignore-not-found"] if missing_ok else []
        done = subprocess.run(
            [self.program, *self.flags, "get", kind, *names, *place, *ignore, "--output=json"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise _fault(done.stderr)
        if not done.stdout.strip():
            return []
        answer: dict[str, Any] = json.loads(done.stdout)
        return list(answer["items"]) if answer.get("kind", "").endswith("List") else [answer]

    @contextmanager
    def forward(self, pod: str, port: int, *, namespace: str) -> Iterator[int]:
        """Forward a port of a pod to this machine's loopback; yields the local port, and ends the forwarding.

        Raises ForwardFailed, Forbidden, NotFound.
        """
        command = [self.program, *self.flags, "port-forward", f"--namespace={namespace}", "--address=127.0.0.1"]
        # A file and not a pipe for its complaints: nobody reads along, and a full pipe would stop it.
        with (
            tempfile.TemporaryFile("w+") as complaints,
            subprocess.Popen(
                [*command, f"pod/{pod}", f":{port}"], stdout=subprocess.PIPE, stderr=complaints, text=True
            ) as process,
        ):
            ports: queue.SimpleQueue[int | None] = queue.SimpleQueue()
            reader = threading.Thread(target=_listen, args=(process.stdout, ports), daemon=True)
            reader.start()
            try:
                yield _opened(process, ports, complaints)
            finally:
                process.terminate()
                try:
                    process.wait(timeout=5)
                except subprocess.TimeoutExpired:
                    process.kill()
                reader.join()


def _listen(output: IO[str], ports: queue.SimpleQueue[int | None]) -> None:
    """Read all that kubectl says, so that it never blocks: the local port first, then a line per connection."""
    for line in output:
        if line.startswith(FORWARDING):
            ports.put(int(line.removeprefix(FORWARDING).split(" ")[0]))
    ports.put(None)


def _opened(process: subprocess.Popen[str], ports: queue.SimpleQueue[int | None], complaints: IO[str]) -> int:
    """Wait until the local port is open."""
    try:
        port = ports.get(timeout=FORWARD_DEADLINE)
    except queue.Empty:
        raise ForwardFailed(f"kubectl port-forward opened no port within {FORWARD_DEADLINE:.0f} s") from None
    if port is not None:
        return port
    process.wait()
    complaints.seek(0)
    fault = _fault(complaints.read())
    if isinstance(fault, NotFound | Forbidden):
        raise fault
    raise ForwardFailed(f"kubectl port-forward: {fault}")


def _fault(said: str) -> KubectlFailed:
    """Choose the error by kubectl's own words for it."""
    # Client libraries log each retry before kubectl says the same in words for people.
    lines = [line for line in said.splitlines() if not LOG_LINE.match(line)] or said.splitlines()
    text = "\n".join(lines).strip().removeprefix("error: ") or "kubectl ended with a fault and said nothing"
    if "(NotFound)" in text:
        return NotFound(text)
    if "(Forbidden)" in text:
        return Forbidden(text)
    if "doesn't have a resource type" in text or "no matches for kind" in text:
        return ApiMissing(f"{text}\nThe operator's API is not installed in this cluster, or the context is another one")
    if NO_CLUSTER in text:
        return KubectlFailed(
            f"{text}\nkubectl knows no cluster and tried this machine: set KUBECONFIG, or choose a context with "
            "`kubectl config use-context NAME`"
        )
    return KubectlFailed(text)
