"""What becomes of a page that stays as it is: nothing that should pass by itself stays for ever, and no hold is lost.

Time is simulated, and each look goes through all that the monitor does with it: `remember`, a round of QR codes where one
is due, `classify`, `reported`, `hold_after`.
"""


import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_protocol.vocabulary import RunnerState as State
from session_protocol.vocabulary import StateReason as Reason
from session_runner.states.classify import Verdict, classify
from session_runner.states.facts import Facts
from session_runner.states.history import History, asked_for_code, left, remember, reported, wants_code
from session_runner.states.hold import HeldState, hold_after
from session_runner.states.policy import Policy
from unit.runner.pages import MODERN, UNLINKED, Raw, looks, page_facts, quick

POLICY = Policy(max_rounds=2)
STEP = 5.0
BAN: Raw = {"code": 402, "expire": 1_800_000_000}
DOWN: Raw = {"stream": "DISCONNECTED"}


class Runner:
    """Looks at a page and says what the monitor would."""

    def __init__(self, history: History) -> None:
        self.history, self.now = history, 0.0
        self.hold: HeldState | None = None

    def look(self, facts: Facts, *, after: float = STEP) -> Verdict:
        """Look once, some seconds later."""
        self.now += after
        self.history = remember(self.history, facts, policy=POLICY, now=self.now)
        verdict = classify(facts, self.history, policy=POLICY, now=self.now)
        self.history = reported(self.history, verdict.state, now=self.now)
        self.hold = hold_after(self.hold, state=verdict.state, reason=verdict.reason, message=verdict.message)
        if wants_code(self.history, facts, policy=POLICY, now=self.now):
            self.history = asked_for_code(self.history, now=self.now)
        return verdict

    def reload(self) -> None:
        """Let the page load another document."""
        self.history = left(self.history, now=self.now)


def banned(*, linked: bool = True) -> Runner:
    """A runner whose page showed a ban and has loaded another document since."""
    runner = Runner(History(linked=linked, healthy_comms=True))
    runner.look(looks(MODERN if linked else MODERN | UNLINKED, origin=0.5, ban=BAN, **DOWN))
    assert runner.hold is not None
    assert State.TEMPORARILY_BANNED is runner.hold.state
    runner.reload()
    return runner


# --- a ban


@quick
@given(snapshots=st.lists(st.tuples(page_facts, st.floats(0, 90)), max_size=8), linked=st.booleans())
def test_only_a_page_that_is_let_in_ends_a_ban_after_a_reload(
    snapshots: list[tuple[Facts, float]], *, linked: bool
) -> None:
    """Another document says nothing of it: not by its silence, nor by another matter that it shows."""
    runner = banned(linked=linked)
    for facts, pause in snapshots:
        if facts.is_let_in or facts.origin is None or facts.ban is not None:
            continue
        runner.look(facts, after=pause)

        assert runner.hold is not None


@pytest.mark.parametrize(
    "page",
    [
        {"socket": "OPENING"},
        {"socket": "OPENING", "online": False},
        {"socket": "OPENING", "unavailable": True},
        {"socket": "OPENING", "synced": False},
        {"socket": "SCREEN_LOCKED"},
        {"socket": "CONNECTED", "synced": False},
        UNLINKED,
        UNLINKED | {"socket": "OPENING"},
    ],
    ids=str,
)
def test_a_ban_that_nothing_refutes_is_said_after_the_connection_check(page: Raw) -> None:
    """Until then it may still show; it is neither Loading for ever nor anything that ends the hold."""
    runner = banned(linked=page.get("registered", True))
    states = [runner.look(looks(MODERN, **(DOWN | page))).state for _ in range(100)]

    assert [State.LOADING] * 6 + [State.TEMPORARILY_BANNED] * 94 == states


def test_what_is_said_of_a_ban_that_nothing_refutes_is_no_more_than_is_known() -> None:
    """It may be over: the sentence says so, with what the service told of it."""
    runner = banned()
    for _ in range(10):
        said = runner.look(looks(MODERN, socket="OPENING", **DOWN))

    assert Reason.BANNED is said.reason
    assert "not known" in said.message
    assert "code 402) until 2027-01-15T08:00:00Z" in said.message


def test_the_document_that_showed_a_ban_ends_it_by_its_silence() -> None:
    """Its screen is gone, so what comes after is said, and ends the hold."""
    runner = Runner(History(linked=True, healthy_comms=True))
    runner.look(looks(MODERN, ban=BAN, **DOWN))

    assert State.RECONNECTING is runner.look(looks(MODERN, socket="OPENING", **DOWN)).state
    assert runner.hold is None


def test_no_round_is_asked_for_while_a_ban_is_shown() -> None:
    """It would be one more attempt, which can make the ban longer."""
    facts = looks(MODERN, **(UNLINKED | {"socket": "UNPAIRED_IDLE", "ban": BAN}))

    assert not wants_code(History(round=1), facts, policy=POLICY, now=1)
