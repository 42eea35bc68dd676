"""The keys from which the sessions' tokens are derived: one Secret, in the operator's own namespace.

    data:
      current: 20261122t180305-9f3a61      the id of the key for pods made from now on
      20261122t180305-9f3a61: …32 bytes…   each other entry is a key

The key is generated at the first start and is in no manifest. Rotation (`python -m whatsapp_operator rotate-key`) adds
a key and makes it current; pods keep the tokens they were created with, and their label names the key of these.
A key's id begins with the time of its creation, which is also when its predecessor was retired. A retired key is kept
for a while, because a pod with it may be in creation; then it is deleted when nothing uses it, and on its last day at
the latest. Sessions that still use it get new pods in the days before (`core.session.renewal`). So that the last day
stays where it is, a key is kept while an older one is: the older one's retirement is read from it.

The operator may `get` and `update` this one Secret by name; cluster-wide it may create Secrets and nothing else.
"""

import base64
import binascii
import logging
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

from whatsapp_operator.api.constants import KEYS_SUFFIX
from whatsapp_operator.core.model import KeyID
from whatsapp_operator.core.objects.names import operator_labels
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import AlreadyExists, Conflict, NotFound
from whatsapp_operator.runtime.kube.resources import SECRETS, Json
from whatsapp_operator.runtime.process.clock import Clock

logger = logging.getLogger(__name__)

CURRENT: Final = "current"
KEY_BYTES: Final = 32
""" As long as the hash it is used with (SHA-256). """
KEEP_RETIRED: Final = timedelta(minutes=10)
""" A retired key is kept at least so long: a pod created with it may not be in any list yet. """
RETIREMENT: Final = timedelta(days=30)
""" From a key's retirement to its last day. """
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
""" The assumed creation time of a key whose id has none, because a person chose it. """
_ID_TIME: Final = "%Y%m%dt%H%M%S"


class BadKeySecret(Exception):
    """The key Secret exists and cannot be used; the message says what to do."""


class UnknownKey(LookupError):
    """The Secret has no such key: it was deleted while a pod still used it."""


@dataclass(frozen=True)
class Keys:
    """The content of the Secret."""

    current: KeyID
    by_id: dict[KeyID, bytes]

    @cached_property
    def ends(self) -> dict[KeyID, datetime]:
        """When each retired key ends, the oldest key first."""
        made = {key_id: _made(key_id) for key_id in sorted(self.by_id, key=lambda key_id: (_made(key_id), key_id))}
        retired = [key_id for key_id in made if key_id != self.current]
        # Without a successor a person made an older key current again: then the key's own time must do.
        return {
            key_id: min((later for later in made.values() if later > made[key_id]), default=made[key_id]) + RETIREMENT
            for key_id in retired
        }

    def __repr__(self) -> str:
        return f"Keys(current={self.current!r}, {len(self.by_id)} keys)"


class KeyRing:
    """The keys, as of the last read."""

    def __init__(self, *, kube: Kube, clock: Clock, namespace: str, name: str) -> None:
        self._kube = kube
        self._clock = clock
        self._namespace = namespace
        self._name = name
        self._secret: Json = {}
        self._keys: Keys | None = None
        self.generation = 0
        """ Goes up with each change of the keys, so that whoever remembers what they verified can tell. """

    @property
    def current(self) -> KeyID:
        """The id of the key for pods created now."""
        return self._loaded.current

    def key(self, key_id: KeyID) -> bytes:
        """Return a key. :raises UnknownKey: it is not in the Secret."""
        try:
            return self._loaded.by_id[key_id]
        except KeyError as error:
            raise UnknownKey(f"the key {key_id} is not in the Secret {self._namespace}/{self._name}") from error

    def find(self, key_id: KeyID) -> bytes | None:
        """Return a key, or None."""
        return self._loaded.by_id.get(key_id)

    @property
    def retired(self) -> Collection[KeyID]:
        """The keys that are not the current one."""
        return self._loaded.ends

    def last_day(self, key_id: KeyID) -> datetime | None:
        """Return when a key ends; None: it is the current one. One that is not in the Secret ended long ago."""
        return None if key_id == self.current else self._loaded.ends.get(key_id, _LONG_AGO)

    def ended(self, key_id: KeyID) -> bool:
        """Whether a key is past its last day, or gone: nothing made with it is believed any more."""
        last_day = self.last_day(key_id)
        return last_day is not None and last_day <= self._clock.now()

    @property
    def _loaded(self) -> Keys:
        if self._keys is None:
            raise RuntimeError("the keys have not been read yet")
        return self._keys

    async def load(self) -> None:
        """Read the Secret; create it if there is none.

        :raises BadKeySecret: it cannot be used.
        """
        try:
            secret = await self._kube.get(SECRETS, namespace=self._namespace, name=self._name)
        except NotFound:
            secret = await self._create()
        self._take(secret)

    async def _create(self) -> Json:
        key_id = _new_id(self._clock.now())
        try:
            secret = await self._kube.create(
                SECRETS,
                {
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": {
                        "name": self._name,
                        "namespace": self._namespace,
                        "labels": operator_labels(self._name.removesuffix(KEYS_SUFFIX)),
                    },
                    "type": "Opaque",
                    "data": {CURRENT: _encode(key_id.encode()), key_id: _encode(secrets.token_bytes(KEY_BYTES))},
                },
            )
        except AlreadyExists:
            return await self._kube.get(SECRETS, namespace=self._namespace, name=self._name)
        logger.info("First key made", extra={"secret": self._name, "key_id": key_id})
        return secret

    async def rotate(self) -> KeyID:
        """Add a key and make it current. Pods created from now on use it.

        :raises Conflict: somebody else changed the Secret first; nothing was changed.
        """
        await self.load()
        key_id = _new_id(self._clock.now())
        data = {
            **self._secret["data"],
            CURRENT: _encode(key_id.encode()),
            key_id: _encode(secrets.token_bytes(KEY_BYTES)),
        }
        self._take(await self._kube.replace(SECRETS, {**self._secret, "data": data}))
        logger.info("Key rotated", extra={"secret": self._name, "key_id": key_id})
        return key_id

    async def prune(self, *, used: Collection[KeyID]) -> None:
        """Delete the retired keys that nothing uses or that have ended. `used` must come from a full LIST."""
        if self._clock.now() - _made(self.current) < KEEP_RETIRED:
            return
        unused: list[KeyID] = []
        kept = False
        for key_id in self._loaded.ends:
            kept = kept or (key_id in used and not self.ended(key_id))
            if not kept:
                unused.append(key_id)
        if not unused:
            return
        data = {name: value for name, value in self._secret["data"].items() if name not in unused}
        try:
            self._take(await self._kube.replace(SECRETS, {**self._secret, "data": data}))
        except Conflict:
            return  # changed meanwhile; the next resync reads it and tries again
        logger.info("Unused keys deleted", extra={"secret": self._name, "count": len(unused)})

    def _take(self, secret: Json) -> None:
        keys = _parsed(secret.get("data") or {}, where=f"{self._namespace}/{self._name}")
        if self._keys is not None and keys.current != self._keys.current:
            logger.info("Another key is current", extra={"secret": self._name, "key_id": keys.current})
        self._secret = secret
        if keys != self._keys:
            self._keys = keys
            self.generation += 1


def _parsed(data: dict[str, str], *, where: str) -> Keys:
    otherwise = f"restore it from a backup, or delete the Secret {where} and all session pods to start over"
    try:
        decoded = {name: base64.b64decode(value, validate=True) for name, value in data.items()}
        current = KeyID(decoded.pop(CURRENT).decode("ascii").strip())
    except (KeyError, ValueError, binascii.Error) as error:
        raise BadKeySecret(f"the key Secret has no readable entry {CURRENT!r}: {otherwise}") from error
    by_id = {KeyID(name): key for name, key in decoded.items() if len(key) >= KEY_BYTES}
    if current not in by_id:
        raise BadKeySecret(f"the key Secret has no key of at least {KEY_BYTES} bytes named {current!r}: {otherwise}")
    return Keys(current, by_id)


def _new_id(now: datetime) -> KeyID:
    return KeyID(f"{now.astimezone(UTC).strftime(_ID_TIME)}-{secrets.token_hex(3)}")


def _made(key_id: KeyID) -> datetime:
    """Return when a key was created, by its id; long ago for an id that a person chose."""
    try:
        return datetime.strptime(key_id.partition("-")[0], _ID_TIME).replace(tzinfo=UTC)
    except ValueError:
        return _LONG_AGO


def _encode(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
