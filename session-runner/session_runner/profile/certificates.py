"""Extra certificate authorities for the browser to trust.

Chromium on Linux reads the user's NSS database. `certutil`, NSS' own tool, writes it; no Python library does. `session`
calls this once, before the browser starts. Certificate errors are never ignored: without the authority the page fails
to load and the state says so.
"""

import asyncio
import contextlib
import os
import re
from hashlib import sha256
from pathlib import Path

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class CertificateError(Exception):
    """The extra authorities could not be installed; the text says what to do."""


async def trust(ca_file: Path, *, home: Path, deadline: float) -> int:
    """Import every certificate of a PEM file into `home`/.pki/nssdb; return how many.

    :raises CertificateError: the file or the store cannot be used.
    """
    certificates = _read(ca_file)
    database = _folder(home)
    if not _exists(database):
        await _certutil("-N", "--empty-password", database=database, deadline=deadline)
    for certificate in certificates:
        name = f"extra-{sha256(certificate.encode()).hexdigest()[:16]}"  # two of one name are refused
        await _certutil("-A", "-t", "C,,", "-n", name, database=database, stdin=certificate, deadline=deadline)
    return len(certificates)


def _read(ca_file: Path) -> list[str]:
    try:
        certificates = _PEM.findall(ca_file.read_text(errors="replace"))
    except OSError as error:
        raise CertificateError(
            f"EXTRA_CA_FILE={ca_file} cannot be read ({error.strerror}); check the mount."
        ) from error
    if not certificates:
        raise CertificateError(f"EXTRA_CA_FILE={ca_file} contains no PEM certificate.")
    return certificates


def _folder(home: Path) -> Path:
    database = home / ".pki" / "nssdb"
    try:
        database.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CertificateError(f"HOME={home} is not writable ({error.strerror}); EXTRA_CA_FILE needs it.") from error
    return database


def _exists(database: Path) -> bool:
    return (database / "cert9.db").exists()


async def _certutil(*arguments: str, database: Path, deadline: float, stdin: str = "") -> None:
    command = ["certutil", *arguments, "-d", f"sql:{database}"]
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"},
        )
    except FileNotFoundError as error:
        raise CertificateError("certutil is missing (Debian package libnss3-tools); EXTRA_CA_FILE needs it.") from error
    try:
        output, _ = await asyncio.wait_for(process.communicate(stdin.encode()), deadline)
    except TimeoutError as error:
        raise CertificateError(f"certutil did not finish within {deadline:g} s.") from error
    finally:
        if process.returncode is None:  # it is too slow, or the runner is asked to stop
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        complaint = " ".join(output.decode(errors="replace").split())[:300]
        raise CertificateError(f"certutil refused EXTRA_CA_FILE (exit {process.returncode}): {complaint}")
