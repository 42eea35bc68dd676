"""What Argo CD and Flux call each session, asked of their own engines with the files that we ship."""

from pathlib import Path
from typing import Any, Final

import pytest
from manifests.engines import Answer, ask
from manifests.gitops_objects import WRONG, made, paths, recorded, replaced, without
from session_protocol.states import OperatorState
from session_protocol.vocabulary import RunnerState

Json = dict[str, Any]

ON_ITS_WAY: Final = ("Progressing", "InProgress")
AS_GIT_WANTS: Final = ("Suspended", "Current")
BROKEN: Final = ("Degraded", "Failed")
CONNECTED: Final = ("Healthy", "Current")

VERDICTS: Final = {
    **dict.fromkeys([*RunnerState, *OperatorState], ON_ITS_WAY),
    "Connected": CONNECTED,
    **dict.fromkeys(("QRPending", "PairingCodePending", "PasskeyRequired", "LinkExpired", "Suspended"), AS_GIT_WANTS),
    **dict.fromkeys(("Conflict", "TemporarilyBanned", "Restricted", "UnsupportedBrowser", "Stalled"), BROKEN),
    **dict.fromkeys(("ActionRequired", "UpdateNeeded", "ScreenLocked", "Degraded"), BROKEN),
    "LoggedOut": ON_ITS_WAY,  # to a new QR code; where it is not, it is stalled
    "a state of a newer runner": ON_ITS_WAY,
    "not observed": ON_ITS_WAY,
    "is being suspended": ON_ITS_WAY,
    "asked to go on": ON_ITS_WAY,
    "stalled": BROKEN,
}
""" Argo CD's word and Flux's, by state or by what counts before it. """
LATER: Final = ("ProxyError",)
""" States that came after the recordings. """


def condition(session: Json, kind: str) -> Json:
    """Return one condition of a session, or an empty one."""
    found: Json = next((one for one in session["status"]["conditions"] if one["type"] == kind), {})
    return found


def deciding_case(session: Json) -> str:
    """Return what decides about a recorded session, as people would say it."""
    metadata, status = session["metadata"], session["status"]
    asked = {name.rpartition("/")[2]: value for name, value in metadata.get("annotations", {}).items()}
    handled = status.get("handledRequests", {})
    if status["observedGeneration"] != metadata["generation"]:
        return "not observed"
    if condition(session, "Suspended").get("reason") == "Suspending":
        return "is being suspended"
    if condition(session, "Stalled").get("status") == "True":
        goes_on = condition(session, "Stalled")["reason"] in {
            "Conflict",
            "LoggedOut",
            "TemporarilyBanned",
            "RecoveryExhausted",
        }
        pending = [
            name for name in ("restart-at", "relink-at") if asked.get(name, handled.get(name)) != handled.get(name)
        ]
        return "asked to go on" if goes_on and pending else "stalled"
    return status["state"] if status["state"] in VERDICTS else "a state of a newer runner"


def verdict(answer: Answer) -> tuple[str, str]:
    """Return both words for a session, none of which may be an error."""
    assert ("", "") == (answer.argo.error, answer.flux.error)
    return answer.argo.status, answer.flux.status


def test_every_recorded_session(gitops_engines: Path) -> None:
    """Connected is done, waiting for a phone is done as far as git goes, what only a person can mend is broken."""
    sessions = [*recorded(), *(made(state, Ready="False") for state in LATER)]

    answers = ask(gitops_engines, sessions)

    wrong = [
        (deciding_case(session), verdict(answer))
        for session, answer in zip(sessions, answers, strict=True)
        if VERDICTS[deciding_case(session)] != verdict(answer)
    ]
    assert [] == wrong
    assert {*RunnerState, *OperatorState} == {session["status"]["state"] for session in sessions} - {"Hibernating"}
    assert {"is being suspended", "asked to go on", "stalled", "a state of a newer runner"} <= set(
        map(deciding_case, sessions)
    )


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        (made("Connected", Ready="True"), CONNECTED),
        (made("Connected", Ready="True", observed=1), ON_ITS_WAY),
        (made("Connected", Ready="True", observed=3), ON_ITS_WAY),
        (made("Connected", Ready="True", Stalled="True"), BROKEN),
        (made("Connected", Ready="True", Stalled="False"), CONNECTED),
        (made("Connected", Ready="True", Suspended="False Suspending"), ON_ITS_WAY),
        (made("Conflict", Ready="False", Stalled="True Conflict", Suspended="False Suspending"), ON_ITS_WAY),
        (made("LoggedOut", Ready="False", Linked="False", Stalled="False"), ON_ITS_WAY),
        (made("LoggedOut", Ready="False", Linked="False", Stalled="True LoggedOut"), BROKEN),
        (made("Suspended", Ready="False", Suspended="True Suspended"), AS_GIT_WANTS),
        (made("Suspended", Ready="False", Suspended="True", Stalled="True ClaimResizeRefused"), BROKEN),
        (made("Queued", Ready="False", Admitted="False QuotaExceeded"), ON_ITS_WAY),
        (made("Unreachable", Ready="Unknown"), ON_ITS_WAY),
        (made("WordOfTheFuture", Ready="False"), ON_ITS_WAY),
        (made("WordOfTheFuture", Ready="True"), CONNECTED),
        (made("QRPending"), AS_GIT_WANTS),
        (made("Connected"), ON_ITS_WAY),
        ({"metadata": {"name": "sales", "generation": 1}, "status": {"observedGeneration": -1}}, ON_ITS_WAY),
        ({"metadata": {"name": "sales", "generation": 1}, "status": {}}, ON_ITS_WAY),
        ({"metadata": {"name": "sales"}, "status": {"state": "QRPending"}}, ON_ITS_WAY),
    ],
)  # fmt: skip
def test_what_counts_before_the_state(gitops_engines: Path, session: Json, expected: tuple[str, str]) -> None:
    """A change that was not seen, a pod that still ends, a stall; then the state; and what is not known is on its way."""
    [answer] = ask(gitops_engines, [session])

    assert expected == verdict(answer)


@pytest.mark.parametrize("request_", ["restart-at", "relink-at"])
@pytest.mark.parametrize(
    "session",
    [
        made("Conflict", Ready="False", Stalled="True Conflict"),
        made("Stalled", Ready="False", Stalled="True RecoveryExhausted"),
        made("LinkExpired", Ready="False", Stalled="False"),
        made("UpdateNeeded", Ready="False", Stalled="False"),
        made("Degraded", Ready="False", Stalled="False"),
    ],
    ids=lambda session: session["status"]["state"],
)
def test_a_request_is_the_operators_turn(gitops_engines: Path, session: Json, request_: str) -> None:
    """Who commits a restart does not fail at once for what it is to mend; once it is handled, the state counts again."""
    asked = replaced(session, ("metadata", "annotations"), {f"wasession.dev/{request_}": "now"})
    before = replaced(asked, ("status", "handledRequests"), {request_: "earlier"})
    handled = replaced(asked, ("status", "handledRequests"), {request_: "now"})
    taken_back = replaced(session, ("status", "handledRequests"), {request_: "earlier"})

    answers = [verdict(answer) for answer in ask(gitops_engines, [asked, before, handled, taken_back])]

    expected = VERDICTS[session["status"]["state"]]
    assert [ON_ITS_WAY, ON_ITS_WAY, expected, expected] == answers


@pytest.mark.parametrize("reason", ["InvalidObject", "NotAllowed", "NameTaken"])
def test_a_request_cannot_mend_everything(gitops_engines: Path, reason: str) -> None:
    """What another edit has to mend stays broken, whatever somebody has asked for."""
    session = made("Stalled", Ready="False", Stalled=f"True {reason}")
    asked = replaced(session, ("metadata", "annotations"), {"wasession.dev/restart-at": "now"})

    [answer] = ask(gitops_engines, [asked])

    assert BROKEN == verdict(answer)


def one_of_each_state() -> list[Json]:
    """Return a recorded session of every case."""
    return list({deciding_case(session): session for session in recorded()}.values())


def test_whatever_is_absent_is_no_error(gitops_engines: Path) -> None:
    """Any one field of a session in any case; metadata and a status every object has."""
    sessions = [
        without(session, path)
        for session in one_of_each_state()
        for path in paths({name: session[name] for name in ("metadata", "status")})
        if len(path) > 1 and path[-1] not in ("message", "lastTransitionTime")
    ]

    answers = ask(gitops_engines, sessions)

    assert len(sessions) > 1000
    assert set() == {verdict(answer) for answer in answers} - set(VERDICTS.values())


def test_without_a_status_argo_cd_waits(gitops_engines: Path) -> None:
    """Also of an API server that fills in none."""
    bare: list[Json] = [
        {"metadata": {"name": "sales"}},
        {"metadata": {"name": "sales", "generation": 1}, "status": None},
    ]

    assert {("Progressing", "the operator has not seen it yet", "")} == {
        answer.argo for answer in ask(gitops_engines, bare)
    }


def test_wrong_types_are_no_error_to_argo_cd(gitops_engines: Path) -> None:
    """Whatever stands anywhere below metadata and status."""
    sessions = [
        replaced(session, path, value)
        for session in (made("Conflict", Ready="False", Stalled="True Conflict"), made("Connected", Ready="True"))
        for path in paths({name: session[name] for name in ("metadata", "status")})
        for value in WRONG
    ]

    answers = ask(gitops_engines, sessions)

    assert {""} == {answer.argo.error for answer in answers}
    assert {answer.argo.status for answer in answers} <= {argo for argo, _ in VERDICTS.values()}


def test_wrong_texts_are_no_error_to_flux(gitops_engines: Path) -> None:
    """Whatever stands in a status where the API server lets any word stand; the rest it refuses by type."""
    session = made("Conflict", Ready="False", Stalled="True Conflict")
    places = [("status", "state"), *(("status", "conditions", 1, field) for field in ("type", "status", "reason"))]

    answers = ask(gitops_engines, [replaced(session, path, value) for path in places for value in WRONG])

    assert {""} == {answer.flux.error for answer in answers}


def test_the_message_is_for_people(gitops_engines: Path) -> None:
    """State and the message of Ready, or why it is stalled, or what it waits for."""
    waits = made("QRPending", Ready="False")
    stalled = made("Stalled", Ready="False", Stalled="True")
    unseen = made("QRPending", Ready="False", observed=1)

    messages = [answer.argo.message for answer in ask(gitops_engines, [waits, stalled, unseen])]

    assert ["QRPending: Ready is False", "Stalled is True", "the operator has not seen the last change yet"] == messages


def test_what_kstatus_says_without_expressions(gitops_engines: Path) -> None:
    """As the docs say: stalled fails, connected is done, all else is waited for, also what nobody has seen yet."""
    sessions = {
        "Current": made("Connected", Ready="True", Stalled="False"),
        "Failed": made("Conflict", Ready="False", Stalled="True Conflict"),
    }
    waited_for = [
        made("Suspended", Ready="False", Suspended="True"),
        made("QRPending", Ready="False"),
        made("Queued", Ready="False"),
        made("Connected", Ready="True", observed=1),
        {"metadata": {"name": "sales", "generation": 1}, "status": {"observedGeneration": -1}},
    ]

    answers = ask(gitops_engines, [*sessions.values(), *waited_for])

    assert [*sessions, *["InProgress"] * len(waited_for)] == [answer.kstatus.status for answer in answers]
    assert [answer.kstatus for answer in answers] == [answer.flux_kstatus for answer in answers]


WHILE_SO = {
    "SettingsPending": made("Connected", Ready="True", Stalled="False", SettingsPending="True RunnerOutdated"),
    "WebhookClosed": made("Connected", Ready="True", Stalled="False", WebhookClosed="True X"),
    "CallFailed": made("Connected", Ready="True", Stalled="False", CallFailed="True X"),
}


@pytest.mark.parametrize("pending", WHILE_SO.values(), ids=WHILE_SO)
def test_a_condition_that_is_there_only_while_it_is_so_makes_no_session_unhealthy(
    gitops_engines: Path, pending: Json
) -> None:
    """A session that runs and whose settings wait for its next pod is done, by each tool's own word."""
    plain = made("Connected", Ready="True", Stalled="False")

    before, with_it = ask(gitops_engines, [plain, pending])

    assert (CONNECTED, "Current") == (verdict(with_it), with_it.kstatus.status)
    assert (before.argo, before.flux, before.kstatus) == (with_it.argo, with_it.flux, with_it.kstatus)
