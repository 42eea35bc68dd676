"""The certificates that the real kubeadm makes: who may be whom, and what a second run changes."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from local_cluster.control_plane import SERVICE_IP, ControlPlane
from local_cluster.light import Programs
from local_cluster.pki import ADMIN, LIFETIME, RENEW_BEFORE, Kubeadm, client_files

USERS = {"dns": "the-dns", "provisioner": "the-provisioner"}
Make = Callable[..., Kubeadm]


@pytest.fixture
def make(light_programs: Programs, tmp_path: Path) -> Make:
    """Makes everything that a full cluster has, at an address of its own."""

    def run(address: str = "10.245.0.2", *, later: dt.timedelta = dt.timedelta()) -> Kubeadm:
        now = dt.datetime.now(dt.UTC) + later  # not when the file is read: certificates begin when they are made
        if light_programs.kubeadm is None:
            pytest.skip("KUBEBUILDER_ASSETS holds no kubeadm; unset it to run the tests that need one")
        plane = ControlPlane(
            folder=tmp_path / "plane",
            bind="0.0.0.0",
            advertise=address,
            api_port=6443,
            etcd_port=2379,
            etcd_peer_port=2380,
        )
        made = Kubeadm(program=light_programs.kubeadm, plane=plane, node="demo", address=address)
        made.certificates(now=now)
        made.kubelet_certificates(now=now)
        made.kubeconfigs(users=USERS)
        return made

    return run


def _load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def _owner(path: Path) -> tuple[str, list[str]]:
    name = _load(path).subject
    (user,) = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(user.value), [str(group.value) for group in name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_api_servers_certificate_is_for_every_way_to_reach_it(make: Make) -> None:
    """From the host, from loopback, and from pods by the Service's address and names."""
    plane = make().plane
    names = _load(plane.pki / "apiserver.crt").extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert {str(address) for address in names.get_values_for_type(x509.IPAddress)} == {
        "10.245.0.2",
        "127.0.0.1",
        SERVICE_IP,
    }
    assert {"localhost", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"} <= set(
        names.get_values_for_type(x509.DNSName)
    )


def test_each_account_is_a_user_of_its_own(make: Make) -> None:
    """Only the administrator is above all rules; nobody binds the group of kubeadm's own administrators."""
    plane = make().plane
    owners = {path.stem: _owner(client_files(path).certificate) for path in plane.folder.glob("*.conf")}

    assert owners.pop("admin") == ("kubernetes-admin", ["kubeadm:cluster-admins"])
    assert owners == {
        ADMIN: ("kubernetes-super-admin", ["system:masters"]),
        "kubelet": ("system:node:demo", ["system:nodes"]),
        "controller-manager": ("system:kube-controller-manager", []),
        "scheduler": ("system:kube-scheduler", []),
        "dns": ("the-dns", []),
        "provisioner": ("the-provisioner", []),
    }


def test_the_clusters_authority_opens_neither_etcd_nor_the_kubelet(make: Make) -> None:
    """A user's certificate, which the cluster's authority signs, is worth nothing to either."""
    pki = make().plane.pki
    issuers = {stem: _load(pki / f"{stem}.crt") for stem in ("ca", "etcd/ca", "kubelet-clients/ca", "front-proxy-ca")}
    signed = {
        name: [stem for stem, issuer in issuers.items() if _is_signed(_load(pki / f"{name}.crt"), issuer)]
        for name in ("apiserver", "apiserver-etcd-client", "etcd/server", "etcd/peer", "kubelet", "front-proxy-client")
    }
    client = _load(pki / "kubelet-clients" / "apiserver-kubelet-client.crt")

    assert signed == {
        "apiserver": ["ca"],
        "apiserver-etcd-client": ["etcd/ca"],
        "etcd/server": ["etcd/ca"],
        "etcd/peer": ["etcd/ca"],
        "kubelet": ["ca"],
        "front-proxy-client": ["front-proxy-ca"],
    }
    assert [stem for stem, issuer in issuers.items() if _is_signed(client, issuer)] == ["kubelet-clients/ca"]


def _is_signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError):
        return False
    return True


def test_a_client_can_not_pose_as_a_server(make: Make) -> None:
    """Its certificate is for client authentication alone, and it can sign nothing."""
    extensions = _load(client_files(make().plane.kubeconfig("dns")).certificate).extensions

    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_second_run_changes_nothing(make: Make) -> None:
    """So that a second `up` starts nothing anew."""
    before = _contents(make().plane.folder)

    assert before == _contents(make().plane.folder)


def test_near_their_end_all_are_made_anew_by_the_same_authorities(make: Make) -> None:
    """Whom the cluster trusts stays, and so do the tokens."""
    folder = make().plane.folder
    before = _contents(folder)
    make(later=LIFETIME - RENEW_BEFORE + dt.timedelta(days=1))
    after = _contents(folder)

    kept = {name for name in before if before[name] == after.get(name)}
    assert before.keys() == after.keys()
    assert {"pki/sa.key", "pki/sa.pub", "kubeadm.json"} == {
        name for name in kept if not name.endswith(("ca.crt", "ca.key"))
    }
    assert sum(name.endswith("ca.crt") for name in kept) == 4


def test_another_address_gets_other_certificates(make: Make) -> None:
    """Kubeadm itself would go on with those of yesterday."""
    make()
    plane = make("10.245.0.6").plane
    names = _load(plane.pki / "apiserver.crt").extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert "10.245.0.6" in {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert all("server: https://10.245.0.6:6443" in path.read_text() for path in plane.folder.glob("*.conf"))


@pytest.mark.parametrize(
    "lost", ["pki/etcd/server.key", "pki/ca.key", "pki/sa.pub", "scheduler.conf", "pki/kubelet.crt"]
)
def test_what_a_ctrl_c_has_left_is_made_whole(make: Make, lost: str) -> None:
    """Half of anything heals with the next run."""
    folder = make().plane.folder
    before = _contents(folder)
    (folder / lost).unlink()
    make()

    assert before.keys() == _contents(folder).keys()
