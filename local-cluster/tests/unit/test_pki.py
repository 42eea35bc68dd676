"""Certificates: whom they make of their holder, for how long, and when they are made anew."""

import base64
import datetime as dt
import ipaddress
import stat
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st
from local_cluster.pki import Authority, Client, Pair, Server, Store, kubeconfig, needs_renewal
from local_cluster.pki.authority import LIFETIME, RENEW_BEFORE, key_pair, public_key, subject_names
from local_cluster.pki.store import write_private

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def test_a_client_certificate_names_user_and_groups() -> None:
    """Kubernetes reads the user from the common name and the groups from the organizations."""
    pair = Authority.create("ca", now=NOW).client("jane", groups=["devs", "admins"], now=NOW)
    subject = x509.load_pem_x509_certificate(pair.certificate).subject

    assert [name.value for name in subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["jane"]
    assert [name.value for name in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == ["devs", "admins"]


def test_a_client_can_not_pose_as_a_server() -> None:
    """Its certificate is for client authentication alone, and it can sign nothing."""
    pair = Authority.create("ca", now=NOW).client("jane", now=NOW)
    extensions = x509.load_pem_x509_certificate(pair.certificate).extensions

    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


@pytest.mark.parametrize(
    ("also_client", "expected"),
    [
        (False, [ExtendedKeyUsageOID.SERVER_AUTH]),
        (True, [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
    ],
)
def test_a_server_is_a_client_only_when_asked_for(*, also_client: bool, expected: list[x509.ObjectIdentifier]) -> None:
    """Etcd's members speak to each other with one certificate; nobody else needs that."""
    pair = Authority.create("ca", now=NOW).server("etcd", hosts=["localhost"], now=NOW, also_client=also_client)
    usage = x509.load_pem_x509_certificate(pair.certificate).extensions.get_extension_for_class(x509.ExtendedKeyUsage)

    assert expected == list(usage.value)


def test_a_server_certificate_holds_names_and_addresses_apart() -> None:
    """An address among the DNS names would match for no client."""
    pair = Authority.create("ca", now=NOW).server("api", hosts=["127.0.0.1", "localhost"], now=NOW)
    names = x509.load_pem_x509_certificate(pair.certificate).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )

    assert names.value.get_values_for_type(x509.DNSName) == ["localhost"]
    assert names.value.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("127.0.0.1")]
    assert subject_names(pair.certificate) == {"127.0.0.1", "localhost"}


def test_an_authority_knows_its_own_certificates() -> None:
    """A certificate of another authority of the same name is not one of ours."""
    ours, theirs = Authority.create("ca", now=NOW), Authority.create("ca", now=NOW)
    certificate = ours.client("jane", now=NOW).certificate

    assert ours.signed(certificate)
    assert not theirs.signed(certificate)


@given(age=st.timedeltas(min_value=dt.timedelta(0), max_value=dt.timedelta(days=400)))
def test_a_certificate_is_renewed_in_its_last_thirty_days(age: dt.timedelta) -> None:
    """Early enough that a cluster which is brought up now and then never meets an expired one."""
    expected = age > LIFETIME - RENEW_BEFORE

    assert expected == needs_renewal(JANE.certificate, now=NOW.replace(microsecond=0) + age)


def test_a_certificate_from_the_future_is_renewed() -> None:
    """A clock that was set back must not lock us out."""
    assert needs_renewal(JANE.certificate, now=NOW - DAY)


def test_the_public_half_belongs_to_the_private_one() -> None:
    """What checks the tokens is what signs them, and the API server can read both forms."""
    private = key_pair()

    assert private.startswith(b"-----BEGIN EC PRIVATE KEY-----")
    assert public_key(private).startswith(b"-----BEGIN PUBLIC KEY-----")
    assert public_key(private) == public_key(private)


def test_a_kubeconfig_holds_everything_inside() -> None:
    """It can be copied anywhere: no file of ours is named in it."""
    text = kubeconfig(url="https://127.0.0.1:1", authority=b"CA", client=Pair(b"CERT", b"KEY"), name="demo")
    given_config = yaml.safe_load(text)

    assert given_config["current-context"] == "demo"
    assert given_config["clusters"][0]["cluster"] == {
        "server": "https://127.0.0.1:1",
        "certificate-authority-data": base64.b64encode(b"CA").decode(),
    }
    assert given_config["users"][0]["user"] == {
        "client-certificate-data": base64.b64encode(b"CERT").decode(),
        "client-key-data": base64.b64encode(b"KEY").decode(),
    }


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with one authority."""
    made = Store(tmp_path / "pki")
    made.ensure_authority("ca", now=NOW)
    return made


JANE = Authority.create("ca", now=NOW).client("jane", now=NOW)
API = Server(name="api", authority="ca", hosts=["10.0.0.1"])
ADMIN = Client(name="admin", authority="ca", user="admin", groups=["system:masters"])


@pytest.mark.parametrize("wanted", [API, ADMIN])
def test_a_good_certificate_is_left_alone(store: Store, wanted: Server | Client) -> None:
    """A second `up` makes nothing anew, so nothing has to be started anew."""
    first = store.ensure(wanted, now=NOW)
    before = store.pair(wanted.name)
    second = store.ensure(wanted, now=NOW + DAY)

    assert (first, second) == (True, False)
    assert before == store.pair(wanted.name)


@pytest.mark.parametrize("wanted", [API, ADMIN])
def test_a_certificate_near_its_end_is_made_anew(store: Store, wanted: Server | Client) -> None:
    """The holder is told to read it again."""
    store.ensure(wanted, now=NOW)
    before = store.pair(wanted.name)

    assert store.ensure(wanted, now=NOW + LIFETIME - RENEW_BEFORE + DAY)
    assert before != store.pair(wanted.name)


def test_a_server_whose_address_changed_gets_a_new_certificate(store: Store) -> None:
    """The names in the certificate are those of today."""
    store.ensure(API, now=NOW)
    moved = Server(name="api", authority="ca", hosts=["10.0.0.2"])

    assert store.ensure(moved, now=NOW)
    assert subject_names(store.pair("api").certificate) == {"10.0.0.2"}


def test_a_new_authority_voids_what_the_old_one_signed(store: Store) -> None:
    """After ten years, or a lost file, everything below it is made anew."""
    store.ensure(ADMIN, now=NOW)
    store.key("ca").unlink()

    assert store.ensure_authority("ca", now=NOW)
    assert store.ensure(ADMIN, now=NOW)
    assert Authority(pair=store.pair("ca")).signed(store.pair("admin").certificate)


def test_half_a_pair_is_made_whole(store: Store) -> None:
    """A Ctrl-C between key and certificate heals with the next `up`."""
    store.ensure(ADMIN, now=NOW)
    store.certificate("admin").unlink()

    assert store.ensure(ADMIN, now=NOW)
    assert store.certificate("admin").exists()


def test_the_signing_key_is_kept(store: Store) -> None:
    """A new one would make every token in the cluster void."""
    assert store.ensure_signing_key("tokens")
    before = store.key("tokens").read_bytes()

    assert not store.ensure_signing_key("tokens")
    assert before == store.key("tokens").read_bytes()


def test_nobody_else_can_read_a_key(store: Store) -> None:
    """The folder and the files are the owner's alone."""
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(store.key("ca").stat().st_mode) == 0o600


def test_a_private_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """Also over the remains of an interrupted write."""
    target = tmp_path / "secret"
    (tmp_path / ".secret.partial").write_text("half of something")
    write_private(target, b"one")
    write_private(target, b"two")

    assert target.read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
