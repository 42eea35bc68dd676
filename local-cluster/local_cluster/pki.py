"""Certificates and kubeconfigs, made by kubeadm's phases in kubeadm's own layout; who may speak to whom.

Both modes call `Kubeadm.certificates` before they start a process, and `kubeconfigs` before somebody asks the API
server: light mode in an empty folder, the full cluster in that of its last run. kubeadm keeps what exists, whatever it
says and however old it is, so what no longer fits is deleted first (`forget_unfit`).

    pki/…                       as kubeadm has it: ca, apiserver, etcd/ca, etcd/server, front-proxy-ca, sa, …
    pki/kubelet-clients/…       an authority with one client, the API server: all that the kubelet trusts
    pki/kubelet.crt             the kubelet's own; kubeadm leaves it to a controller that we do not run
    super-admin.conf, …         the kubeconfigs, of which super-admin's is the administrator's (system:masters)
"""

import base64
import contextlib
import datetime as dt
import ipaddress
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from session_devtools.commands import run

from local_cluster.control_plane import SERVICE_RANGE, ControlPlane

__all__ = ["ADMIN", "ClientFiles", "Kubeadm", "client_files", "forget_unfit", "serving_pair", "write_private"]

ADMIN = "super-admin"
AUTHORITIES = ("ca", "etcd/ca", "front-proxy-ca", "kubelet-clients/ca")
LIFETIME = dt.timedelta(days=365)
AUTHORITY_LIFETIME = dt.timedelta(days=3650)
RENEW_BEFORE = dt.timedelta(days=30)  # a cluster that is brought up once a month never meets an expired one
CLOCK_SKEW = dt.timedelta(minutes=5)  # a certificate is already valid for a clock that is this much behind
SIGNING_KEY = ("sa.key", "sa.pub")


class ClientFiles(NamedTuple):
    """A client certificate and its key as files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, kw_only=True)
class Kubeadm:
    """Makes what one control plane needs; everything is in its folder, what is there and fits is left alone."""

    program: Path
    plane: ControlPlane
    node: str
    address: str
    """The API server's, in its certificate beside the one in its URL; no loopback, which kubeadm refuses."""

    def certificates(self, *, now: dt.datetime) -> None:
        """Have the control plane's certificates and the key that signs tokens."""
        wanted = self._config(self.plane.pki)
        moved = self._config_file.exists() and self._config_file.read_text() != wanted
        forget_unfit(self.plane.folder, now=now, all_but_authorities=moved)
        self.plane.pki.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(self._config_file, wanted.encode())
        self._run("init", "phase", "certs", "all")

    def kubelet_certificates(self, *, now: dt.datetime) -> None:
        """Have what the kubelet serves with, and the authority of its one client."""
        pki = self.plane.pki
        apart = self._config(pki / "kubelet-clients")
        for phase in ("ca", "apiserver-kubelet-client"):
            run(self.program, "init", "phase", "certs", phase, "--config=/dev/stdin", input=apart)
        if not (pki / "kubelet.crt").exists():
            certificate, key = serving_pair(pki, self.node, hosts=[self.address, self.node], now=now)
            write_private(pki / "kubelet.key", key)  # first: a certificate without its key must not look finished
            write_private(pki / "kubelet.crt", certificate)

    def kubeconfigs(self, which: str = "all", *, users: Mapping[str, str]) -> None:
        """Have kubeadm's own kubeconfigs, or `which` one of them, and one for each of the users, by account."""
        self._run("init", "phase", "kubeconfig", which, f"--kubeconfig-dir={self.plane.folder}")
        for account, user in users.items():
            path = self.plane.kubeconfig(account)
            if not path.exists():
                write_private(path, self.kubeconfig(user).encode())

    def kubeconfig(self, user: str, *groups: str) -> str:
        """A new kubeconfig for a user in these groups, with a certificate of its own inside."""
        return self._run("kubeconfig", "user", f"--client-name={user}", *(f"--org={group}" for group in groups))

    @property
    def _config_file(self) -> Path:
        return self.plane.folder / "kubeadm.json"

    def _run(self, *arguments: str) -> str:
        return run(self.program, *arguments, f"--config={self._config_file}")

    @cached_property
    def _version(self) -> str:
        """Its own release: it looks for one in the internet where none is named."""
        return run(self.program, "version", "--output=short").strip()

    def _config(self, certificates: Path) -> str:
        group = {"apiVersion": "kubeadm.k8s.io/v1beta4"}
        documents: list[Mapping[str, Any]] = [
            {
                **group,
                "kind": "InitConfiguration",
                "localAPIEndpoint": {"advertiseAddress": self.address, "bindPort": self.plane.api_port},
                "nodeRegistration": {"name": self.node, "criSocket": "unix:///run/containerd/containerd.sock"},
            },
            {
                **group,
                "kind": "ClusterConfiguration",
                "kubernetesVersion": self._version,
                "clusterName": f"local-{self.node}",
                "controlPlaneEndpoint": self.plane.url.removeprefix("https://"),
                "certificatesDir": str(certificates),
                "networking": {"serviceSubnet": SERVICE_RANGE},
                "apiServer": {"certSANs": ["127.0.0.1", "localhost"]},
                "encryptionAlgorithm": "ECDSA-P256",  # a key is made in a fraction of the time that RSA takes
                "certificateValidityPeriod": _hours(LIFETIME),
                "caCertificateValidityPeriod": _hours(AUTHORITY_LIFETIME),
            },
        ]
        return "\n---\n".join(json.dumps(document, indent=1) for document in documents)


def forget_unfit(folder: Path, *, now: dt.datetime, all_but_authorities: bool = False) -> None:
    """Delete what is near its end, half there, or signed by an authority that is no longer there.

    `all_but_authorities` is for a cluster that has another address or name than the one they were made for.
    """
    pki = folder / "pki"
    stems = {path.with_suffix("") for kind in ("*.crt", "*.key") for path in pki.rglob(kind)} - {pki / "sa"}
    roots = {pki / name for name in AUTHORITIES}
    issuers = [certificate for root in roots if (certificate := _fit(_pair(root), None, now=now)) is not None]
    for stem in stems:
        if (all_but_authorities and stem not in roots) or _fit(_pair(stem), issuers, now=now) is None:
            for suffix in (".crt", ".key"):
                stem.with_suffix(suffix).unlink(missing_ok=True)
    for path in folder.glob("*.conf"):
        if all_but_authorities or _fit(_inside(path), issuers, now=now) is None:
            path.unlink()
    # kubeadm writes the public half last, and does not look for it when the private one is there.
    if not all((pki / name).exists() for name in SIGNING_KEY):
        (pki / SIGNING_KEY[0]).unlink(missing_ok=True)


def client_files(kubeconfig: Path) -> ClientFiles:
    """The certificate and the key inside of a kubeconfig, as files beside it."""
    files = ClientFiles(kubeconfig.with_suffix(".crt"), kubeconfig.with_suffix(".key"))
    user = yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]
    for path, field in ((files.key, "client-key-data"), (files.certificate, "client-certificate-data")):
        content = base64.b64decode(user[field])
        if not path.exists() or path.read_bytes() != content:
            write_private(path, content)
    return files


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    partial.rename(path)


def _pair(stem: Path) -> bytes | None:
    """The certificate of a pair, None where one half is missing."""
    certificate = stem.with_suffix(".crt")
    return certificate.read_bytes() if certificate.exists() and stem.with_suffix(".key").exists() else None


def _inside(kubeconfig: Path) -> bytes | None:
    """The certificate inside of a kubeconfig, None where a Ctrl-C has left half a file."""
    with contextlib.suppress(yaml.YAMLError, LookupError, TypeError, ValueError):
        return base64.b64decode(yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]["client-certificate-data"])
    return None


def _fit(
    content: bytes | None, issuers: Iterable[x509.Certificate] | None, *, now: dt.datetime
) -> x509.Certificate | None:
    """The certificate if it can be read, is far from its end, and is signed by one of these; None: by itself."""
    with contextlib.suppress(ValueError):
        certificate = x509.load_pem_x509_certificate(content or b"")
        in_time = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc - RENEW_BEFORE
        if in_time and any(_signed(certificate, issuer) for issuer in ((certificate,) if issuers is None else issuers)):
            return certificate
    return None


def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, TypeError, ValueError):  # another's signature, another kind of key, another name
        return False
    return True


def serving_pair(pki: Path, node: str, *, hosts: Sequence[str], now: dt.datetime) -> tuple[bytes, bytes]:
    """A certificate for a kubelet's server, signed by the cluster's authority, and its key; both PEM."""
    issuer = x509.load_pem_x509_certificate((pki / "ca.crt").read_bytes())
    signer = serialization.load_pem_private_key((pki / "ca.key").read_bytes(), password=None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise TypeError(f"expected an elliptic curve key, got {type(signer).__name__}")
    key = ec.generate_private_key(ec.SECP256R1())
    owner = [(NameOID.ORGANIZATION_NAME, "system:nodes"), (NameOID.COMMON_NAME, f"system:node:{node}")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(*part) for part in owner]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    form = serialization.PrivateFormat.TraditionalOpenSSL
    pem = serialization.Encoding.PEM
    return certificate.public_bytes(pem), key.private_bytes(pem, form, serialization.NoEncryption())


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _hours(time: dt.timedelta) -> str:
    return f"{time // dt.timedelta(hours=1)}h"
