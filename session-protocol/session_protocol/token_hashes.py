"""How a runner knows its tokens without holding them: by `sha256:` and the hash, in hexadecimal digits.

A token has 256 random bits, so a plain hash gives nothing away and needs no salt. The operator writes hashes into the
Secret that a pod mounts; a runner outside of Kubernetes may be given plain tokens instead.
"""

import hashlib
import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from session_protocol.vocabulary import TokenScope

OPERATOR_FILE: Final = "operator"
""" The file with the key that operator and runner sign their messages with; it is no scope and no token. """
_PREFIX: Final = "sha256:"
_HASH: Final = re.compile(r"sha256:([0-9a-fA-F]{64})")

# Python's `$` lets a line break pass, which the schema's does not: hence the length.
Hash = Annotated[str, Meta(pattern="^sha256:[0-9a-f]{64}$", max_length=71)]


class TokenHashes(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """By which hashes a runner is to know its tokens; a scope that is left out has none."""

    state: Hash
    link: Hash = ""
    send: Hash = ""
    read: Hash = ""
    admin: Hash = ""

    def digests(self) -> dict[TokenScope, bytes]:
        """Return the hashes by scope."""
        written: dict[str, str] = msgspec.to_builtins(self)
        return {TokenScope(scope): bytes.fromhex(text.removeprefix(_PREFIX)) for scope, text in written.items()}


def hash_token(token: str) -> str:
    """Return the hash of a token as it is written into files."""
    return _PREFIX + digest_of(token).hex()


def digest_of(token: str) -> bytes:
    """Return the hash of a token as it is compared. A header may hold any bytes: those that are no text are hashed, too."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()


def read_digest(written: str) -> bytes | None:
    """Return the hash that a file holds, or that of the plain token in it; None: neither, so that nothing matches."""
    if not written:
        return None
    if not written.startswith(_PREFIX):
        return digest_of(written)
    found = _HASH.fullmatch(written)
    return bytes.fromhex(found[1]) if found else None
