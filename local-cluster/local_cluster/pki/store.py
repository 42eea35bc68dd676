"""A folder of certificates that is brought to what a cluster wants, and left alone where it already is.

Both modes call `ensure_authority`, `ensure` and `ensure_signing_key` before they start a process: light mode on an
empty folder, the full cluster on that of its last run, where only what is near its end, or is for another address
than today's, is made anew. A file is replaced by a rename, so a reader or a Ctrl-C never meets half of one.
"""

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local_cluster.pki.authority import Authority, Pair, key_pair, needs_renewal, public_key, subject, subject_names

__all__ = ["Client", "Server", "Store", "write_private"]


@dataclass(frozen=True, kw_only=True)
class Server:
    """A certificate that is wanted for a server."""

    name: str
    authority: str
    hosts: Sequence[str]
    also_client: bool = False


@dataclass(frozen=True, kw_only=True)
class Client:
    """A certificate that is wanted for a client: the user and the groups it makes of its holder."""

    name: str
    authority: str
    user: str
    groups: Sequence[str] = ()


class Store:
    """The certificates below one folder, `NAME.crt` and `NAME.key`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def certificate(self, name: str) -> Path:
        """The file of a certificate, whether it is there yet or not."""
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        """The file of a private key, whether it is there yet or not."""
        return self.folder / f"{name}.key"

    def pair(self, name: str) -> Pair:
        """A certificate and its key; FileNotFoundError when `ensure` was never called for it."""
        return Pair(self.certificate(name).read_bytes(), self.key(name).read_bytes())

    def ensure_authority(self, name: str, *, now: dt.datetime) -> bool:
        """Make the authority unless it is there and valid; True when it was made, and all it had signed is void."""
        existing = self._existing(name)
        if existing is not None and not needs_renewal(existing.certificate, now=now):
            return False
        self._write(name, Authority.create(name, now=now).pair)
        return True

    def ensure(self, wanted: Server | Client, *, now: dt.datetime) -> bool:
        """Make the certificate unless a good one is there; True when it was made and its holder must read it anew."""
        authority = Authority(pair=self.pair(wanted.authority))
        existing = self._existing(wanted.name)
        hosts = frozenset(wanted.hosts) if isinstance(wanted, Server) else frozenset()
        owner = (wanted.name, ()) if isinstance(wanted, Server) else (wanted.user, tuple(wanted.groups))
        if (
            existing is not None
            and not needs_renewal(existing.certificate, now=now)
            and subject_names(existing.certificate) == hosts
            and subject(existing.certificate) == owner
            and authority.signed(existing.certificate)
        ):
            return False
        if isinstance(wanted, Server):
            pair = authority.server(wanted.name, hosts=wanted.hosts, now=now, also_client=wanted.also_client)
        else:
            pair = authority.client(wanted.user, groups=wanted.groups, now=now)
        self._write(wanted.name, pair)
        return True

    def ensure_signing_key(self, name: str) -> bool:
        """Make a key pair without a certificate (NAME.key and NAME.pub) unless it is there; True when it was made."""
        public = self.folder / f"{name}.pub"
        if self.key(name).exists() and public.exists():
            return False
        private = key_pair()
        write_private(self.key(name), private)
        write_private(public, public_key(private))
        return True

    def _existing(self, name: str) -> Pair | None:
        try:
            return self.pair(name)
        except FileNotFoundError:
            return None

    def _write(self, name: str, pair: Pair) -> None:
        write_private(self.key(name), pair.key)  # first: a certificate without its key must not look finished
        write_private(self.certificate(name), pair.certificate)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    partial.rename(path)
