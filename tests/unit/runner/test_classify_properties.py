"""What holds for any page and any history: classification is total, honest and quiet."""

from hypothesis import given
from hypothesis import strategies as st
from session_protocol.vocabulary import OnLogout
from session_protocol.vocabulary import RunnerState as State
from session_runner.states.classify import classify
from session_runner.states.facts import Facts
from session_runner.states.history import History, live_code, remember, wants_code
from session_runner.states.policy import Policy
from unit.runner.pages import CODE, page_facts, quick

policies = st.builds(
    Policy,
    on_logout=st.sampled_from(OnLogout),
    max_rounds=st.integers(1, 3),
    connection_check=st.sampled_from([3.0, 30.0]),
)
histories = st.lists(st.tuples(page_facts, st.floats(0, 40)), min_size=1, max_size=12)
pasts = st.builds(History, linked=st.booleans(), logout_hold=st.sampled_from([None, "Banned"]), granted=st.booleans())


def live_through(
    history: History, snapshots: list[tuple[Facts, float]], policy: Policy
) -> tuple[History, Facts, float]:
    """Fold a history into the memory; each entry is a snapshot and the seconds before it."""
    now, facts = 0.0, Facts()
    for facts, pause in snapshots:
        now += pause
        history = remember(history, facts, policy=policy, now=now)
    return history, facts, now


@quick
@given(history=pasts, snapshots=histories, policy=policies)
def test_every_history_has_a_state(history: History, snapshots: list[tuple[Facts, float]], policy: Policy) -> None:
    """Classification never raises and says the same for the same."""
    memory, facts, now = live_through(history, snapshots, policy)

    first = classify(facts, memory, policy=policy, now=now)
    assert first == classify(facts, memory, policy=policy, now=now)
    assert first.state in State
    assert first.message


@quick
@given(history=pasts, snapshots=histories, policy=policies)
def test_connected_is_only_a_page_that_streams(
    history: History, snapshots: list[tuple[Facts, float]], policy: Policy
) -> None:
    """No history makes a session Connected whose page is not registered, connected, streaming and synced right now."""
    memory, facts, now = live_through(history, snapshots, policy)

    if classify(facts, memory, policy=policy, now=now).state is State.CONNECTED:
        assert facts.streaming
        assert facts.synced


@quick
@given(history=pasts, snapshots=histories, policy=policies, later=st.floats(0, 1000))
def test_time_alone_changes_states_never_the_message_of_one(
    history: History, snapshots: list[tuple[Facts, float]], policy: Policy, later: float
) -> None:
    """While state and reason stay, the message stays: a clock that ticks makes no new revision."""
    memory, facts, now = live_through(history, snapshots, policy)
    early = classify(facts, memory, policy=policy, now=now)
    late = classify(facts, memory, policy=policy, now=now + later)

    assert (early[:2] != late[:2]) or early.message == late.message


@quick
@given(history=pasts, snapshots=histories, policy=policies)
def test_no_message_carries_a_code(history: History, snapshots: list[tuple[Facts, float]], policy: Policy) -> None:
    """Whatever the page shows, the QR code's text is in no message."""
    memory, facts, now = live_through(history, snapshots, policy)

    assert CODE not in classify(facts, memory, policy=policy, now=now).message


@quick
@given(snapshots=histories, policy=policies)
def test_a_session_that_must_wait_never_forgets_its_link(snapshots: list[tuple[Facts, float]], policy: Policy) -> None:
    """Under a ban no history ends with the session unlinked and showing QR codes, unless it was connected in between."""
    held = History(linked=True, logout_hold="Banned")
    unconnected = [(facts, pause) for facts, pause in snapshots if not facts.streaming]
    memory, _, _ = live_through(held, unconnected, policy)

    assert memory.linked
    assert memory.logout_hold == "Banned"


@quick
@given(history=pasts, snapshots=histories, policy=policies)
def test_codes_are_only_asked_for_where_they_are_used_up(
    history: History, snapshots: list[tuple[Facts, float]], policy: Policy
) -> None:
    """Asking for a new round restarts the page's socket, so it never happens to a page that is linked or has a live code."""
    memory, facts, now = live_through(history, snapshots, policy)

    if wants_code(memory, facts, policy=policy, now=now):
        assert facts.registered is False
        assert facts.socket in ("UNPAIRED", "UNPAIRED_IDLE")
        assert facts.socket == "UNPAIRED_IDLE" or live_code(memory, facts, now=now) is None
        assert memory.round < policy.max_rounds
