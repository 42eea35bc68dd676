"""kubectl, called from Python: the only way to the cluster for all that acts as a person would.

The plugin's commands call it with the person's own configuration, rights and login plugins; the demo, the local
cluster, the benchmarks and the tests import it too. So it knows none of them, nor any library: standard modules only.
What kubectl says on a fault is turned into the error that a caller handles; its own words stay in the text.
A client library for Python (kr8s, lightkube) would have to do again what a person's kubectl is set up for: login
plugins, proxies, contexts, port-forwards.

KubectlError
├── KubectlMissing      there is no kubectl to talk through
├── KubectlSlow         it took longer than it was given
├── ForwardFailed       the way to the pod could not be opened
└── KubectlFailed       it ended with a fault of its own words
    ├── NotFound        the object does not exist
    ├── Forbidden       the person's rights do not allow it
    └── ApiMissing      the cluster does not know such a kind
"""

import json
import os
import queue
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

__all__ = [
    "ApiMissing",
    "Forbidden",
    "ForwardFailed",
    "Kubectl",
    "KubectlError",
    "KubectlFailed",
    "KubectlMissing",
    "KubectlSlow",
    "NotFound",
    "find_kubectl",
]

ENCODING, ERRORS = "utf-8", "replace"
""" kubectl speaks UTF-8 in every locale, and passes on whatever bytes others gave it. """
FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d{1,5}) ")
LOG_LINE = re.compile(r"[EFIW]\d{4} \d\d:\d\d:\d\d")
NO_CLUSTER = "connection to the server localhost:8080 was refused"
""" Where kubectl turns to when it has no configuration at all. """
FORWARD_DEADLINE = 15.0
""" Seconds until the local port must be open. """
END_DEADLINE = 5.0
""" Seconds that a kubectl has to end once it is asked to. """


class KubectlError(Exception):
    """The base of all; its text can be shown to a person as it is."""


class KubectlMissing(KubectlError):
    """There is no kubectl on the PATH."""


class KubectlSlow(KubectlError):
    """A kubectl command took longer than it was given, and was ended."""


class ForwardFailed(KubectlError):
    """`kubectl port-forward` could not reach the pod."""


class KubectlFailed(KubectlError):
    """A kubectl command ended with a fault; the text is kubectl's own."""

    def __init__(self, text: str, *, arguments: tuple[str, ...] = (), status: int = 1, output: str = "") -> None:
        super().__init__(text)
        self.arguments = arguments
        """ Its command line, without the program and what chooses the cluster. """
        self.status = status
        self.output = output
        """ All that it said, log lines included. """


class NotFound(KubectlFailed):
    """The API server knows no such object."""


class Forbidden(KubectlFailed):
    """The person may not do this."""


class ApiMissing(KubectlFailed):
    """The cluster has no such kind: the CRD is not installed."""


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
                self._words(arguments),
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
            raise _fault(arguments, done.returncode, done.stderr, said=done.stdout)
        return done.stdout + done.stderr

    def get(
        self,
        kind: str,
        *names: str,
        namespace: str | None = None,
        everywhere: bool = False,
        selector: str | None = None,
        missing_ok: bool = False,
    ) -> list[dict[str, Any]]:
        """Return objects: those named, or all of the kind; no namespace means the one of the person's context.

        :raises NotFound: it does not exist (unless `missing_ok`).
        :raises Forbidden: the person may not.
        :raises ApiMissing: the API server does not know the kinds.
        :raises KubectlFailed: kubectl failed.
        """
        words = ["get", kind, *_names(names), *_place(namespace, everywhere=everywhere, selector=selector)]
        said = self(*words, *(["--ignore-not-found"] if missing_ok else []), "--output=json")
        return _objects(said)

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
        with self._running(*arguments) as (process, complaints):
            yield _lines(process, complaints, arguments)

    @contextmanager
    def watch(
        self,
        kind: str,
        *names: str,
        namespace: str | None = None,
        everywhere: bool = False,
        selector: str | None = None,
    ) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
        """Hand out what `get` would return as ADDED, then changes as they come: ADDED, MODIFIED, DELETED.

        They end, as kubectl does, when the API server ends the watch; with KubectlFailed where there was a fault.
        """
        words = ["get", kind, *_names(names), *_place(namespace, everywhere=everywhere, selector=selector)]
        with self.stream(*words, "--watch", "--output-watch-events", "--output=json") as lines:
            yield _events(lines)

    @contextmanager
    def forward(self, pod: str, port: int, *, namespace: str) -> Iterator[int]:
        """Forward a port of a pod to this machine's loopback; yields the local port, and ends the forwarding.

        :raises ForwardFailed: the way to the pod could not be opened.
        :raises Forbidden: the person may not.
        :raises NotFound: it does not exist.
        """
        where = (f"--namespace={namespace}", "--address=127.0.0.1", f"pod/{pod}", f":{port}")
        with self._running("port-forward", *where) as (process, complaints):
            ports: queue.SimpleQueue[int | None] = queue.SimpleQueue()
            reader = threading.Thread(target=_listen, args=(process.stdout, ports), daemon=True)
            reader.start()
            try:
                yield _opened(process, ports, complaints)
            finally:
                process.terminate()
                reader.join(timeout=END_DEADLINE)

    def _words(self, arguments: tuple[str, ...]) -> list[str]:
        """Return the whole command line; what stands in an object may be no word of one."""
        for word in arguments:
            try:
                is_word = b"\0" not in os.fsencode(word)
            except UnicodeEncodeError:
                is_word = False
            if not is_word:
                raise KubectlFailed(f"{word!r} cannot be given to a program", arguments=arguments)
        return [*self.command, *arguments]

    @contextmanager
    def _running(self, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
        """Start a command that goes on by itself, and end it with the block."""
        # A file and not a pipe for its complaints: nobody reads along, and a full pipe would stop it.
        with (
            tempfile.TemporaryFile("w+", encoding=ENCODING, errors=ERRORS) as complaints,
            subprocess.Popen(
                self._words(arguments),
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=self.environment,
                encoding=ENCODING,
                errors=ERRORS,
            ) as process,
        ):
            try:
                yield process, complaints
            finally:
                process.terminate()
                try:
                    process.wait(timeout=END_DEADLINE)
                except subprocess.TimeoutExpired:
                    process.kill()


def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names out of objects and answers become words of a command line: none of them may be an option."""
    odd = [name for name in names if name.startswith("-")]
    if odd:
        raise KubectlFailed(f"{odd[0]!r} is no name of an object")
    return names


def _place(namespace: str | None, *, everywhere: bool, selector: str | None) -> list[str]:
    place = ["--all-namespaces"] if everywhere else [] if namespace is None else [f"--namespace={namespace}"]
    return place if selector is None else [*place, f"--selector={selector}"]


def _objects(said: str) -> list[dict[str, Any]]:
    """The objects that `kubectl get --output=json` printed: nothing, one, or a list."""
    if not said.strip():
        return []
    try:
        answer = json.loads(said)
        found = answer["items"] if str(answer.get("kind", "")).endswith("List") else [answer]
    except (ValueError, RecursionError, AttributeError, KeyError) as error:
        raise KubectlFailed("kubectl printed something else than objects", output=said) from error
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


def _lines(process: subprocess.Popen[str], complaints: IO[str], arguments: tuple[str, ...]) -> Iterator[str]:
    if process.stdout is not None:
        yield from process.stdout
    if (status := process.wait()) != 0:
        complaints.seek(0)
        raise _fault(arguments, status, complaints.read())


def _listen(output: IO[str], ports: queue.SimpleQueue[int | None]) -> None:
    """Read all that kubectl says, so that it never blocks: the local port first, then a line per connection."""
    for line in output:
        if opened := FORWARDING.match(line):
            ports.put(int(opened[1]))
    ports.put(None)


def _opened(process: subprocess.Popen[str], ports: queue.SimpleQueue[int | None], complaints: IO[str]) -> int:
    """Wait until the local port is open."""
    try:
        port = ports.get(timeout=FORWARD_DEADLINE)
    except queue.Empty:
        raise ForwardFailed(f"kubectl port-forward opened no port within {FORWARD_DEADLINE:.0f} s") from None
    if port is not None:
        return port
    status = process.wait()
    complaints.seek(0)
    fault = _fault(("port-forward",), status, complaints.read())
    if isinstance(fault, NotFound | Forbidden):
        raise fault
    raise ForwardFailed(f"kubectl port-forward: {fault}")


def _fault(arguments: tuple[str, ...], status: int, complaints: str, *, said: str = "") -> KubectlFailed:
    """Choose the error by kubectl's own words for it; `kubectl auth can-i` says its no on standard output."""
    # Client libraries log each retry before kubectl says the same in words for people.
    lines = [line for line in complaints.splitlines() if not LOG_LINE.match(line)]
    text = "\n".join(lines).strip() or complaints.strip() or said.strip()
    text = text.removeprefix("error: ") or "kubectl ended with a fault and said nothing"
    kind = KubectlFailed
    if "(NotFound)" in text:
        kind = NotFound
    elif "(Forbidden)" in text:
        kind = Forbidden
    elif "doesn't have a resource type" in text or "no matches for kind" in text:
        kind = ApiMissing
    elif NO_CLUSTER in text:
        text = (
            f"{text}\nkubectl knows no cluster and tried this machine: set KUBECONFIG, or choose a context with "
            "`kubectl config use-context NAME`"
        )
    return kind(text, arguments=arguments, status=status, output=said + complaints)
