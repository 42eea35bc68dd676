"""The kubeconfig that the provisioner is given."""

import base64
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml
from local_cluster.pki import Authority, Pair
from local_cluster.provisioner.kubeconfig import KubeconfigError, load

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture(scope="module")
def authority() -> Authority:
    """A certificate authority."""
    return Authority.create("test", now=NOW)


@pytest.fixture(scope="module")
def client(authority: Authority) -> Pair:
    """A client's certificate and key."""
    return authority.client("somebody", groups=(), now=NOW)


def config(user: dict[str, Any], **cluster: Any) -> dict[str, Any]:
    """A kubeconfig of one cluster and one user."""
    return {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443", **cluster}}],
        "users": [{"name": "u", "user": user}],
    }


def write(folder: Path, content: Any) -> Path:
    """The file."""
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    return path


def inline(content: bytes) -> str:
    """As kubeconfigs carry files inside."""
    return base64.b64encode(content).decode()


def test_certificates_inside_the_file(tmp_path: Path, authority: Authority, client: Pair) -> None:
    """As the local cluster writes it."""
    user = {"client-certificate-data": inline(client.certificate), "client-key-data": inline(client.key)}
    path = write(tmp_path, config(user, **{"certificate-authority-data": inline(authority.pair.certificate)}))

    access = load(path)

    assert access.server == "https://127.0.0.1:6443"
    assert access.tls is not None
    assert len(access.tls.get_ca_certs()) == 1


def test_certificates_beside_the_file(tmp_path: Path, authority: Authority, client: Pair) -> None:
    """A relative path counts from the kubeconfig's folder."""
    for name, content in (("ca", authority.pair.certificate), ("crt", client.certificate), ("key", client.key)):
        (tmp_path / name).write_bytes(content)
    user = {"client-certificate": "crt", "client-key": "key"}

    access = load(write(tmp_path, config(user, **{"certificate-authority": "ca"})))

    assert access.tls is not None
    assert len(access.tls.get_ca_certs()) == 1


def test_a_token(tmp_path: Path, authority: Authority) -> None:
    """It is used, and never shown."""
    path = write(
        tmp_path, config({"token": "secret"}, **{"certificate-authority-data": inline(authority.pair.certificate)})
    )

    access = load(path)

    assert access.token == "secret"
    assert "secret" not in repr(access)


@pytest.mark.parametrize("content", ["", "just text", "{", "current-context: here", "[]"])
def test_what_is_no_kubeconfig_is_refused_by_its_path(tmp_path: Path, content: str) -> None:
    """The person knows which file to look at."""
    path = tmp_path / "kubeconfig"
    path.write_text(content)

    with pytest.raises(KubeconfigError, match="kubeconfig is no usable kubeconfig"):
        load(path)


def test_a_missing_file_is_refused_by_its_path(tmp_path: Path) -> None:
    """The same for none at all."""
    with pytest.raises(KubeconfigError, match="missing is no usable kubeconfig"):
        load(tmp_path / "missing")


def test_a_way_to_log_in_that_is_not_understood_is_named(tmp_path: Path) -> None:
    """Ignoring it would end in a refusal by the API server that nobody understands."""
    path = write(tmp_path, config({"exec": {"command": "aws"}}))

    with pytest.raises(KubeconfigError, match="uses exec; only a client certificate or a token works here"):
        load(path)
