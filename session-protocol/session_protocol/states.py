"""What each state means to everybody who reads it: one table, from which every set of states is derived.

The runner reports the states (`vocabulary.RunnerState`). What a state implies (whether a phone is linked, whether only a
person may go on, whether it is a failure) is asked here by the runner, by the operator, and by the plugin; what Argo CD
and Flux go by, the CRD's text and the tables of the docs are written from it by `make generate`. So a state that is new
or means something else is changed in its row, and nowhere else.

Nobody keeps a set of states of their own: callers ask `traits_of` and the functions below for one state at a time.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from session_protocol.vocabulary import RunnerState, StateReason


class Phase(StrEnum):
    """How far a session has come, as coarse as people and their tools need it."""

    STARTING = "Starting"
    """ Browser or page are on their way; whether the session is linked shows later. """
    LINKING = "Linking"
    """ A person is to link a phone. """
    CONNECTING = "Connecting"
    """ Not connected, and nobody has to do anything yet. """
    CONNECTED = "Connected"
    """ Linked and connected: the session can send and receive. """
    BLOCKED = "Blocked"
    """ Neither runner nor operator can end it: a person has to mend something, or to wait for what the service imposed. """
    EXITING = "Exiting"
    """ The runner is about to exit. """


class Request(StrEnum):
    """What a person asks for, by an annotation, to resume a session."""

    RESTART = "restart"
    RELINK = "relink"


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Nothing may start the session again automatically: that would take it over, relink it or annoy the service."""

    matter: str
    """ What happened, as a sentence without its full stop. """
    to_go_on: str
    """ Why a person would ask to go on, or when, as the beginning of a sentence: to take it over. """
    unless: StateReason | None = None
    """ With this reason the runner continues by itself: then it is not a hold, and an earlier one ends. """
    rests: bool = False
    """ There is nothing to keep a pod for, and nothing to mend: pod and place in the quota are given back, and the session is
    not Stalled, but waits like one to which nobody has linked a phone yet. """
    ended_by: frozenset[RunnerState] = frozenset()
    """ What ends this hold besides the states that end every hold (`Traits.ends_hold`): the page shows that it is over. """


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What a state means."""

    meaning: str
    """ For people, in the reference. """
    next: str = ""
    """ What happens in this state, or what has to be done; for people, in Markdown. """
    phase: Phase
    linked: bool | None = None
    """ Whether a phone is linked; None: either is possible, and `linked` in the runner's answer decides. """
    fatal: bool = False
    """ The page is dead and the runner is about to exit; a runner that keeps reporting it has failed. """
    hold: Hold | None = None
    ends_hold: bool = False
    """ An earlier hold is over. Not for what an evicted pod and its successor report (Stopping, Starting, Loading), nor for
    what a conflict without network looks like (Offline, Reconnecting). """
    request: Request | None = None
    """ What a person has to ask for, because no QR code is shown otherwise. """
    no_code: str = ""
    """ Why there is no QR code, for a person who waits for one. """
    brief: bool = False
    """ Something else is expected within seconds, so the runner looks at the page more often. """


STATES: Final[dict[str, Traits]] = {
    RunnerState.STARTING: Traits(meaning="the browser is not up yet", phase=Phase.STARTING),
    RunnerState.LOADING: Traits(
        meaning="the page is loading or opening its first connection",
        phase=Phase.STARTING,
    ),
    RunnerState.LOAD_ERROR: Traits(
        meaning="the page could not be fetched or never booted",
        next="one that could not be fetched is tried again for as long as it takes, at least once a minute; "
        "one that was fetched and does not boot within the startup timeout: exit 21",
        phase=Phase.STARTING,
    ),
    RunnerState.PROXY_ERROR: Traits(
        meaning="the session's proxy does not let it through to WhatsApp; the reason says which part of that failed",
        next="it is tried again for as long as it takes, and at once with another login; counts as no failure",
        phase=Phase.CONNECTING,
        no_code="the session's proxy does not let it through to WhatsApp",
        brief=True,
    ),
    RunnerState.UNSUPPORTED_BROWSER: Traits(
        meaning="the page refuses this browser",
        next="needs a newer image",
        phase=Phase.BLOCKED,
        request=Request.RESTART,
        no_code="the page refuses the browser of this image; a newer image is needed",
    ),
    RunnerState.QR_PENDING: Traits(
        meaning="a QR code waits for a phone",
        next="new rounds up to `link.maxRounds`",
        phase=Phase.LINKING,
        linked=False,
        ends_hold=True,
        no_code="the page is fetching a new code",
        brief=True,
    ),
    RunnerState.PAIRING_CODE_PENDING: Traits(
        meaning="a pairing code waits to be typed into the phone; a QR code may be scanned, too",
        next="new codes up to `link.maxRounds`",
        phase=Phase.LINKING,
        linked=False,
        ends_hold=True,
        no_code="the QR codes of this round are used up; `kubectl whatsapp pair` shows the pairing code",
        brief=True,
    ),
    RunnerState.PASSKEY_REQUIRED: Traits(
        meaning="WhatsApp asks for the owner's passkey",
        next="this version cannot relay it",
        phase=Phase.LINKING,
        ends_hold=True,
        no_code="the phone asks for a passkey",
        brief=True,
    ),
    RunnerState.LINK_EXPIRED: Traits(
        meaning="no phone in all rounds",
        next="**waits for a person**, without a pod and without a place in the quota; a relink request queues it again",
        phase=Phase.LINKING,
        linked=False,
        hold=Hold(
            matter="No phone was linked in all rounds of QR codes, so pod and place in the quota are given back",
            to_go_on="to show a QR code again",
            rests=True,
        ),
        request=Request.RELINK,
        no_code="all rounds of QR codes passed unused",
    ),
    RunnerState.SYNCING: Traits(
        meaning="linked, fetching its data",
        next="reason `SyncOverdue` after ten times the startup timeout: the message says since when, and what to do",
        phase=Phase.CONNECTING,
        linked=True,
        ends_hold=True,
        brief=True,
    ),
    RunnerState.CONNECTED: Traits(
        meaning="linked, synced and connected", phase=Phase.CONNECTED, linked=True, ends_hold=True
    ),
    RunnerState.RECONNECTING: Traits(
        meaning="the connection was lost moments ago",
        next="the page connects again by itself",
        phase=Phase.CONNECTING,
        linked=True,
        brief=True,
    ),
    RunnerState.OFFLINE: Traits(
        meaning="it has been lost for longer than connectionCheck, or with a QR code that nobody can scan any more",
        next="the page connects again by itself",
        phase=Phase.CONNECTING,
    ),
    RunnerState.CONFLICT: Traits(
        meaning="reason `OtherTab` or `Replaced`: another page has the session",
        next="**waits for a person**, over new pods, too; a restart takes it back",
        phase=Phase.BLOCKED,
        hold=Hold(
            matter="Another window or device uses this session. A new pod would take it over, so none is created automatically",
            to_go_on="to take it over",
        ),
        request=Request.RESTART,
        no_code="its account is open somewhere else, and going on here takes it over",
    ),
    RunnerState.LOGGED_OUT: Traits(
        meaning="was linked and is not any more",
        next="reason `Relinking`: shows a QR code by itself; `WaitingForPerson`: waits, over new pods, too",
        phase=Phase.BLOCKED,
        linked=False,
        hold=Hold(
            matter="The session was logged out and is not linked again automatically",
            to_go_on="to show a new QR code",
            unless=StateReason.RELINKING,
        ),
        request=Request.RELINK,
        no_code="it was logged out and waits for a person",
        brief=True,
    ),
    RunnerState.TEMPORARILY_BANNED: Traits(
        meaning="the service refuses the account for a time",
        next="**waits for a person**, over new pods, too",
        phase=Phase.BLOCKED,
        hold=Hold(
            matter="WhatsApp refuses this account for some time, and an early attempt can make it longer",
            to_go_on="when the time is over",
            # All of these come after the ban in the order of what a page shows. The runner says none of them of a document
            # that may still be banned: one that was loaded since and has not been let in.
            ended_by=frozenset(
                {
                    RunnerState.RECONNECTING,
                    RunnerState.OFFLINE,
                    RunnerState.SERVICE_UNAVAILABLE,
                    RunnerState.SCREEN_LOCKED,
                }
            ),
        ),
        request=Request.RESTART,
        no_code="WhatsApp refuses the account for some time",
        brief=True,
    ),
    RunnerState.SERVICE_UNAVAILABLE: Traits(
        meaning="the service says that it is down", next="the page tries again", phase=Phase.CONNECTING, brief=True
    ),
    RunnerState.RESTRICTED: Traits(
        meaning="the account may not write to new contacts (`TimeLock`, `MessagesCapped`), or to nobody before its owner has "
        "accepted new terms (`TermsNotAccepted`); the message says until when, if the page does",
        next="a restart or a new link changes nothing: the account is restricted, and not the session",
        phase=Phase.BLOCKED,
        linked=True,
        ends_hold=True,
    ),
    RunnerState.ACTION_REQUIRED: Traits(
        meaning="a window of the page waits for an answer, or another account than the session's was linked",
        next="the notice of what is new is acknowledged after 10 s, the other account unlinked at once; any other window waits for a person",
        phase=Phase.BLOCKED,
        linked=True,
        ends_hold=True,
        brief=True,
    ),
    RunnerState.UPDATE_NEEDED: Traits(
        meaning="the service refuses the page's version and the page did not update itself",
        next="a restart loads the new page",
        phase=Phase.BLOCKED,
    ),
    RunnerState.SCREEN_LOCKED: Traits(meaning="the page's own screen lock is on", phase=Phase.BLOCKED, linked=True),
    RunnerState.DEGRADED: Traits(
        meaning="in no shape that is known to work: it may look connected and is not, or shows no code; "
        "with the reason `MessagesUnanswered` it is connected, and WhatsApp says nothing of the messages it was given",
        next="shown, never cured by guessing",
        phase=Phase.BLOCKED,
    ),
    RunnerState.UNRESPONSIVE: Traits(
        meaning="the page does not answer", next="exit 31", phase=Phase.EXITING, fatal=True
    ),
    RunnerState.CRASHED: Traits(
        meaning="the page or the browser died, or never started",
        next="exit 20, 30, 32 or 33",
        phase=Phase.EXITING,
        fatal=True,
    ),
    RunnerState.STOPPING: Traits(meaning="asked to stop", next="exit 0", phase=Phase.EXITING),
}
""" Every state of the runner, in the order in which people are shown them. """

_UNKNOWN: Final = Traits(meaning="a state of a newer runner", phase=Phase.CONNECTING)


def traits_of(state: str) -> Traits:
    """Return what a state means; one that is not in the table (a newer runner's) implies nothing."""
    return STATES.get(state, _UNKNOWN)


def is_linked(state: str, *, answer: bool | None) -> bool | None:
    """Whether a phone is linked: by the state where that decides, else by the runner's answer; None: not known."""
    linked = traits_of(state).linked
    return answer if linked is None else linked


def needs_person(state: str) -> bool:
    """Whether the state lasts until a person does something: how long that takes says nothing about runner and operator.

    One that goes on by itself with some reason is not among them: where it does not, the session is Stalled.
    """
    traits = traits_of(state)
    may_go_on = traits.hold is not None and traits.hold.unless is not None
    return traits.phase in (Phase.LINKING, Phase.BLOCKED) and not may_go_on


def waits_for_person(*, state: str, reason: str) -> bool:
    """Whether only a person may end this: recreating the pod automatically would take over, relink or annoy the service."""
    return traits_of(state).hold is not None and not goes_on_by_itself(state=state, reason=reason)


def wait_is_over(*, held: str | None = None, state: str, reason: str) -> bool:
    """Whether a state ends the hold `held`, which is named by its state; None: any hold.

    Runner and operator both call it, so that neither remembers a hold that the other has forgotten. An unknown state ends
    none.
    """
    hold = None if held is None else traits_of(held).hold
    ended = hold is not None and state in hold.ended_by
    return ended or traits_of(state).ends_hold or goes_on_by_itself(state=state, reason=reason)


def rests(held: str | None) -> bool:
    """Whether a hold, named by its state, gives pod and place back; None: there is no hold."""
    hold = None if held is None else traits_of(held).hold
    return hold is not None and hold.rests


def goes_on_by_itself(*, state: str, reason: str) -> bool:
    """Whether a state that is a hold otherwise is none with this reason."""
    hold = traits_of(state).hold
    return hold is not None and reason == hold.unless


class OperatorState(StrEnum):
    """What the operator reports while no runner of the present pod answers; nothing is known about the page."""

    QUEUED = "Queued"
    PENDING = "Pending"
    UNREACHABLE = "Unreachable"
    RECOVERING = "Recovering"
    SUSPENDED = "Suspended"
    STALLED = "Stalled"
