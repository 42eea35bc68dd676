"""kubectl, called from Python: the only way to the cluster for programs that act as a person.

The plugin's commands call it with the person's own configuration, rights and login plugins; the demo, the local
cluster, the benchmarks and the tests import it too. So it knows none of them, nor any library: standard modules only.
An error of kubectl becomes the exception that a caller handles, with kubectl's own message.
A Python client library (kr8s, lightkube) would have to repeat what a person's kubectl is set up for: login plugins,
proxies, contexts, port-forwards.
"""

import json
import os
import select
import selectors
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any, cast

from kubectl_whatsapp.kubectl_errors import KubectlFailed, KubectlMissing, KubectlSlow, error_of
from kubectl_whatsapp.port_forward import MAX_ERRORS, local_port

__all__ = ["Kubectl", "find_kubectl"]

ENCODING, ERRORS = "utf-8", "replace"
""" kubectl writes UTF-8 in every locale, and may pass on bytes that are not valid. """
MAX_OUTPUT = 256 << 20
""" Bytes that a command may print; ten thousand sessions have 100 MB. """
PIECE = 64 << 10
MAX_LINE = 4 << 20
""" Characters of a line that a command in the background prints: an object; etcd keeps none of half the size. """
END_TIMEOUT = 5.0
""" Seconds for kubectl to end after SIGTERM. """


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
    """kubectl with the options that select cluster and user; without any, those of the current context."""

    program: str | os.PathLike[str] = "kubectl"
    kubeconfig: str | os.PathLike[str] | None = None
    context: str | None = None
    flags: tuple[str, ...] = ()
    """ More options for every command, such as `--as=jo`. """
    environment: Mapping[str, str] | None = None
    """ All of the program's environment; None: this process's. """
    timeout: float | None = None
    """ Seconds for a command without a timeout of its own; None: no limit. """

    @property
    def command(self) -> tuple[str, ...]:
        """The program with its options, for a caller that starts it itself."""
        chosen = {"--kubeconfig": self.kubeconfig, "--context": self.context}
        return (str(self.program), *(f"{flag}={value}" for flag, value in chosen.items() if value), *self.flags)

    def __call__(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 -- the name that subprocess gives it
        check: bool = True,
        timeout: float | None = None,
    ) -> str:
        """Run a command and return its standard output; with check=False and a failure, also its standard error.

        :raises KubectlFailed: the command failed (unless check=False); or one of its subclasses; or it printed too much.
        :raises KubectlSlow: it took too long.
        """
        within = self.timeout if timeout is None else timeout
        command = self._command_line(arguments)
        try:
            status, output, errors = self._run(command, None if input is None else input.encode(), within=within)
        except TimeoutError as error:
            raise KubectlSlow(f"kubectl {' '.join(arguments)} took over {within:.0f} s") from error
        if status == 0:
            return output
        if check:
            raise error_of(arguments, status, errors, output=output)
        return output + errors

    def get(
        self,
        kind: str,
        *names: str,
        namespace: str | None = None,
        all_namespaces: bool = False,
        selector: str | None = None,
        missing_ok: bool = False,
    ) -> list[dict[str, Any]]:
        """Return the named objects, or all of the kind; without a namespace, in the one of the context.

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
        """Run a command and yield an iterator over its lines, which ends with the command; the block ends the command.

        The iterator raises KubectlFailed after the last line if the command failed.
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
        """Yield an iterator over events: ADDED for each object that exists, then ADDED, MODIFIED or DELETED.

        It ends, as kubectl does, when the API server ends the watch, and raises KubectlFailed if kubectl failed.
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
        """Forward a port of a pod to this machine's loopback until the block ends; yield the local port.

        :raises ForwardFailed: the connection to the pod failed.
        :raises Forbidden: the person may not.
        :raises NotFound: it does not exist.
        """
        where = (f"--namespace={namespace}", "--address=127.0.0.1", f"pod/{pod}", f":{port}")
        with self._running("port-forward", *where) as (process, stderr), local_port(process, stderr) as local:
            yield local

    def _run(self, command: list[str], text: bytes | None, *, within: float | None) -> tuple[int, str, str]:
        """Run a program to its end and return its status and what it printed, as `subprocess.run` does, but bounded.

        :param text: its input; None: it has this process's.
        :raises TimeoutError: it took longer.
        :raises KubectlFailed: it printed too much.
        """
        stdin = None if text is None else subprocess.PIPE
        deadline = None if within is None else time.monotonic() + within
        with subprocess.Popen(
            command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment, bufsize=0
        ) as process:
            try:
                output, errors = _exchange(process, text or b"", deadline=deadline)
                status = process.wait(timeout=_left(deadline))
            except subprocess.TimeoutExpired as error:
                raise TimeoutError from error
            finally:
                process.kill()  # no effect on one that has ended
        return status, output.decode(ENCODING, ERRORS), errors.decode(ENCODING, ERRORS)

    def _command_line(self, arguments: tuple[str, ...]) -> list[str]:
        """Return the whole command line.

        :raises KubectlFailed: an argument, such as a text from an object, cannot be passed to a program.
        """
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
        """Start a command in the background, and end it with the block."""
        # A file and not a pipe for its errors: nobody reads them meanwhile, and a full pipe would block it.
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


def _exchange(process: subprocess.Popen[bytes], text: bytes, *, deadline: float | None) -> tuple[bytearray, bytearray]:
    """Write a program's input and read what it prints, until it closes both outputs."""
    output, errors, rest = bytearray(), bytearray(), memoryview(text)
    with selectors.DefaultSelector() as selector:
        for stream in filter(None, (process.stdout, process.stderr)):
            selector.register(stream, selectors.EVENT_READ)
        if process.stdin is not None:
            selector.register(process.stdin, selectors.EVENT_WRITE)
        while selector.get_map():
            ready = selector.select(_left(deadline))
            if not ready and _left(deadline) == 0:
                raise TimeoutError
            for key, _ in ready:
                if key.fileobj is process.stdin:
                    rest = _written(key.fd, rest)
                    is_over = not rest
                elif key.fileobj is process.stdout:
                    is_over = not _read(key.fd, output, at_most=MAX_OUTPUT + 1)
                else:
                    is_over = not _read(key.fd, errors, at_most=MAX_ERRORS)
                if is_over:
                    selector.unregister(key.fileobj)
                    cast("IO[bytes]", key.fileobj).close()
            if len(output) > MAX_OUTPUT:
                limit = f"{MAX_OUTPUT >> 20} MiB"
                raise KubectlFailed(
                    f"kubectl printed more than {limit}: ask for less, by a name, namespace or selector"
                )
    return output, errors


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def _read(stream: int, into: bytearray, *, at_most: int) -> bool:
    """Read a piece, and keep it as far as there is room; return whether there may be more."""
    piece = os.read(stream, PIECE)
    into += piece[: max(0, at_most - len(into))]
    return bool(piece)


def _written(stream: int, rest: memoryview) -> memoryview:
    """Write as much as any pipe takes at once; return what is left: nothing, if nobody reads it."""
    with suppress(BrokenPipeError):
        return rest[os.write(stream, rest[: select.PIPE_BUF]) :]
    return rest[:0]


def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names if none of them would be an option on the command line.

    :raises KubectlFailed: one begins with a dash.
    """
    invalid = [name for name in names if name.startswith("-")]
    if invalid:
        raise KubectlFailed(f"{invalid[0]!r} is not the name of an object")
    return names


def _scope_flags(namespace: str | None, *, all_namespaces: bool, selector: str | None) -> list[str]:
    place = ["--all-namespaces"] if all_namespaces else [] if namespace is None else [f"--namespace={namespace}"]
    return place if selector is None else [*place, f"--selector={selector}"]


def _objects(output: str) -> list[dict[str, Any]]:
    """Return the objects that `kubectl get --output=json` printed: none, one, or a list."""
    if not output.strip():
        return []
    try:
        answer = json.loads(output)
        found = answer["items"] if str(answer.get("kind", "")).endswith("List") else [answer]
    except (ValueError, RecursionError, AttributeError, KeyError) as error:
        raise KubectlFailed("kubectl printed something other than objects", output=output) from error
    return [item for item in found or () if isinstance(item, dict)]


def _events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events that kubectl printed, one in each line."""
    for line in lines:
        try:
            event = json.loads(line)
            kind, changed = str(event["type"]), dict(event["object"])
        except (ValueError, RecursionError, TypeError, KeyError) as error:
            raise KubectlFailed("kubectl printed something other than events", output=line) from error
        yield kind, changed


def _lines(process: subprocess.Popen[str], stderr: IO[str], arguments: tuple[str, ...]) -> Iterator[str]:
    output = process.stdout
    while output is not None and (line := output.readline(MAX_LINE)):
        yield line
    if (status := process.wait()) != 0:
        stderr.seek(0)
        raise error_of(arguments, status, stderr.read(MAX_ERRORS))
