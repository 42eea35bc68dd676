"""Trusting an extra authority, with the real certutil."""

import asyncio
import datetime as dt
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from session_runner.profile.certificates import CertificateError, trust

needs_certutil = pytest.mark.skipif(shutil.which("certutil") is None, reason="needs certutil (libnss3-tools)")


def authority(name: str) -> str:
    """A self-signed certificate authority as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(tz=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


@needs_certutil
async def test_every_certificate_of_the_file_is_trusted(tmp_path: Path) -> None:
    """A bundle of two ends as two trusted authorities; doing it again is harmless."""
    (tmp_path / "ca.pem").write_text("a comment\n" + authority("one") + authority("two"))

    for _ in range(2):
        assert await trust(tmp_path / "ca.pem", home=tmp_path, deadline=20) == 2
    listed = subprocess.run(  # noqa: ASYNC221 -- nothing else runs meanwhile
        ["certutil", "-L", "-d", f"sql:{tmp_path}/.pki/nssdb"], check=True, capture_output=True, text=True
    ).stdout

    assert listed.count("C,,") == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [("", "contains no PEM certificate"), (None, "cannot be read"), ("-----BEGIN CERTIFICATE-----", "no PEM")],
)
async def test_a_file_without_a_certificate_is_named(tmp_path: Path, content: str | None, says: str) -> None:
    """Absent, empty or cut off: the error names the file."""
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(CertificateError, match="EXTRA_CA_FILE") as caught:
        await trust(tmp_path / "ca.pem", home=tmp_path, deadline=20)

    assert says in str(caught.value)


@needs_certutil
async def test_a_damaged_certificate_is_refused_with_the_tools_own_message(tmp_path: Path) -> None:
    """What certutil refuses is never silently skipped."""
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(CertificateError, match="certutil refused EXTRA_CA_FILE"):
        await trust(tmp_path / "ca.pem", home=tmp_path, deadline=20)


async def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The database lies under HOME, so HOME is what has to be mended."""
    (tmp_path / "ca.pem").write_text(authority("one"))
    (tmp_path / "file").write_text("")
    with pytest.raises(CertificateError, match="HOME"):
        await trust(tmp_path / "ca.pem", home=tmp_path / "file", deadline=20)


@pytest.mark.parametrize("deadline", [0.5, 20])
async def test_a_certutil_that_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deadline: float
) -> None:
    """By its own deadline, or with the start that is cancelled: no process is left."""
    (tmp_path / "ca.pem").write_text(authority("one"))
    pid, program = tmp_path / "pid", tmp_path / "certutil"
    program.write_text(f"#!/bin/sh\necho $$ > {pid}; exec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises((CertificateError, TimeoutError)):
        async with asyncio.timeout(2):
            await trust(tmp_path / "ca.pem", home=tmp_path, deadline=deadline)

    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


async def test_without_the_tool_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image without certutil says which package is missing."""
    (tmp_path / "ca.pem").write_text(authority("one"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CertificateError, match="libnss3-tools"):
        await trust(tmp_path / "ca.pem", home=tmp_path, deadline=20)
