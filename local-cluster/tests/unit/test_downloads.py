"""Released programs from a server laid out as dl.k8s.io: what is used, what is refused, what is gone on with."""

import errno
import hashlib
import http.server
import platform
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from local_cluster.build import downloads
from session_devtools.errors import BuildError
from session_devtools.progress import NoProgress

CONTENT = bytes(range(256)) * 4096
FOLDER = "/release/v1.35.4/bin/linux/amd64"


class Server(http.server.ThreadingHTTPServer):
    """Files by their paths; and how the next answers are spoilt."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {f"{FOLDER}/kubelet": CONTENT}
        self.publish("sha512")
        self.cut: list[int] = []
        """How many bytes each of the next answers has before the line breaks."""
        self.fails: list[int] = []
        """The statuses of the next answers for a program."""
        self.ranges: list[str | None] = []
        """What was asked for of a program."""
        self.knows_ranges = True

    def publish(self, algorithm: str) -> None:
        """Put the right checksum beside the program."""
        self.files[f"{FOLDER}/kubelet.{algorithm}"] = hashlib.new(algorithm, CONTENT).hexdigest().encode()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the server was told to."""

    server: Server

    def do_GET(self) -> None:
        """A file, or the rest of one."""
        content = self.server.files.get(self.path)
        is_program = "." not in self.path.rpartition("/")[2]
        if content is None:
            self.send_error(404)
            return
        begin = 0
        if is_program:
            asked = self.headers["Range"]
            self.server.ranges.append(asked)
            if self.server.fails:
                self.send_error(self.server.fails.pop(0))
                return
            if asked and self.server.knows_ranges:
                begin = int(asked.removeprefix("bytes=").removesuffix("-"))
                if begin >= len(content):
                    self.send_error(416)
                    return
        self.send_response(206 if begin else 200)
        rest = content[begin:]
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: self.server.cut.pop(0)] if is_program and self.server.cut else rest)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server with one program."""
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join(20)


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


def _fetch(server: Server, tmp_path: Path) -> Path:
    target = tmp_path / "kubelet"
    downloads.fetch(
        server.url, "v1.35.4", "kubelet", target, progress=NoProgress(), cache=tmp_path / "cache", sleep=lambda _: None
    )
    return target


def _kept(tmp_path: Path) -> list[int]:
    return [path.stat().st_size for path in (tmp_path / "cache" / "downloads").iterdir()]


@pytest.mark.parametrize("algorithm", ["sha512", "sha256"])
def test_a_program_with_the_right_checksum_is_used(server: Server, tmp_path: Path, algorithm: str) -> None:
    """The older releases have the one, the newer the other; nothing is left beside it."""
    del server.files[f"{FOLDER}/kubelet.sha512"]
    server.publish(algorithm)
    target = _fetch(server, tmp_path)

    assert CONTENT == target.read_bytes()
    assert target.stat().st_mode & 0o111 == 0o111
    assert _kept(tmp_path) == []


def test_a_program_with_another_checksum_is_thrown_away(server: Server, tmp_path: Path) -> None:
    """The sentence says so and names the variable; the next run begins anew."""
    server.files[f"{FOLDER}/kubelet"] = CONTENT[:-1] + b"!"

    with pytest.raises(
        BuildError, match=r"not what its sha512 says, so it was thrown away: run the same command again"
    ):
        _fetch(server, tmp_path)
    assert not (tmp_path / "kubelet").exists()
    assert _kept(tmp_path) == []


@pytest.mark.parametrize("text", [b"", b"<html>", b"abc", b"g" * 128])
def test_a_checksum_that_is_none_is_refused(server: Server, tmp_path: Path, text: bytes) -> None:
    """A server that answers every path with a page is no server of releases."""
    server.files[f"{FOLDER}/kubelet.sha512"] = text

    with pytest.raises(BuildError, match="holds no checksum: name another server with KUBERNETES_RELEASES"):
        _fetch(server, tmp_path)


def test_a_release_that_is_not_there_is_reported(server: Server, tmp_path: Path) -> None:
    """With how the server should be laid out."""
    server.files.clear()

    with pytest.raises(BuildError, match=r"404\), or is not there: KUBERNETES_RELEASES must name a server"):
        _fetch(server, tmp_path)


def test_a_program_that_is_missing_beside_its_checksum_is_reported(server: Server, tmp_path: Path) -> None:
    """It is not asked for five times."""
    del server.files[f"{FOLDER}/kubelet"]

    with pytest.raises(BuildError, match="answers 404; KUBERNETES_RELEASES must name one"):
        _fetch(server, tmp_path)


def test_a_server_that_is_away_is_reported(server: Server, tmp_path: Path) -> None:
    """Nobody listens at that address."""
    server.server_close()
    server.shutdown()

    with pytest.raises(BuildError, match=r"can not be reached \(.*refused.*\): look at the network"):
        _fetch(server, tmp_path)


def test_a_line_that_breaks_is_taken_up_where_it_broke(server: Server, tmp_path: Path) -> None:
    """Only the rest is asked for."""
    server.cut = [1000, 2000]
    target = _fetch(server, tmp_path)

    assert CONTENT == target.read_bytes()
    assert server.ranges == [None, "bytes=1000-", "bytes=3000-"]


def test_a_server_without_ranges_is_asked_for_the_whole(server: Server, tmp_path: Path) -> None:
    """What it sends then takes the place of what was there."""
    server.cut, server.knows_ranges = [1000], False

    assert CONTENT == _fetch(server, tmp_path).read_bytes()


def test_a_server_that_stumbles_is_asked_again(server: Server, tmp_path: Path) -> None:
    """An answer of the kind 5xx is no word on the program."""
    server.fails = [503, 500]

    assert CONTENT == _fetch(server, tmp_path).read_bytes()


def test_the_next_run_goes_on_where_a_truncated_download_ended(server: Server, tmp_path: Path) -> None:
    """After five breaks it gives up and says what is kept."""
    server.cut = [100] * downloads.ATTEMPTS

    with pytest.raises(BuildError, match=r"broke off 5 times .*: 500 bytes are kept, run the same command again"):
        _fetch(server, tmp_path)
    server.ranges.clear()

    assert CONTENT == _fetch(server, tmp_path).read_bytes()
    assert server.ranges == ["bytes=500-"]


def test_what_an_ended_run_had_fetched_whole_is_only_checked(server: Server, tmp_path: Path) -> None:
    """The server has nothing more to send, and says so with 416."""
    folder = tmp_path / "cache" / "downloads"
    folder.mkdir(parents=True)
    digest = hashlib.sha512(CONTENT).hexdigest()
    (folder / f"kubelet-{digest[:16]}.partial").write_bytes(CONTENT)

    assert CONTENT == _fetch(server, tmp_path).read_bytes()


def test_a_full_disk_is_not_taken_for_a_broken_line(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is handed on at once; the cache says what to do about it."""
    opened = Path.open

    def full(self: Path, mode: str = "r", *rest: object) -> BinaryIO:
        if mode == "wb":
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(self, mode, *rest)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match="No space left"):
        _fetch(server, tmp_path)
    assert len(server.ranges) == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [("", None), ("https://dl.k8s.io/", "https://dl.k8s.io"), (" http://127.0.0.1:80/x ", "http://127.0.0.1:80/x")],
)
def test_the_server_is_what_the_variable_names(given: str, expected: str | None) -> None:
    """Nothing means that programs are built."""
    assert expected == downloads.source({downloads.VARIABLE: given})


@pytest.mark.parametrize("given", ["dl.k8s.io", "file:///etc/passwd", "ftp://x/", "http://", "https:///x"])
def test_what_is_no_url_of_a_server_is_refused(given: str) -> None:
    """No other scheme: a file of this machine is not a release."""
    with pytest.raises(BuildError, match=r"must be a URL as in https://dl\.k8s\.io"):
        downloads.source({downloads.VARIABLE: given})
