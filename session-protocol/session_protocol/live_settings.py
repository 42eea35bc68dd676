"""Settings that a running pod takes up: webhooks, how it sends, how large files may be, read marks, calls, presence.

The operator writes them into the pod that it creates, in the variable LIVE_SETTINGS, and brings a later version to the
running one with a signed call (`PUT /v1/settings`). The runner's state tells by their digest which ones it goes by, so
the operator need not remember whom it has told. Secrets are not among them: those are files of the pod.
"""

import hashlib
import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from session_protocol.pacing import Pacing
from session_protocol.vocabulary import (
    CallHandling,
    GroupEvents,
    Interactive,
    Presence,
    ReadMarking,
    WebhookEvent,
    WebhookFormat,
)

MOST_WEBHOOKS: Final = 4
LONGEST_URL: Final = 512
MOST_HEADERS: Final = 2
LONGEST_HEADER_NAME: Final = 64
LONGEST_HEADER: Final = 128
MOST_DESTINATIONS: Final = 32
LARGEST_FILE: Final = 100 * 1024 * 1024
""" Bytes of any file of a message. """

WEBHOOK_NAME: Final = "^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$"
WEBHOOK_URL: Final = r"^https?://[A-Za-z0-9.\[\]:-]{1,260}([/?][!-;=?-~]*)?$"
""" A host without a login, and a port, a path and a query if need be. """
HEADER_NAME: Final = "^[A-Za-z][-A-Za-z0-9]{0,63}$"
HEADER_VALUE: Final = "^[!-%(-;=?-~]([ -%(-;=?-~]*[!-%(-;=?-~])?$"
""" Without what JSON writes as six characters: what a session may hold has a bound. """
RESERVED_HEADERS: Final = (
    "accept-encoding", "authorization", "connection", "content-encoding", "content-length", "content-type", "expect", "host",
    "transfer-encoding", "upgrade", "user-agent", "webhook-id", "webhook-signature", "webhook-timestamp", "x-hub-signature-256",
)  # fmt: skip
""" What the runner sends itself. A header Authorization is an entry of the webhook's Secret: what stands here many may read. """
_OBJECT_NAME: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"

SIGNING_SECRET: Final = "signingSecret"  # noqa: S105 -- the name of an entry
VERIFY_TOKEN: Final = "verifyToken"  # noqa: S105 -- the name of an entry
AUTHORIZATION: Final = "authorization"
WEBHOOK_ENTRIES: Final = (SIGNING_SECRET, VERIFY_TOKEN, AUTHORIZATION)
""" The entries of a webhook's Secret that are mounted, whatever else it holds. """


def _key(field: str) -> str:
    first, *rest = field.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _matching(pattern: str, *, longest: int) -> Meta:
    # Python's `$` lets a line break pass, which the schema's does not.
    return Meta(pattern=pattern.replace("$", r"\Z"), max_length=longest)


class Header(Struct, frozen=True, kw_only=True):
    """One header that goes with each delivery."""

    name: Annotated[str, _matching(HEADER_NAME, longest=LONGEST_HEADER_NAME)]
    value: Annotated[str, _matching(HEADER_VALUE, longest=LONGEST_HEADER)]


class Webhook(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=_key):
    """Where events are sent to, which ones, and in what form."""

    name: Annotated[str, _matching(WEBHOOK_NAME, longest=40)]
    url: Annotated[str, _matching(WEBHOOK_URL, longest=LONGEST_URL)]
    format: WebhookFormat
    events: Annotated[tuple[WebhookEvent, ...], Meta(min_length=1, max_length=len(WebhookEvent))]
    groups: GroupEvents = GroupEvents.OMIT
    secret_name: Annotated[str, _matching(_OBJECT_NAME, longest=253)] | None = None
    headers: Annotated[tuple[Header, ...], Meta(max_length=MOST_HEADERS)] = ()

    def __repr__(self) -> str:
        """Return a text without URL and headers, in which people put tokens."""
        return f"Webhook({self.name})"


_Bytes = Annotated[int, Meta(ge=1, le=LARGEST_FILE)]


class MediaLimits(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The largest file of each kind that is taken for sending, in bytes; what is left out is as in the Cloud API."""

    image: _Bytes | None = None
    video: _Bytes | None = None
    audio: _Bytes | None = None
    document: _Bytes | None = None
    sticker: _Bytes | None = None


class LiveSettings(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of them."""

    webhooks: Annotated[tuple[Webhook, ...], Meta(max_length=MOST_WEBHOOKS)] = ()
    media_limits: MediaLimits | None = msgspec.field(default=None, name="mediaLimits")
    destinations: Annotated[
        tuple[Annotated[str, Meta(max_length=128)], ...],
        Meta(
            max_length=MOST_DESTINATIONS,
            description="Where webhooks may go, and files be fetched from, beside public addresses: `CIDR:PORT`, or a "
            "namespace's name for its Services.",
        ),
    ] = ()
    pacing: Pacing = Pacing()
    interactive: Interactive = Interactive.REFUSE
    calls: CallHandling = CallHandling.IGNORE
    read_marks: ReadMarking = msgspec.field(default=ReadMarking.MANUAL, name="readMarks")
    presence: Presence = Presence.UNAVAILABLE


_NOTHING_SET: Final = LiveSettings()


def write_live_settings(settings: LiveSettings) -> bytes:
    """Return them as they are sent and digested: of pacing nothing where it is as by default, as for runners that know none."""
    if settings.pacing == _NOTHING_SET.pacing:  # msgspec leaves out the very object alone, and not one that equals it
        settings = msgspec.structs.replace(settings, pacing=_NOTHING_SET.pacing)
    return msgspec.json.encode(settings, order="sorted")


def read_live_settings(text: bytes | str) -> LiveSettings:
    """Read them. :raises ValueError: they are none, or beyond the bounds; the text repeats nothing of them."""
    settings = msgspec.json.decode(text, type=LiveSettings)
    names = [webhook.name for webhook in settings.webhooks]
    if len(set(names)) != len(names):
        raise ValueError("two webhooks have the same name")
    if any(is_reserved(header.name) for webhook in settings.webhooks for header in webhook.headers):
        raise ValueError("a header is the runner's own")
    return settings


def digest_of_settings(settings: LiveSettings) -> str | None:
    """Return by what runner and operator compare them; None: nothing is set, as in a runner that knows no such settings."""
    if settings == LiveSettings():
        return None
    return hashlib.sha256(write_live_settings(settings)).hexdigest()[:16]


def is_reserved(header: str) -> bool:
    """Whether the runner sends this header itself."""
    return header.lower() in RESERVED_HEADERS


def is_header_value(value: str) -> bool:
    """Whether a text may be sent as the value of a header."""
    return re.fullmatch("[!-~]([ -~]*[!-~])?", value) is not None


SettingsDigest = Annotated[str, _matching("^[0-9a-f]{16}$", longest=16)]


class SettingsInUse(Struct, frozen=True, kw_only=True, rename=_key):
    """What the operator is told when it has brought settings."""

    settings_digest: Annotated[
        SettingsDigest | None, Meta(description="The digest of the settings in use; null: none is set.")
    ]


def digest_in_use(answer: bytes) -> str | None:
    """Return the digest of the settings in use, of a runner's answer to `PUT /v1/settings`.

    :raises ValueError: this is no such answer.
    """
    return msgspec.json.decode(answer, type=SettingsInUse).settings_digest
