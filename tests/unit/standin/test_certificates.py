"""The throw-away authority: the files a browser and a TLS Secret need, and nothing that signs more."""

import datetime as dt
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from standin.certificates import Certificates, make_certificates

HOSTS = ("web.standin.localhost", "web.a-name-that-is-longer-than-sixty-four-characters.with-a-namespace.svc")


@pytest.fixture
def files(tmp_path: Path) -> Certificates:
    """Fresh files in a folder that did not exist."""
    return make_certificates(hosts=HOSTS, directory=tmp_path / "new" / "tls")


def test_the_certificate_is_for_all_hosts_and_signed_by_the_authority(files: Certificates) -> None:
    """Names of any length stand among the alternative names; the chain verifies."""
    leaf = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    ca = x509.load_pem_x509_certificate(files.ca.read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    leaf.verify_directly_issued_by(ca)
    assert list(HOSTS) == names.get_values_for_type(x509.DNSName)
    assert leaf.not_valid_before_utc < dt.datetime.now(dt.UTC) < leaf.not_valid_after_utc


def test_only_the_authority_may_sign(files: Certificates) -> None:
    """And it may sign no further authority."""
    constraints = [
        x509.load_pem_x509_certificate(path.read_bytes()).extensions.get_extension_for_class(x509.BasicConstraints)
        for path in (files.ca, files.certificate)
    ]

    assert [(True, 0), (False, None)] == [(one.value.ca, one.value.path_length) for one in constraints]


def test_the_key_is_private_and_fits(files: Certificates) -> None:
    """The server's key is readable by its owner alone; the authority's key is nowhere."""
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(files.certificate, files.key)

    assert 0o600 == stat.S_IMODE(files.key.stat().st_mode)
    assert ["ca.crt", "tls.crt", "tls.key"] == sorted(path.name for path in files.ca.parent.iterdir())


def test_no_hosts_is_an_error(tmp_path: Path) -> None:
    """A certificate for nobody would fail much later, in the browser."""
    with pytest.raises(ValueError, match="At least one host name"):
        make_certificates(hosts=[], directory=tmp_path)
