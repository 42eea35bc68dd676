"""Who speaks, and what follows for Ready, Linked and the link's times; and the events worth telling."""

from datetime import timedelta

import pytest
from session_protocol.vocabulary import RunnerState
from unit.core.fake_cluster import FakeCluster, running
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.api.session import SessionStatus
from whatsapp_operator.core.session.events import events


@pytest.mark.parametrize("state", [*RunnerState, "Hibernating"])
def test_the_state_is_the_runners(state: str) -> None:
    """Known or not; only Connected is ready."""
    cluster = running(state=state)

    assert state == cluster.status().state
    assert ("True" if state == "Connected" else "False", state) == cluster.says("Ready")


LINKED = ["Syncing", "Connected", "Reconnecting", "Restricted", "ActionRequired", "ScreenLocked"]
NOT_LINKED = ["QRPending", "PairingCodePending", "LinkExpired"]


@pytest.mark.parametrize("state", LINKED)
def test_states_of_a_linked_session(state: str) -> None:
    """Linked, whatever was before."""
    assert ("True", "Linked") == running(state=state).says("Linked")


@pytest.mark.parametrize("state", NOT_LINKED)
def test_states_of_a_session_without_a_phone(state: str) -> None:
    """Not linked, whatever was before."""
    cluster = running()
    cluster.say(state, round=2)
    cluster.look()

    assert ("False", "NotLinked") == cluster.says("Linked")
    link = cluster.status().link
    assert link is not None
    assert (None, 2) == (link.linked_time, link.round)


@pytest.mark.parametrize("state", ["Starting", "Loading", "Offline", "TemporarilyBanned", "Stopping", "Hibernating"])
def test_other_states_leave_the_link_as_it_was(state: str) -> None:
    """A new pod has not told yet; a ban says nothing of it."""
    linked, fresh = running(), running(state=state)
    linked.say(state)
    linked.look()

    assert ("True", "Linked") == linked.says("Linked")
    assert ("Unknown", "NotKnown") == fresh.says("Linked")
    assert linked.status().link is not None


def test_a_time_of_linking_decides_where_the_state_does_not() -> None:
    """Offline with a linked profile is linked."""
    cluster = running(state="Offline")
    cluster.say("Offline", linked_time=cluster.now)
    cluster.look()

    assert ("True", "Linked") == cluster.says("Linked")


@pytest.mark.parametrize("state", ["Degraded", "Offline", "PasskeyRequired", "Loading", "Conflict", "Hibernating"])
@pytest.mark.parametrize(("linked", "expected"), [(True, ("True", "Linked")), (False, ("False", "NotLinked"))])
def test_the_runners_answer_decides_where_the_state_does_not(
    state: str, *, linked: bool, expected: tuple[str, str]
) -> None:
    """A page that asks to be linked and shows no code is Degraded and not linked, whatever was before."""
    cluster = running(state="QRPending" if linked else "Connected")
    cluster.say(state, linked=linked)
    cluster.look()

    assert expected == cluster.says("Linked")


def test_a_session_that_rests_is_in_the_state_of_its_hold() -> None:
    """Whatever the runner of the pod that goes says on its way."""
    cluster = running(state="LinkExpired")
    cluster.say("Stopping")
    cluster.look()

    assert "LinkExpired" == cluster.status().state
    assert ("False", "LinkExpired") == cluster.says("Ready")


def test_the_links_times_are_the_runners() -> None:
    """When linked, from when durable, which round; kept while a new pod of the same login starts."""
    cluster = running(state=RunnerState.QR_PENDING)
    cluster.say(RunnerState.QR_PENDING, round=3)
    cluster.look()
    assert {"round": 3} == (cluster.status().link or SessionStatus()).to_dict()

    linked, durable = cluster.now, cluster.now + timedelta(seconds=60)
    cluster.say(RunnerState.CONNECTED, linked_time=linked, durable_time=durable, round=3)
    cluster.look()
    link = {"linkedTime": "2026-11-22T18:00:05Z", "durableTime": "2026-11-22T18:01:05Z", "round": 3}
    assert link == (cluster.status().link or SessionStatus()).to_dict()

    cluster.gone()
    cluster.settle()
    cluster.say(RunnerState.LOADING)
    cluster.look()
    assert link == (cluster.status().link or SessionStatus()).to_dict()


def test_a_new_link_forgets_the_old_durability() -> None:
    """Another login is durable at another time."""
    cluster = running()
    cluster.say(RunnerState.CONNECTED, linked_time=cluster.now, durable_time=cluster.now)
    cluster.look()
    cluster.say(RunnerState.SYNCING, linked_time=cluster.now + timedelta(hours=1))
    cluster.look()

    assert {"linkedTime": "2026-11-22T19:00:05Z"} == (cluster.status().link or SessionStatus()).to_dict()


def test_the_runners_message_is_reported_redacted() -> None:
    """It is a stranger's page that speaks through it."""
    cluster = running()
    cluster.say(RunnerState.ACTION_REQUIRED, message="Dialog open for +49 170 1234567")
    cluster.look()

    assert "Dialog open for [number]" == cluster.condition("Ready").message


def test_a_new_round_is_one_change() -> None:
    """A waiting QR writes once per round."""
    cluster = running(state=RunnerState.QR_PENDING)
    cluster.say(RunnerState.QR_PENDING, round=1)
    cluster.look()
    writes = cluster.status_writes
    for round_ in (1, 1, 2, 2, 3):
        cluster.say(RunnerState.QR_PENDING, round=round_)
        cluster.look()

    assert writes + 2 == cluster.status_writes


def reasons(cluster: FakeCluster) -> list[str]:
    """Return the reasons of the events told so far."""
    return [event.reason for event in cluster.events]


def test_events_show_what_happened_to_a_session() -> None:
    """Each step once, in order."""
    cluster = running()
    cluster.tick(20)
    cluster.look()
    cluster.say(RunnerState.CONNECTED)
    cluster.look()
    cluster.end(code=33)
    cluster.look()
    cluster.gone()
    cluster.look()
    cluster.tick(5)
    cluster.settle()

    assert [
        "Admitted",
        "PodCreated",
        "Linked",
        "Connected",
        "RunnerUnreachable",
        "Connected",
        "OutOfMemory",
        "BackingOff",
        "PodCreated",
    ] == reasons(cluster)


def test_events_name_what_was_done_and_the_pod_that_is_meant() -> None:
    """The pod that was made, the one that failed; what is about the session alone names none."""
    cluster = running()
    cluster.end(code=33)
    cluster.look()

    written = {event.reason: (event.action, event.pod) for event in cluster.events}
    assert ("CreatingPod", "sales") == written["PodCreated"]
    assert ("Running", "sales") == written["OutOfMemory"]
    assert ("Admitting", None) == written["Admitted"]
    assert ("Linking", None) == written["Linked"]
    assert all(action.isalpha() for action, _ in written.values())


def test_events_of_what_needs_a_person_are_warnings() -> None:
    """Stalled, a failure, a refusal."""
    cluster = running()
    cluster.events.clear()
    cluster.say(RunnerState.CONFLICT)
    cluster.look()
    cluster.end(code=30)
    cluster.look()

    assert [("Warning", "Conflict"), ("Warning", "PageCrashed")] == [
        (event.type, event.reason) for event in cluster.events if event.type == "Warning"
    ]


def test_nothing_new_is_no_event() -> None:
    """The same status twice tells nothing."""
    cluster = running()

    assert () == events(ObjectKey("shop", "sales"), cluster.status(), cluster.status())


def test_a_request_is_reported_when_it_was_carried_out() -> None:
    """Once."""
    cluster = running()
    cluster.annotate(restart_at="now")
    cluster.settle()
    cluster.settle()

    assert 1 == reasons(cluster).count("RequestHandled")


def test_events_hold_no_numbers() -> None:
    """Like everything that is said."""
    cluster = running()
    cluster.end(code=1, message="no route for 491701234567@c.us")
    cluster.look()

    assert not [event for event in cluster.events if "49170" in event.message]
    assert [event for event in cluster.events if "[account]" in event.message]
