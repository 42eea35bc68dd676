"""The official programs of Kubernetes, where somebody has them: KUBERNETES_RELEASES names a server laid out as dl.k8s.io.

That is `release/VERSION/bin/linux/ARCHITECTURE/NAME`, with the checksum beside it as NAME.sha512 or NAME.sha256. A
program is used only when its checksum is right. What was fetched of one stays in the cache when the line breaks or the
run is ended, and the next run asks for the rest alone. So it streams, with the standard library: the one HTTP client
(`session_devtools.http_client`) reads small answers whole.
"""

import errno
import hashlib
import http.client
import os
import platform
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from session_devtools.build.cache import cache_folder
from session_devtools.errors import BuildError
from session_devtools.progress import Progress

__all__ = ["VARIABLE", "fetch", "source"]

VARIABLE = "KUBERNETES_RELEASES"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
CHECKSUMS = {"sha512": 128, "sha256": 64}
"""By their endings, the better one first: how many hexadecimal digits each has."""
LARGEST = 1 << 29  # bytes of a program; the largest of 1.37 has 90 MB
CHUNK = 1 << 20  # bytes
ATTEMPTS = 5  # as long as each brings something new, or the server has only stumbled
TIMEOUT = 30.0  # seconds without a byte


class Checksum(NamedTuple):
    """What a program's content has to hash to."""

    algorithm: str
    digest: str


def source(environment: Mapping[str, str] | None = None) -> str | None:
    """The server that KUBERNETES_RELEASES names; None where programs are built instead.

    :raises BuildError: it is no URL.
    """
    given = (os.environ if environment is None else environment).get(VARIABLE, "").strip().rstrip("/")
    if given and not re.match(r"https?://[^/\s]", given):
        raise BuildError(f"{VARIABLE} must be a URL as in https://dl.k8s.io, and is {given[:60]!r}")
    return given or None


def fetch(
    base: str,
    version: str,
    name: str,
    target: Path,
    *,
    progress: Progress,
    cache: Path | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Have a released program at `target`, executable.

    :raises BuildError: it could not be built, with what to do.
    """
    url = f"{base}/release/{version}/bin/linux/{ARCHITECTURES[platform.machine()]}/{name}"
    folder = (cache_folder() if cache is None else cache) / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    with progress.step(f"downloading {name} {version}", status=lambda: f"{partial.stat().st_size >> 20} MB so far"):
        wanted = _checksum(url)
        # Named after its content: what is left of another one is never gone on with.
        partial = folder / f"{name}-{wanted.digest[:16]}.partial"
        partial.touch()
        _complete(url, partial, sleep=sleep)
        with partial.open("rb") as file:
            found = hashlib.file_digest(file, wanted.algorithm).hexdigest()
        if found != wanted.digest:
            partial.unlink()
            raise BuildError(
                f"{url} is not what its {wanted.algorithm} says, so it was thrown away: run the same command again, and "
                f"if that does not help name another server with {VARIABLE}, or unset it to build the programs here"
            )
        partial.chmod(0o755)
        partial.rename(target)


def _checksum(url: str) -> Checksum:
    for algorithm, digits in CHECKSUMS.items():
        try:
            with urllib.request.urlopen(f"{url}.{algorithm}", timeout=TIMEOUT) as answer:  # noqa: S310  see `source`
                text = answer.read(1024).decode(errors="replace")
        except urllib.error.HTTPError as error:
            if error.code == http.HTTPStatus.NOT_FOUND:
                continue
            raise _refused(f"{url}.{algorithm}", error) from error
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(url, error) from error
        if match := re.match(rf"\s*([0-9a-fA-F]{{{digits}}})(\s|$)", text):
            return Checksum(algorithm, match[1].lower())
        raise BuildError(f"{url}.{algorithm} holds no checksum: name another server with {VARIABLE}, or unset it")
    raise BuildError(
        f"{url} has no checksum beside it (.sha512 or .sha256: 404), or is not there: {VARIABLE} must name a server that "
        "is laid out as https://dl.k8s.io and has this release; or unset it to build the programs here"
    )


def _complete(url: str, partial: Path, *, sleep: Callable[[float], None]) -> None:
    """Fetch what is missing of the file; a line that breaks is taken up where it broke."""
    for attempt in range(ATTEMPTS):
        try:
            if _more(url, partial):
                return
            reason = "the line broke"
        except urllib.error.HTTPError as error:
            if error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR:
                raise _refused(url, error) from error
            reason = f"the server answers {error.code}"
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise  # no server's fault
            reason = str(error) or type(error).__name__
        sleep(min(2.0**attempt, 8.0))
    have = partial.stat().st_size
    raise BuildError(
        f"downloading {url} broke off {ATTEMPTS} times ({reason}): {have} bytes are kept, run the same command again and "
        "it goes on from there"
    )


def _more(url: str, partial: Path) -> bool:
    """One request for the rest; True when all is there."""
    have = partial.stat().st_size
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310  see `source`
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310  see `source`
    except urllib.error.HTTPError as error:
        if have and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return True  # nothing is missing; the checksum tells whether it is right
        raise
    with answer, partial.open("ab" if answer.status == http.HTTPStatus.PARTIAL_CONTENT else "wb") as file:
        while chunk := answer.read(CHUNK):
            if file.tell() + len(chunk) > LARGEST:
                raise BuildError(f"{url} does not end after {LARGEST >> 20} MB: this is no program of Kubernetes")
            file.write(chunk)
        return answer.length in {None, 0}  # what the server had announced and not sent


def _refused(url: str, error: urllib.error.HTTPError) -> BuildError:
    return BuildError(
        f"{url}: the server answers {error.code}; {VARIABLE} must name one that is laid out as https://dl.k8s.io and has "
        "this release, or unset it to build the programs here"
    )


def _unreachable(url: str, error: Exception) -> BuildError:
    reason = getattr(error, "reason", None) or error
    return BuildError(
        f"{url} can not be reached ({reason}): look at the network and run the same command again, or unset {VARIABLE} to "
        "build the programs here"
    )
