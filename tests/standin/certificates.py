"""A throw-away certificate authority, because the page must be a secure context and errors must never be ignored.

The CA signs one leaf for both hosts and is trusted only where somebody puts its certificate; its own key is never
written to disk, so nobody can sign more with it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["Certificates", "make_certificates"]


class Certificates(NamedTuple):
    """Where the three files are: the CA's certificate, the server's certificate and the server's key (mode 0600)."""

    ca: Path
    certificate: Path
    key: Path

    @classmethod
    def inside(cls, directory: Path) -> "Certificates":
        """Name the files as a Kubernetes TLS Secret does."""
        return cls(ca=directory / "ca.crt", certificate=directory / "tls.crt", key=directory / "tls.key")


def make_certificates(*, hosts: Sequence[str], directory: Path) -> Certificates:
    """Write a fresh CA certificate and a server certificate for `hosts` into `directory`, which is made if needed."""
    import trustme  # late: the stand-in's image serves with certificates that were made elsewhere, and lacks it

    if not hosts:
        raise ValueError("At least one host name is needed for the certificate.")
    authority = trustme.CA(path_length=0, organization_name="Stand-in test authority")
    leaf = authority.issue_cert(*hosts)
    directory.mkdir(parents=True, exist_ok=True)
    files = Certificates.inside(directory)
    authority.cert_pem.write_to_path(files.ca)
    leaf.cert_chain_pems[0].write_to_path(files.certificate)
    files.key.touch(mode=0o600)
    leaf.private_key_pem.write_to_path(files.key)
    return files
