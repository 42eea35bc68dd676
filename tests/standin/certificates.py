"""A throw-away certificate authority, because the page must be a secure context and errors must never be ignored.

Elliptic-curve keys, made in milliseconds. The CA signs one leaf for both hosts and is trusted only where somebody puts
its certificate; its own key is never written to disk, so nobody can sign more with it.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Certificates", "make_certificates"]

_LIFETIME = dt.timedelta(days=365)
_CLOCK_SKEW = dt.timedelta(hours=1)


class Certificates(NamedTuple):
    """Where the three files are: the CA's certificate, the server's certificate and the server's key (mode 0600)."""

    ca: Path
    certificate: Path
    key: Path

    @classmethod
    def inside(cls, directory: Path) -> "Certificates":
        """Name the files as a Kubernetes TLS Secret does."""
        return cls(ca=directory / "ca.crt", certificate=directory / "tls.crt", key=directory / "tls.key")


def make_certificates(*, hosts: Sequence[str], directory: Path, now: dt.datetime) -> Certificates:
    """Write a fresh CA certificate and a server certificate for `hosts` into `directory`, which is made if needed."""
    if not hosts:
        raise ValueError("At least one host name is needed for the certificate.")
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stand-in test authority")])
    ca = (
        _builder(subject=ca_name, issuer=ca_name, key=ca_key.public_key(), now=now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    # No common name: Service names may be longer than its 64 characters, and only the alternative names count.
    leaf = (
        _builder(subject=x509.Name([]), issuer=ca_name, key=key.public_key(), now=now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    directory.mkdir(parents=True, exist_ok=True)
    files = Certificates.inside(directory)
    files.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    files.certificate.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    files.key.touch(mode=0o600)
    files.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def _builder(
    *, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
