"""How to reach an API server, out of a kubeconfig file. Read once, when the provisioner starts.

Understands what the local cluster writes: a certificate authority, a client certificate or a token, each as a file or
inline. Exec plugins and the like are refused by name, not ignored.
"""

import base64
import dataclasses
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from session_devtools.errors import ToolError


class KubeconfigError(ToolError):
    """The kubeconfig cannot be used; the message says why."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Access:
    """An API server and how to prove who we are."""

    server: str
    tls: ssl.SSLContext | None
    """ None for plain http, which only tests use. """
    token: str = dataclasses.field(default="", repr=False)


def load(path: Path) -> Access:
    """The access of the file's current context. Raises KubeconfigError."""
    try:
        config = yaml.safe_load(path.read_text())
        context = _named(config, "contexts", config["current-context"])["context"]
        cluster = _named(config, "clusters", context["cluster"])["cluster"]
        user = _named(config, "users", context["user"])["user"]
        server = cluster["server"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise KubeconfigError(f"{path} is no usable kubeconfig: {error!r}") from error
    unknown = set(user) - {"client-certificate", "client-certificate-data", "client-key", "client-key-data", "token"}
    if unknown:
        raise KubeconfigError(
            f"{path} uses {', '.join(sorted(unknown))}; only a client certificate or a token works here"
        )
    tls = _tls(cluster, user, folder=path.parent) if server.startswith("https:") else None
    return Access(server=server, tls=tls, token=user.get("token", ""))


def _named(config: Mapping[str, Any], kind: str, name: str) -> Mapping[str, Any]:
    for entry in config[kind]:
        if entry["name"] == name:
            found: Mapping[str, Any] = entry
            return found
    raise KeyError(f"{kind} has no {name}")


def _tls(cluster: Mapping[str, Any], user: Mapping[str, Any], *, folder: Path) -> ssl.SSLContext:
    authority = _content(cluster, "certificate-authority", folder=folder)
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    certificate = _content(user, "client-certificate", folder=folder)
    key = _content(user, "client-key", folder=folder)
    if certificate and key:
        # The ssl module reads a certificate and its key from a file only; this one is private and gone at once.
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(certificate + b"\n" + key)
            pair.flush()
            context.load_cert_chain(pair.name)
    return context


def _content(entry: Mapping[str, Any], field: str, *, folder: Path) -> bytes:
    if f"{field}-data" in entry:
        return base64.b64decode(entry[f"{field}-data"])
    # A relative path counts from the kubeconfig's own folder.
    return (folder / entry[field]).read_bytes() if field in entry else b""
