"""Certificates: made, read and judged, with no file and no clock of its own.

Keys are on the curve P-256: one is made in a fraction of a millisecond, where an RSA key takes tens of them, and a
cluster needs a dozen before its first process starts.
"""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = [
    "LIFETIME",
    "RENEW_BEFORE",
    "Authority",
    "Pair",
    "key_pair",
    "needs_renewal",
    "public_key",
    "subject",
    "subject_names",
]

LIFETIME = dt.timedelta(days=365)
RENEW_BEFORE = dt.timedelta(days=30)  # a cluster that is brought up once a month never meets an expired one
AUTHORITY_LIFETIME = dt.timedelta(days=3650)
CLOCK_SKEW = dt.timedelta(minutes=5)  # a certificate is already valid for a clock that is this much behind


class Pair(NamedTuple):
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, kw_only=True)
class Authority:
    """Signs certificates; whoever holds its certificate can check them."""

    pair: Pair

    @classmethod
    def create(cls, name: str, *, now: dt.datetime) -> Self:
        """A new authority, valid for ten years."""
        key = ec.generate_private_key(ec.SECP256R1())
        owner = _name(name, ())
        builder = (
            _builder(owner, owner, key.public_key(), now=now, lifetime=AUTHORITY_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
        )
        return cls(pair=Pair(_pem(builder.sign(key, hashes.SHA256())), _key_pem(key)))

    def server(self, name: str, *, hosts: Sequence[str], now: dt.datetime, also_client: bool = False) -> Pair:
        """A certificate for a server reached under these DNS names and addresses.

        `also_client` is for etcd, whose members are each other's clients.
        """
        usages = [ExtendedKeyUsageOID.SERVER_AUTH]
        if also_client:
            usages.append(ExtendedKeyUsageOID.CLIENT_AUTH)
        return self._issue(_name(name, ()), usages, hosts=hosts, now=now)

    def client(self, user: str, *, groups: Sequence[str] = (), now: dt.datetime) -> Pair:
        """A certificate that makes its holder this user, in these groups, for the API server."""
        return self._issue(_name(user, groups), [ExtendedKeyUsageOID.CLIENT_AUTH], hosts=(), now=now)

    def signed(self, certificate: bytes) -> bool:
        """Whether a certificate is one of this authority's."""
        issuer = x509.load_pem_x509_certificate(self.pair.certificate)
        try:
            x509.load_pem_x509_certificate(certificate).verify_directly_issued_by(issuer)
        except Exception:  # noqa: BLE001  the library names half a dozen kinds of "no", and all mean the same here
            return False
        return True

    def _issue(
        self, subject: x509.Name, usages: list[x509.ObjectIdentifier], *, hosts: Sequence[str], now: dt.datetime
    ) -> Pair:
        issuer = x509.load_pem_x509_certificate(self.pair.certificate)
        signer = _load_key(self.pair.key)
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(subject, issuer.subject, key.public_key(), now=now, lifetime=LIFETIME)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        if hosts:
            names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        return Pair(_pem(builder.sign(signer, hashes.SHA256())), _key_pem(key))


def needs_renewal(certificate: bytes, *, now: dt.datetime) -> bool:
    """Whether a certificate is in its last thirty days, or not valid yet."""
    loaded = x509.load_pem_x509_certificate(certificate)
    return now < loaded.not_valid_before_utc or now > loaded.not_valid_after_utc - RENEW_BEFORE


def subject_names(certificate: bytes) -> frozenset[str]:
    """The DNS names and addresses a certificate is for; none for a client's."""
    try:
        extension = x509.load_pem_x509_certificate(certificate).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(str(name.value) for name in extension.value)


def subject(certificate: bytes) -> tuple[str, tuple[str, ...]]:
    """Whom a certificate makes of its holder: the user, and the groups."""
    name = x509.load_pem_x509_certificate(certificate).subject
    (user,) = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    groups = name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(user.value), tuple(str(group.value) for group in groups)


def key_pair() -> bytes:
    """A private key alone, PEM: what signs the service accounts' tokens."""
    return _key_pem(ec.generate_private_key(ec.SECP256R1()))


def public_key(key: bytes) -> bytes:
    """The public half of a private key, PEM."""
    return (
        _load_key(key)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    *,
    now: dt.datetime,
    lifetime: dt.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common_name: str, organizations: Sequence[str]) -> x509.Name:
    # Kubernetes reads the user from the common name and the groups from the organizations.
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in organizations]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    # The form with "EC PRIVATE KEY" in its first line: the API server takes no other for a token signing key.
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _load_key(key: bytes) -> ec.EllipticCurvePrivateKey:
    loaded = serialization.load_pem_private_key(key, password=None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise TypeError(f"expected an elliptic curve key, got {type(loaded).__name__}")
    return loaded
