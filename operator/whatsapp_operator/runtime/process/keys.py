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

The Secret may be lost while the operator runs: deleted, emptied, garbled, a key taken out of it. Every pod's tokens come
from these keys, so the ones in memory are put back, at the next resync and then less and less often: somebody's tool may
delete the Secret again and again, and until the process ends the memory is as good. So they are put back once more when
it ends (`keep`). Only `prune` takes a key away. What is really lost, because the process was killed meanwhile, each
session with such a pod tells (`core.session.messages`).
"""

import base64
import contextlib
import logging
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

from whatsapp_operator.api.constants import KEYS_SUFFIX
from whatsapp_operator.core.decision import Event
from whatsapp_operator.core.model import KeyID
from whatsapp_operator.core.objects.names import operator_labels
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.errors import AlreadyExists, Conflict, KubeError, NotFound
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
PUT_BACK_FIRST: Final = 60.0
PUT_BACK_LAST: Final = 900.0
""" Seconds until keys that are lost again are put back again: doubled each time, from the first to the last. """
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


def keys_lost_event(secret: str, what: str, *, put_back: bool) -> Event:
    """Return the event about keys that were lost from the Secret."""
    found = f"The keys that the sessions' tokens come from were lost from the Secret {secret}: {what}. "
    if put_back:
        reason = "KeysPutBack"
        message = (
            "They were put back from the operator's memory. Find out who deletes or changes the Secret: what is lost "
            "when the operator starts anew cannot be brought back."
        )
    else:
        reason = "KeysNotPutBack"
        message = (
            "They are in the operator's memory still, and could not be put back; its log says why. They are lost "
            "when it starts anew."
        )
    return Event(type="Warning", action="PuttingKeysBack", reason=reason, message=found + message)


class KeyRing:
    """The keys, as of the last read."""

    def __init__(
        self,
        *,
        kube: Kube,
        clock: Clock,
        namespace: str,
        name: str,
        on_lost: Callable[[str, bool], None] = lambda _what, _put_back: None,
    ) -> None:
        self._kube = kube
        self._clock = clock
        self._namespace = namespace
        self._name = name
        self._on_lost = on_lost
        """ Called with what is lost of the Secret, and whether it was put back. """
        self._secret: Json = {}
        self._keys: Keys | None = None
        self._current_since = clock.monotonic()
        self._put_back_at: float | None = None
        """ When keys were last put back, monotonic seconds; None: never. """
        self._put_back_pause = 0.0
        """ Seconds that must have passed since. """
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
    def retired(self) -> Mapping[KeyID, datetime]:
        """The keys that are not the current one, with when each ends."""
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
        """Read the Secret. The first time create it if there is none; later put back what is lost of it.

        :raises BadKeySecret: it cannot be used, and was never read before.
        """
        if self._keys is not None:
            await self._load_again(self._keys)
            return
        try:
            secret = await self._kube.get(SECRETS, namespace=self._namespace, name=self._name)
        except NotFound:
            secret = await self._create()
        self._take(secret, _parsed(secret.get("data") or {}, where=f"{self._namespace}/{self._name}"))

    async def keep(self) -> None:
        """Put back what is lost, however lately it was put back before: the memory ends with the process."""
        self._put_back_at = None
        if self._keys is not None:
            await self._load_again(self._keys)

    async def _load_again(self, known: Keys) -> None:
        try:
            secret: Json | None = await self._kube.get(SECRETS, namespace=self._namespace, name=self._name)
        except NotFound:
            secret = None
        except KubeError as error:
            logger.warning("Keys could not be read", extra={"secret": self._name, "error": str(error)})
            return
        living = {key_id: key for key_id, key in known.by_id.items() if not self.ended(key_id)}
        kept = Keys(known.current, living)
        wanted, lost = merged(secret.get("data"), kept) if secret is not None else (kept, "the Secret")
        if secret is not None and not lost:
            self._take(secret, wanted)
        elif self._is_put_back_due():
            await self._put_back(secret, wanted, lost)

    def _is_put_back_due(self) -> bool:
        return self._put_back_at is None or self._clock.monotonic() - self._put_back_at >= self._put_back_pause

    async def _put_back(self, secret: Json | None, wanted: Keys, lost: str) -> None:
        now = self._clock.monotonic()
        calm = self._put_back_at is None or now - self._put_back_at >= 4 * PUT_BACK_LAST
        self._put_back_at, self._put_back_pause = (
            now,
            PUT_BACK_FIRST if calm else min(PUT_BACK_LAST, 2 * self._put_back_pause),
        )
        data = {CURRENT: wanted.current.encode()} | {str(key_id): key for key_id, key in wanted.by_id.items()}
        encoded = {name: _encode(value) for name, value in data.items()}
        try:
            if secret is None:
                stored = await self._kube.create(SECRETS, self._manifest(encoded))
            else:
                stored = await self._kube.replace(SECRETS, {**secret, "data": encoded})
        except KubeError as error:
            logger.warning(
                "Lost keys could not be put back", extra={"secret": self._name, "lost": lost, "error": str(error)}
            )
            self._on_lost(lost, False)
            return
        logger.warning("Lost keys put back from memory", extra={"secret": self._name, "lost": lost})
        self._on_lost(lost, True)
        self._take(stored, wanted)

    async def _create(self) -> Json:
        key_id = _new_id(self._clock.now())
        try:
            secret = await self._kube.create(
                SECRETS,
                self._manifest(
                    {CURRENT: _encode(key_id.encode()), key_id: _encode(secrets.token_bytes(KEY_BYTES))},
                ),
            )
        except AlreadyExists:
            return await self._kube.get(SECRETS, namespace=self._namespace, name=self._name)
        logger.info("First key made", extra={"secret": self._name, "key_id": key_id})
        return secret

    def _manifest(self, data: Mapping[str, str]) -> Json:
        labels = operator_labels(self._name.removesuffix(KEYS_SUFFIX))
        metadata = {"name": self._name, "namespace": self._namespace, "labels": labels}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": dict(data)}

    async def rotate(self) -> KeyID:
        """Add a key and make it current. Pods created from now on use it.

        :raises Conflict: somebody else changed the Secret first; nothing was changed.
        """
        await self.load()
        # Later than all others whatever the clock says, since it tells when the one before it was retired.
        latest = max(_made(key_id) for key_id in self._loaded.by_id)
        key_id = _new_id(max(self._clock.now(), latest + timedelta(seconds=1)))
        data = {
            **self._secret["data"],
            CURRENT: _encode(key_id.encode()),
            key_id: _encode(secrets.token_bytes(KEY_BYTES)),
        }
        self._take(await self._kube.replace(SECRETS, {**self._secret, "data": data}), _parsed(data, where=self._name))
        logger.info("Key rotated", extra={"secret": self._name, "key_id": key_id})
        return key_id

    async def prune(self, *, used: Collection[KeyID]) -> None:
        """Delete the retired keys that nothing uses or that have ended. `used` must come from a full LIST."""
        known_for = self._clock.monotonic() - self._current_since  # should its id be of another clock's future
        if max(self._clock.now() - _made(self.current), timedelta(seconds=known_for)) < KEEP_RETIRED:
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
            self._take(
                await self._kube.replace(SECRETS, {**self._secret, "data": data}), _parsed(data, where=self._name)
            )
        except (Conflict, NotFound):
            return  # changed meanwhile; the next resync reads it and tries again
        logger.info("Unused keys deleted", extra={"secret": self._name, "count": len(unused)})

    def _take(self, secret: Json, keys: Keys) -> None:
        if self._keys is not None and keys.current != self._keys.current:
            logger.info("Another key is current", extra={"secret": self._name, "key_id": keys.current})
            self._current_since = self._clock.monotonic()
        self._secret = secret
        if keys != self._keys:
            self._keys = keys
            self.generation += 1


def merged(data: Mapping[str, str] | None, known: Keys) -> tuple[Keys, str]:
    """Return the keys of the Secret and of memory together, and what of the latter the Secret lacks; empty: nothing.

    A key never changes, so the one in memory is the right one. The Secret may name another one as current.
    """
    stored = _decoded(data or {})
    current = KeyID(stored.pop(CURRENT, b"").decode("ascii", errors="replace").strip())
    by_id = {KeyID(name): key for name, key in stored.items() if len(key) >= KEY_BYTES} | known.by_id
    lacking = sorted(key_id for key_id, key in known.by_id.items() if stored.get(key_id) != key)
    if current not in by_id:
        return Keys(known.current, by_id), f"the entry {CURRENT}" + (f" and {_listed(lacking)}" if lacking else "")
    return Keys(current, by_id), _listed(lacking)


def _listed(key_ids: list[KeyID]) -> str:
    return f"the key {', '.join(key_ids)}" if key_ids else ""


def _parsed(data: Mapping[str, str], *, where: str) -> Keys:
    otherwise = f"restore it from a backup, or delete the Secret {where} and all session pods to start over"
    decoded = _decoded(data)
    try:
        current = KeyID(decoded.pop(CURRENT).decode("ascii").strip())
    except (KeyError, ValueError) as error:
        raise BadKeySecret(f"the key Secret has no readable entry {CURRENT!r}: {otherwise}") from error
    by_id = {KeyID(name): key for name, key in decoded.items() if len(key) >= KEY_BYTES}
    if current not in by_id:
        raise BadKeySecret(f"the key Secret has no key of at least {KEY_BYTES} bytes named {current!r}: {otherwise}")
    return Keys(current, by_id)


def _decoded(data: Mapping[str, str]) -> dict[str, bytes]:
    """Return the entries that can be read."""
    decoded = {}
    for name, value in data.items():
        with contextlib.suppress(ValueError, TypeError):
            decoded[name] = base64.b64decode(value, validate=True)
    return decoded


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
