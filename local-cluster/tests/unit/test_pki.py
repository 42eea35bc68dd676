"""Certificates without kubeadm: which of its files no longer fit, what it is asked for, and the kubelet's own."""

import base64
import datetime as dt
import ipaddress
import json
import stat
from pathlib import Path

import pytest
import trustme
import yaml
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st
from local_cluster.control_plane import SERVICE_RANGE, ControlPlane
from local_cluster.pki import (
    AUTHORITIES,
    LIFETIME,
    RENEW_BEFORE,
    Kubeadm,
    client_files,
    forget_unfit,
    serving_pair,
    write_private,
)

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
LEAVES = {"apiserver": "ca", "kubelet": "ca", "etcd/server": "etcd/ca", "front-proxy-client": "front-proxy-ca"}
CA = {name: trustme.CA() for name in AUTHORITIES}


def _put(folder: Path, stem: str, made: trustme.CA | trustme.LeafCert) -> None:
    path = folder / "pki" / stem
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = made.cert_pem if isinstance(made, trustme.CA) else made.cert_chain_pems[0]
    pem.write_to_path(path.with_suffix(".crt"))
    made.private_key_pem.write_to_path(path.with_suffix(".key"))


def _leaf(authority: str, *, end: dt.datetime = NOW + LIFETIME) -> trustme.LeafCert:
    return CA[authority].issue_cert("localhost", not_after=end)


def _kubeconfig(made: trustme.LeafCert) -> str:
    certificate, key = made.cert_chain_pems[0].bytes(), made.private_key_pem.bytes()
    user = {
        "client-certificate-data": base64.b64encode(certificate).decode(),
        "client-key-data": base64.b64encode(key).decode(),
    }
    return yaml.safe_dump({"users": [{"name": "x", "user": user}]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A control plane's folder as kubeadm leaves it."""
    for name in AUTHORITIES:
        _put(tmp_path, name, CA[name])
    for stem, authority in LEAVES.items():
        _put(tmp_path, stem, _leaf(authority))
    (tmp_path / "super-admin.conf").write_text(_kubeconfig(_leaf("ca")))
    for name in ("sa.key", "sa.pub"):
        (tmp_path / "pki" / name).touch()
    return tmp_path


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def _forgotten(folder: Path, *, now: dt.datetime = NOW, moved: bool = False) -> set[str]:
    """What goes, without the suffix."""
    before = _files(folder)
    forget_unfit(folder, now=now, all_but_authorities=moved)
    return {name.rpartition(".")[0] for name in before - _files(folder)}


def test_what_fits_is_left_alone(folder: Path) -> None:
    """A second `up` makes nothing anew, so nothing has to be started anew."""
    assert _forgotten(folder) == set()


@pytest.mark.parametrize("stem", LEAVES)
def test_a_certificate_near_its_end_goes_and_the_others_stay(folder: Path, stem: str) -> None:
    """Both halves of it, and nothing beside it."""
    _put(folder, stem, _leaf(LEAVES[stem], end=NOW + RENEW_BEFORE - DAY))

    assert _forgotten(folder) == {f"pki/{stem}"}
    assert not any((folder / "pki" / stem).with_suffix(suffix).exists() for suffix in (".crt", ".key"))


def test_a_kubeconfig_near_its_end_goes(folder: Path) -> None:
    """By the certificate inside."""
    (folder / "super-admin.conf").write_text(_kubeconfig(_leaf("ca", end=NOW + RENEW_BEFORE - DAY)))

    assert _forgotten(folder) == {"super-admin"}


@given(left=st.timedeltas(min_value=dt.timedelta(0), max_value=dt.timedelta(days=400)))
def test_the_last_thirty_days_are_near_the_end(tmp_path_factory: pytest.TempPathFactory, left: dt.timedelta) -> None:
    """Early enough that a cluster which is brought up now and then never meets an expired one."""
    folder, end = tmp_path_factory.mktemp("pki"), (NOW + left).replace(microsecond=0)
    _put(folder, "ca", CA["ca"])
    _put(folder, "apiserver", _leaf("ca", end=end))

    assert _forgotten(folder) == (set() if end - RENEW_BEFORE >= NOW else {"pki/apiserver"})


def test_certificates_from_the_future_go(folder: Path) -> None:
    """A clock that was set back must not lock us out: all of them are made anew."""
    long_ago = dt.datetime(1999, 1, 1, tzinfo=dt.UTC)

    assert _forgotten(folder, now=long_ago) == {*(f"pki/{name}" for name in (*AUTHORITIES, *LEAVES)), "super-admin"}
    assert (folder / "pki" / "sa.key").exists()


@pytest.mark.parametrize("suffix", [".crt", ".key"])
@pytest.mark.parametrize("stem", LEAVES)
def test_half_a_pair_goes(folder: Path, stem: str, suffix: str) -> None:
    """A Ctrl-C between the two; kubeadm would refuse what is left."""
    (folder / "pki" / stem).with_suffix(suffix).unlink()

    assert _forgotten(folder) == {f"pki/{stem}"}


@pytest.mark.parametrize("spoil", ["missing key", "missing certificate", "another one"])
@pytest.mark.parametrize("name", AUTHORITIES)
def test_what_a_lost_authority_has_signed_goes(folder: Path, name: str, spoil: str) -> None:
    """Below it everything is void; what others have signed stays."""
    signed = {f"pki/{stem}" for stem, authority in LEAVES.items() if authority == name}
    signed |= {"super-admin"} if name == "ca" else set()
    if spoil == "another one":
        _put(folder, name, trustme.CA())
    else:
        (folder / "pki" / f"{name}.{'key' if spoil == 'missing key' else 'crt'}").unlink()
        signed.add(f"pki/{name}")

    assert _forgotten(folder) == signed


@pytest.mark.parametrize("content", ["", "-----BEGIN CERTIFICATE-----\nMIIB", "garbage"])
def test_half_a_certificate_goes(folder: Path, content: str) -> None:
    """A Ctrl-C in the middle of a write."""
    (folder / "pki" / "apiserver.crt").write_text(content)

    assert _forgotten(folder) == {"pki/apiserver"}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[",
        "users",
        "users: []",
        "users: [{user: {}}]",
        "users: [{user: {client-certificate-data: '%'}}]",
        "[1]",
        "\0",
    ],
)
def test_half_a_kubeconfig_goes(folder: Path, content: str) -> None:
    """The same in the middle of a kubeconfig, wherever it was cut off."""
    (folder / "super-admin.conf").write_text(content)

    assert _forgotten(folder) == {"super-admin"}


def test_another_address_keeps_the_authorities_and_the_tokens(folder: Path) -> None:
    """Everything that names it goes; whom the cluster trusts stays, and every token is still good."""
    assert _forgotten(folder, moved=True) == {*(f"pki/{stem}" for stem in LEAVES), "super-admin"}
    assert {"pki/sa.key", "pki/sa.pub", "pki/ca.key", "pki/etcd/ca.crt"} <= _files(folder)


def test_a_signing_key_without_its_public_half_goes(folder: Path) -> None:
    """Kubeadm would keep it, and the API server could not check a token."""
    (folder / "pki" / "sa.pub").unlink()

    assert _forgotten(folder) == {"pki/sa"}


def test_an_empty_folder_is_fine(tmp_path: Path) -> None:
    """The first `up`."""
    assert _forgotten(tmp_path) == set()


@pytest.fixture
def kubeadm(tmp_path: Path) -> Kubeadm:
    """A kubeadm that writes down what it was asked for."""
    program = tmp_path / "kubeadm"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n'
        'case "$1" in version) echo v1.35.4;; kubeconfig) echo "for $@";; esac\n'
    )
    program.chmod(0o755)
    plane = ControlPlane(
        folder=tmp_path / "plane", bind="x", advertise="127.0.0.1", api_port=6443, etcd_port=1, etcd_peer_port=2
    )
    return Kubeadm(program=program, plane=plane, node="demo", address="192.0.2.1")


def test_kubeadm_gets_everything_it_would_look_for(kubeadm: Kubeadm) -> None:
    """Its release, which it would ask the internet for; an address beside loopback, which it would refuse."""
    kubeadm.certificates(now=NOW)
    init, cluster = yaml.safe_load_all((kubeadm.plane.folder / "kubeadm.json").read_text())

    assert init["localAPIEndpoint"] == {"advertiseAddress": "192.0.2.1", "bindPort": 6443}
    assert init["nodeRegistration"]["name"] == "demo"
    assert cluster["kubernetesVersion"] == "v1.35.4"
    assert cluster["controlPlaneEndpoint"] == "127.0.0.1:6443"
    assert set(cluster["apiServer"]["certSANs"]) == {"127.0.0.1", "localhost"}
    assert cluster["networking"] == {"serviceSubnet": SERVICE_RANGE}
    assert cluster["certificatesDir"] == str(kubeadm.plane.pki)
    assert (cluster["encryptionAlgorithm"], cluster["certificateValidityPeriod"]) == ("ECDSA-P256", "8760h")


def test_another_address_makes_the_certificates_anew(kubeadm: Kubeadm, folder: Path) -> None:
    """Kubeadm itself would keep them; the same address again leaves them alone."""
    plane = ControlPlane(folder=folder, bind="x", advertise="10.0.0.1", api_port=1, etcd_port=2, etcd_peer_port=3)
    first = Kubeadm(program=kubeadm.program, plane=plane, node="demo", address="10.0.0.1")
    first.certificates(now=NOW)
    first.certificates(now=NOW)
    before = _files(folder)
    Kubeadm(program=kubeadm.program, plane=plane, node="demo", address="10.0.0.2").certificates(now=NOW)

    assert {"pki/apiserver.crt", "super-admin.conf"} <= before
    assert _files(folder) & {"pki/apiserver.crt", "super-admin.conf"} == set()
    assert "pki/ca.crt" in _files(folder)


def test_a_user_gets_a_kubeconfig_once(kubeadm: Kubeadm) -> None:
    """One that is there is left alone: its certificate is what its holder was started with."""
    path = kubeadm.plane.kubeconfig("dns")
    kubeadm.kubeconfigs("super-admin", users={"dns": "the-dns"})
    first = path.read_text()
    path.write_text("kept")
    kubeadm.kubeconfigs("super-admin", users={"dns": "the-dns"})

    assert "--client-name=the-dns" in first
    assert path.read_text() == "kept"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_user_may_be_in_groups(kubeadm: Kubeadm) -> None:
    """As many as it likes, in their order."""
    assert "--client-name=jane --org=devs --org=admins" in kubeadm.kubeconfig("jane", "devs", "admins")


def test_the_kubelets_certificate_is_for_its_node_alone(folder: Path) -> None:
    """A server's, for its address and its name, signed by the cluster's authority; it can neither sign nor ask."""
    _put(folder, "ca", CA["ca"])
    pem, key = serving_pair(folder / "pki", "demo", hosts=["10.245.0.2", "demo"], now=NOW)
    certificate = x509.load_pem_x509_certificate(pem)
    extensions = certificate.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert names.get_values_for_type(x509.DNSName) == ["demo"]
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("10.245.0.2")]
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.not_valid_after_utc == NOW + LIFETIME
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(CA["ca"].cert_pem.bytes()))
    assert key.startswith(b"-----BEGIN EC PRIVATE KEY-----")


def test_a_kubeconfigs_certificate_can_be_had_as_files(folder: Path) -> None:
    """For a client that reads no kubeconfig; nobody else can read the key."""
    made = _leaf("ca")
    path = folder / "jane.conf"
    path.write_text(_kubeconfig(made))
    files = client_files(path)
    again = client_files(path)

    assert files == again == (folder / "jane.crt", folder / "jane.key")
    assert files.certificate.read_bytes() == made.cert_chain_pems[0].bytes()
    assert files.key.read_bytes() == made.private_key_pem.bytes()
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600


def test_the_files_follow_a_new_kubeconfig(folder: Path) -> None:
    """A renewed one must not leave its predecessor's certificate beside it."""
    path = folder / "jane.conf"
    path.write_text(_kubeconfig(_leaf("ca")))
    client_files(path)
    renewed = _leaf("ca")
    path.write_text(_kubeconfig(renewed))

    assert client_files(path).certificate.read_bytes() == renewed.cert_chain_pems[0].bytes()


def test_a_private_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """Also over the remains of an interrupted write."""
    target = tmp_path / "secret"
    (tmp_path / ".secret.partial").write_text("half of something")
    write_private(target, b"one")
    write_private(target, b"two")

    assert target.read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_the_folder_is_its_owners(kubeadm: Kubeadm) -> None:
    """Nobody else lists the keys."""
    kubeadm.certificates(now=NOW)

    assert stat.S_IMODE(kubeadm.plane.pki.stat().st_mode) == 0o700
    assert json.loads((kubeadm.plane.folder / "kubeadm.json").read_text().partition("\n---\n")[0])
