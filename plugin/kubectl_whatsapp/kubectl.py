"""kubectl, called from Python: the only way to the cluster for all that acts as a person would.

The plugin's commands call it with the person's own configuration, rights and login plugins; the demo, the local
cluster, the benchmarks and the tests import it too. So it knows none of them, nor any library: standard modules only.
What kubectl says on a fault is turned into the error that a caller handles; its own words stay in the text.
A client library for Python (kr8s, lightkube) would have to do again what a person's kubectl is set up for: login
plugins, proxies, contexts, port-forwards.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from kubectl_whatsapp.kubectl_errors import KubectlFailed, KubectlMissing, KubectlSlow, error_of
from kubectl_whatsapp.port_forward import local_port

__all__ = ["Kubectl", "find_kubectl"]

ENCODING, ERRORS = "utf-8", "replace"
""" kubectl speaks UTF-8 in every locale, and passes on whatever bytes others gave it. """
END_TIMEOUT = 5.0
""" Seconds that a kubectl has to end once it is asked to. """


def find_kubectl(*, search_path: str | None = None) -> str:
    """Return the kubectl program of the PATH.

    :raises KubectlMissing: there is no kubectl.
    """
    found = shutil.which("kubectl", path=search_path)
    if found is None:
        raise KubectlMissing("kubectl is not on the PATH: this plugin talks to the cluster through it alone")
    return found


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl with what chooses cluster and person; without any of it, whatever the current context says."""

    program: str | os.PathLike[str] = "kubectl"
    kubeconfig: str | os.PathLike[str] | None = None
    context: str | None = None
    flags: tuple[str, ...] = ()
    """ More that goes on every command, such as `--as=jo`. """
    environment: Mapping[str, str] | None = None
    """ All of the program's environment; None: this process's. """
    timeout: float | None = None
    """ Seconds for a command that names no time of its own; None: as long as it takes. """

    @property
    def command(self) -> tuple[str, ...]:
        """The words that every command begins with, for a caller that starts the program itself."""
        chosen = {"--kubeconfig": self.kubeconfig, "--context": self.context}
        return (str(self.program), *(f"{flag}={value}" for flag, value in chosen.items() if value), *self.flags)

    def __call__(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 -- the name that subprocess gives it
        check: bool = True,
        timeout: float | None = None,
    ) -> str:
        """Run a command and return its standard output; with check=False, a failed one's output and complaints.

        :raises KubectlFailed: or one of its kinds (unless check=False).
        :raises KubectlSlow: it took too long.
        """
        within = self.timeout if timeout is None else timeout
        try:
            done = subprocess.run(
                self._command_line(arguments),
                input=input,
                capture_output=True,
                check=False,
                env=self.environment,
                timeout=within,
                encoding=ENCODING,
                errors=ERRORS,
            )
        except subprocess.TimeoutExpired as error:
            raise KubectlSlow(f"kubectl {' '.join(arguments)} took over {within:.0f} s") from error
        if done.returncode == 0:
            return done.stdout
        if check:
            raise error_of(arguments, done.returncode, done.stderr, output=done.stdout)
        return done.stdout + done.stderr

    def get(
        self,
        kind: str,
        *names: str,
        namespace: str | None = None,
        all_namespaces: bool = False,
        selector: str | None = None,
        missing_ok: bool = False,
    ) -> list[dict[str, Any]]:
        """Return objects: those named, or all of the kind; no namespace means the one of the person's context.

        :raises NotFound: it does not exist (unless `missing_ok`).
        :raises Forbidden: the person may not.
        :raises ApiMissing: the API server does not know the kinds.
        :raises KubectlFailed: kubectl failed.
        """
        command = [
            "get",
            kind,
            *_names(names),
            *_scope_flags(namespace, all_namespaces=all_namespaces, selector=selector),
        ]
        output = self(*command, *(["--ignore-not-found"] if missing_ok else []), "--output=json")
        return _objects(output)

    def find(self, kind: str, name: str, *, namespace: str | None = None) -> dict[str, Any] | None:
        """Return one object, or None when there is none.

        :raises Forbidden: the person may not.
        :raises ApiMissing: the API server does not know the kinds.
        :raises KubectlFailed: kubectl failed.
        """
        return next(iter(self.get(kind, name, namespace=namespace, missing_ok=True)), None)

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """Apply objects as a person would, by `kubectl apply -f -`.

        :raises KubectlFailed: kubectl failed.
        """
        self("apply", "--filename=-", input="\n---\n".join(json.dumps(item) for item in objects))

    @contextmanager
    def stream(self, *arguments: str) -> Iterator[Iterator[str]]:
        """Run a command and hand out its lines as they come, until it ends or the block does.

        The last line is followed by KubectlFailed where the command ended with a fault.
        """
        with self._running(*arguments) as (process, stderr):
            yield _lines(process, stderr, arguments)

    @contextmanager
    def watch(
        self,
        kind: str,
        *names: str,
        namespace: str | None = None,
        all_namespaces: bool = False,
        selector: str | None = None,
    ) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
        """Hand out what `get` would return as ADDED, then changes as they come: ADDED, MODIFIED, DELETED.

        They end, as kubectl does, when the API server ends the watch; with KubectlFailed where there was a fault.
        """
        command = [
            "get",
            kind,
            *_names(names),
            *_scope_flags(namespace, all_namespaces=all_namespaces, selector=selector),
        ]
        with self.stream(*command, "--watch", "--output-watch-events", "--output=json") as lines:
            yield _events(lines)

    @contextmanager
    def forward(self, pod: str, port: int, *, namespace: str) -> Iterator[int]:
        """Forward a port of a pod to this machine's loopback; yields the local port, and ends the forwarding.

        :raises ForwardFailed: the way to the pod could not be opened.
        :raises Forbidden: the person may not.
        :raises NotFound: it does not exist.
        """
        where = (f"--namespace={namespace}", "--address=127.0.0.1", f"pod/{pod}", f":{port}")
        with self._running("port-forward", *where) as (process, stderr), local_port(process, stderr) as local:
            yield local

    def _command_line(self, arguments: tuple[str, ...]) -> list[str]:
        """Return the whole command line; what stands in an object may be no word of one."""
        for argument in arguments:
            try:
                is_valid = b"\0" not in os.fsencode(argument)
            except UnicodeEncodeError:
                is_valid = False
            if not is_valid:
                raise KubectlFailed(f"{argument!r} cannot be given to a program", arguments=arguments)
        return [*self.command, *arguments]

    @contextmanager
    def _running(self, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
        """Start a command that goes on by itself, and end it with the block."""
        # A file and not a pipe for its complaints: nobody reads along, and a full pipe would stop it.
        with (
            tempfile.TemporaryFile("w+", encoding=ENCODING, errors=ERRORS) as stderr,
            subprocess.Popen(
                self._command_line(arguments),
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=self.environment,
                encoding=ENCODING,
                errors=ERRORS,
            ) as process,
        ):
            try:
                yield process, stderr
            finally:
                process.terminate()
                try:
                    process.wait(timeout=END_TIMEOUT)
                except subprocess.TimeoutExpired:
                    process.kill()


def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names out of objects and answers become words of a command line: none of them may be an option."""
    invalid = [name for name in names if name.startswith("-")]
    if invalid:
        raise KubectlFailed(f"{invalid[0]!r} is no name of an object")
    return names


def _scope_flags(namespace: str | None, *, all_namespaces: bool, selector: str | None) -> list[str]:
    place = ["--all-namespaces"] if all_namespaces else [] if namespace is None else [f"--namespace={namespace}"]
    return place if selector is None else [*place, f"--selector={selector}"]


def _objects(output: str) -> list[dict[str, Any]]:
    """The objects that `kubectl get --output=json` printed: nothing, one, or a list."""
    if not output.strip():
        return []
    try:
        answer = json.loads(output)
        found = answer["items"] if str(answer.get("kind", "")).endswith("List") else [answer]
    except (ValueError, RecursionError, AttributeError, KeyError) as error:
        raise KubectlFailed("kubectl printed something else than objects", output=output) from error
    return [item for item in found or () if isinstance(item, dict)]


def _events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events that kubectl printed, one for each line."""
    for line in lines:
        try:
            event = json.loads(line)
            kind, changed = str(event["type"]), dict(event["object"])
        except (ValueError, RecursionError, TypeError, KeyError) as error:
            raise KubectlFailed("kubectl printed something else than events", output=line) from error
        yield kind, changed


def _lines(process: subprocess.Popen[str], stderr: IO[str], arguments: tuple[str, ...]) -> Iterator[str]:
    if process.stdout is not None:
        yield from process.stdout
    if (status := process.wait()) != 0:
        stderr.seek(0)
        raise error_of(arguments, status, stderr.read())
