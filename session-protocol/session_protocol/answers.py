"""What a runner answers over HTTP, typed once: the runner writes these, the operator reads them.

The runner's OpenAPI document is generated from them, so a field's meaning and bounds are defined here and nowhere else.
A runner writes every field. A reader takes what an older one leaves out by its default, ignores what a newer one adds,
and accepts nothing outside the bounds: `read_state` checks them, so its callers can compute with the dates.
"""

from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from session_protocol.live_settings import SettingsDigest
from session_protocol.phone_numbers import PHONE_NUMBER
from session_protocol.redaction import redact
from session_protocol.states import STATES
from session_protocol.vocabulary import CAMEL_CASE, TokenScope, WaitReason

LARGEST_REVISION: Final = 2**53 - 1
""" The largest integer that every JSON reader represents exactly. """
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
""" A date outside of these is refused: what is added to it could lie beyond the years that Python knows. """

BROWSER_VERSION: Final = r"^[0-9]{1,6}(\.[0-9]{1,6}){1,3}$"
""" A browser's version, such as 156.0.7204.49. """


def _key(field: str) -> str:
    first, *rest = field.split("_")
    return first + "".join("UID" if part == "uid" else part.capitalize() for part in rest)


Moment = Annotated[datetime, Meta(tz=True)]


def _matching(pattern: str) -> Meta:
    # Python's `$` lets a line break pass, which the schema's does not.
    return Meta(pattern=pattern.replace("$", r"\Z"))


_StateName = Annotated[str, _matching(CAMEL_CASE)]
_BrowserVersion = Annotated[str, _matching(BROWSER_VERSION)]
_PhoneNumber = Annotated[str, _matching(PHONE_NUMBER)]
_AccountRevision = Annotated[int, Meta(ge=1, lt=2**31)]


class State(Struct, frozen=True, kw_only=True, rename=_key):
    """The session's state."""

    session_uid: Annotated[str, Meta(max_length=128, description="UID of the session this runner belongs to.")]
    pod_uid: Annotated[str, Meta(max_length=128, description="UID of the pod it runs in.")]
    revision: Annotated[
        int,
        Meta(ge=0, le=LARGEST_REVISION, description="Grows with every change of anything here but probeAgeSeconds."),
    ]
    state: Annotated[
        _StateName,
        Meta(
            description="One word; an unknown one counts as not connected.",
            examples=["QRPending", "Connected", "Conflict"],
        ),
    ]
    reason: Annotated[str, Meta(max_length=128, description="Why, in one word.")] = ""
    message: Annotated[
        str, Meta(max_length=4096, description="The same for people. Without codes, numbers and names.")
    ] = ""
    since: Annotated[Moment | None, Meta(description="When this state began.")] = None
    linked: Annotated[
        bool | None,
        Meta(
            description="Whether a phone is linked, as the page reported last or the profile remembers; null before either."
        ),
    ] = None
    linked_time: Annotated[
        Moment | None, Meta(description="When the phone was linked; null while there is no link.")
    ] = None
    durable_time: Annotated[
        Moment | None,
        Meta(
            description="From when on the login survives any end of the browser. "
            "May lie ahead; a clean stop brings it forward."
        ),
    ] = None
    logout_time: Annotated[
        Moment | None,
        Meta(description="When the last link ended; null while a phone is linked, or where there was no link."),
    ] = None
    logout_reason: Annotated[
        _StateName | None,
        Meta(
            description="Why it ended, in one word: the page's own reason, or LoggedOut where it gave none, as when the "
            "linked device was removed on the phone.",
            examples=["LoggedOut", "LogoutRequested", "StorageQuotaExceeded"],
        ),
    ] = None
    round: Annotated[int, Meta(ge=0, lt=2**31, description="Rounds of QR codes begun in this pod.")] = 0
    browser_sandbox: Annotated[
        bool | None,
        Meta(
            description="Whether the page's process has namespaces and a seccomp filter of its own; null before there is one."
        ),
    ] = None
    user_namespace: Annotated[
        bool | None,
        Meta(description="Whether the pod has a user namespace of its own; null before the browser is open."),
    ] = None
    browser_version: Annotated[
        _BrowserVersion | None,
        Meta(description="The version of the browser; null before it was asked.", examples=["156.0.7204.49"]),
    ] = None
    account_revision: Annotated[
        _AccountRevision | None,
        Meta(
            description="Which of the accounts that this pod saw linked it is, counted from 1; "
            "null while none is known. GET /v1/account has its number."
        ),
    ] = None
    account_expected: Annotated[
        bool | None,
        Meta(
            description="Whether it is the account that the session's Secret names; null where none is named or known."
        ),
    ] = None
    settings_digest: Annotated[
        SettingsDigest | None,
        Meta(description="The digest of the settings that the operator brought to the running pod; null: none is set."),
    ] = None
    probe_age_seconds: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        Meta(description="How long ago the page last answered; null before the first time."),
    ] = None


class Code(Struct, frozen=True, kw_only=True, rename=_key):
    """The QR code on the page's screen. Whoever has it can link a phone."""

    text: Annotated[str, Meta(description="What the QR code says; encode it as it is.")]
    issued_time: Moment
    expiry_time: Annotated[Moment, Meta(description="After this the page shows another code.")]
    round: Annotated[int, Meta(ge=0, description="The round of QR codes it belongs to.")]


class MessageWait(Struct, frozen=True, kw_only=True, rename=_key):
    """Why a message is not handed over yet."""

    reason: Annotated[
        WaitReason,
        Meta(
            description="FirstContacts, FirstContactsPerDay: many people who have never written were written to just now, or in "
            "the last 24 hours; OnePerson: many messages went to this person; Messages: many went out in all."
        ),
    ]
    until: Annotated[Moment, Meta(description="When its turn is, if nothing that goes before it is changed.")]


class SentMessage(Struct, frozen=True, kw_only=True, rename=_key):
    """How far a message has come."""

    id: Annotated[str, Meta(max_length=64, description="The message's id.")]
    wa_id: Annotated[str, Meta(max_length=20, description="The number it goes to, as WhatsApp writes it.")]
    status: Annotated[
        str,
        Meta(
            max_length=20,
            description="accepted, handing_over, handed_over (the page has it and sends it), sent, delivered, read, played, "
            "or failed, which is final. Without a word from WhatsApp a message stays handed_over.",
            examples=["sent"],
        ),
    ]
    times: Annotated[dict[str, Moment], Meta(description="When it came to each of them, as the runner saw it.")]
    error_code: Annotated[int | None, Meta(description="Why it failed, by the Cloud API's codes.")] = None
    error_details: Annotated[str | None, Meta(description="What the code does not say of it, for people.")] = None
    waiting: Annotated[
        MessageWait | None, Meta(description="Why it waits for its turn, and until when; null: it does not.")
    ] = None


class MarkedMessage(Struct, frozen=True, kw_only=True, rename=_key):
    """A message that counts as read, or will when the page is back."""

    id: Annotated[str, Meta(max_length=64, description="The message's id.")]
    typing: Annotated[
        bool, Meta(description="Whether it is shown that an answer is being written, if the page is there.")
    ]


class StoredFile(Struct, frozen=True, kw_only=True, rename=_key):
    """What is known of a file."""

    id: Annotated[str, Meta(max_length=30, description="By which it is sent, read and deleted.")]
    mime_type: Annotated[str, Meta(max_length=200, description="By its content, once that is on the session's volume.")]
    size: Annotated[int | None, Meta(description="In bytes; null: nobody knows before it is fetched.")]
    sha256: Annotated[str | None, Meta(description="In hexadecimal digits; null: as above.")]
    filename: Annotated[str | None, Meta(description="As its sender called it.")]


class WebhookState(Struct, frozen=True, kw_only=True, rename=_key):
    """How one webhook does."""

    name: Annotated[str, Meta(max_length=64, description="Its name in the session's spec.")]
    waiting: Annotated[int, Meta(ge=0, description="Events that it still has to get.")]
    oldest_time: Annotated[Moment | None, Meta(description="When the oldest of them was stored; null: none waits.")]
    dead_letters: Annotated[int, Meta(ge=0, description="Events that it refused, or did not take for three days.")]
    problem: Annotated[
        str, Meta(max_length=512, description="Why the last request to it came to nothing; empty: it was answered.")
    ]


class WebhookStates(Struct, frozen=True, kw_only=True, rename=_key):
    """How the webhooks do."""

    webhooks: list[WebhookState]


class DeadLetter(Struct, frozen=True, kw_only=True, rename=_key):
    """A delivery that is not tried any more. Its body is not shown."""

    id: Annotated[str, Meta(max_length=128, description="The event's id.")]
    webhook: Annotated[str, Meta(max_length=64, description="The name of the webhook that did not take it.")]
    type: Annotated[str, Meta(max_length=64, description="The event's type.", examples=["message"])]
    stored_time: Annotated[Moment, Meta(description="When it was stored, or redriven last.")]
    dead_time: Annotated[Moment, Meta(description="When it was given up.")]
    tries: Annotated[int, Meta(ge=0, description="How often it was sent.")]
    problem: Annotated[str, Meta(max_length=512, description="What came of the last try.")]


class DeadLetters(Struct, frozen=True, kw_only=True, rename=_key):
    """The newest dead letters."""

    dead_letters: Annotated[list[DeadLetter], Meta(max_length=100)]


class RedriveRequest(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=_key):
    """Which dead letters are tried again; without anything all of them."""

    webhook: Annotated[str, Meta(max_length=64, description="Those of this webhook alone.")] | None = None
    ids: (
        Annotated[
            list[Annotated[str, Meta(max_length=128)]], Meta(max_length=100, description="Those of these events alone.")
        ]
        | None
    ) = None


class Redriven(Struct, frozen=True, kw_only=True, rename=_key):
    """What is tried again."""

    redriven: Annotated[int, Meta(ge=0, description="How many there are.")]


class PairingCode(Struct, frozen=True, kw_only=True, rename=_key):
    """The code that links a phone when it is typed there. Only the phone of the number that it was made for takes it."""

    text: Annotated[str, Meta(description="What to type: eight characters, in two groups.", examples=["ABCD-1EFG"])]
    issued_time: Moment
    expiry_time: Annotated[Moment, Meta(description="After this the phone does not take it any more.")]
    round: Annotated[int, Meta(ge=0, description="The round of codes it belongs to.")]


class PairingRequest(Struct, frozen=True, kw_only=True, rename=_key):
    """Whose phone is to be linked by a pairing code."""

    phone_number: Annotated[
        _PhoneNumber, Meta(description="Its telephone number, with the country's code.", examples=["+15550100000"])
    ]


class Account(Struct, frozen=True, kw_only=True, rename=_key):
    """The account that is linked."""

    phone_number: Annotated[
        _PhoneNumber, Meta(description="Its telephone number, with the country's code.", examples=["+15550100000"])
    ]
    account_revision: Annotated[_AccountRevision, Meta(description="The same as in the state.")]

    def __repr__(self) -> str:
        """Return a text without the number: an account may stand in an error or in a log's arguments."""
        return f"Account(account_revision={self.account_revision})"


class Error(Struct, frozen=True, kw_only=True):
    """The machine-readable part of an error."""

    code: Annotated[str, Meta(pattern=CAMEL_CASE, description="One word, such as NoCode; stable.")]
    message: Annotated[str, Meta(description="What went wrong and what to do, for people.")]


class KnownScopes(Struct, frozen=True, kw_only=True):
    """The scopes that the runner takes tokens of."""

    scopes: list[TokenScope]


class Problem(Struct, frozen=True, kw_only=True):
    """What went wrong and what to do (RFC 9457), and the same as an error object."""

    type: Annotated[str, Meta(description="about:blank: title and status are HTTP's own, error.code tells more.")]
    title: Annotated[str, Meta(description="The status in words.")]
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: Annotated[str, Meta(description="The same as error.message.")]
    error: Error


def read_state(text: bytes) -> State:
    """Parse a runner's answer; the caller limits the length of the text.

    :raises ValueError: it is not valid, or outside the bounds.
    """
    try:
        state = msgspec.json.decode(text, type=State)
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    names = (state.state if state.state not in STATES else "", state.logout_reason or "")
    if any(redact(name) != name for name in names):
        raise ValueError("has a state or a reason that is no word")
    for moment in (state.since, state.linked_time, state.durable_time, state.logout_time):
        if moment is not None and not EARLIEST <= moment < LATEST:
            raise ValueError("has a date that is too early or too late")
    return state


def read_account(text: bytes) -> Account:
    """Parse a runner's answer to GET /v1/account; the caller limits the length of the text.

    :raises ValueError: it is not valid. The error quotes nothing of it.
    """
    try:
        return msgspec.json.decode(text, type=Account)
    except (ValueError, RecursionError):
        raise ValueError("is not an account") from None
