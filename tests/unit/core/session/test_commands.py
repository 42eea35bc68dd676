"""Whoever has to act reads a command with the session's own name in it, at the end of the message, to be pasted as it is."""

import pytest
from session_protocol.vocabulary import RunnerState, StateReason
from unit.core.fake_cluster import FakeCluster, running

RESTART, RELINK = "restart-at", "relink-at"


def command(request: str) -> str:
    """Return what is typed."""
    return f"run: kubectl annotate --overwrite was sales -n shop wasession.dev/{request}=$(date -u +%FT%TZ)"


def messages(cluster: FakeCluster) -> list[str]:
    """Return all that people read of the session, in conditions and events."""
    conditions, events = cluster.status().conditions, cluster.events
    return [condition.message for condition in conditions] + [event.message for event in events]


@pytest.mark.parametrize(
    ("state", "reason", "request_"),
    [
        (RunnerState.CONFLICT, StateReason.REPLACED, RESTART),
        (RunnerState.TEMPORARILY_BANNED, StateReason.BANNED, RESTART),
        (RunnerState.LOGGED_OUT, StateReason.WAITING_FOR_PERSON, RELINK),
        (RunnerState.LINK_EXPIRED, StateReason.ROUNDS_USED_UP, RELINK),
    ],
)
def test_what_waits_for_a_person_says_what_to_type(state: str, reason: str, request_: str) -> None:
    """In the condition that stays and in the event that comes once."""
    cluster = running()
    cluster.say(state, reason=reason)
    cluster.resync()
    found = [message for message in messages(cluster) if "kubectl annotate" in message]

    assert {True} == {message.endswith(command(request_)) for message in found}
    assert any(command(request_) in event.message for event in cluster.events)


def test_settings_that_wait_for_the_next_pod_say_what_to_type() -> None:
    """The session works meanwhile."""
    cluster = running()
    cluster.memory.takes_settings = False
    cluster.look()

    assert cluster.condition("SettingsPending").message.endswith(command(RESTART))
