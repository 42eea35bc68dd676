"""A page that the service refuses as too old, and that loads itself anew for it: documents are counted."""

from pathlib import Path

import pytest
from session_protocol.vocabulary import RunnerState as State
from session_protocol.vocabulary import StateReason as Reason
from session_runner.states.classify import Verdict, classify
from session_runner.states.history import History, left, remember, version_refused
from session_runner.states.policy import Policy
from session_runner.states.updating import MOST_DOCUMENTS
from unit.runner.monitor_harness import MonitorHarness, ScriptedPage
from unit.runner.pages import CODE, LEGACY, MODERN, UNLINKED, Raw, looks
from unit.runner.test_states_by_facts import LOADING, healthy

POLICY = Policy(startup=60, connection_check=10)
REFUSED: Raw = {"socket": "OPENING", "stream": "DISCONNECTED", "synced": False, "needsUpdate": True, "wasLetIn": False}


class Looping:
    """A page whose documents are refused one after the other, and whoever looks at it."""

    def __init__(self, shape: Raw, *, linked: bool) -> None:
        self.shape, self.linked = shape, linked
        self.history, self.now = History(linked=linked), 0.0

    def look(self, page: Raw) -> Verdict:
        """Look once."""
        self.now += 1
        facts = looks(self.shape, **page)
        self.history = remember(self.history, facts, policy=POLICY, now=self.now)
        return classify(facts, self.history, policy=POLICY, now=self.now)

    def document(self, *, by_event: bool) -> list[Verdict]:
        """Load one more document; whether it is refused shows at a look, or only as it leaves."""
        self.history = left(self.history, now=self.now)
        refused = REFUSED if self.linked else UNLINKED | REFUSED
        verdicts = [self.look(LOADING), self.look(refused | {"needsUpdate": not by_event})]
        if by_event:
            self.history = version_refused(self.history, now=self.now)
        return verdicts


@pytest.mark.parametrize("shape", [LEGACY, MODERN], ids=["legacy", "modern"])
@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("by_event", [True, False])
def test_a_page_that_updates_itself_without_end_needs_an_update(shape: Raw, *, linked: bool, by_event: bool) -> None:
    """After the third document, and for as long as others follow; it is over with the first that is let in."""
    page = Looping(shape, linked=linked)
    page.look(healthy(linked=linked))
    first = [verdict for _ in range(MOST_DOCUMENTS) for verdict in page.document(by_event=by_event)][:-1]
    later = [verdict for _ in range(5) for verdict in page.document(by_event=by_event)]
    page.history = left(page.history, now=page.now)
    over = [page.look(healthy(linked=linked)), page.look(LOADING)]

    assert State.UPDATE_NEEDED not in [verdict.state for verdict in first]
    assert {(State.UPDATE_NEEDED, Reason.VERSION_REFUSED)} == {verdict[:2] for verdict in later}
    assert "again and again" in later[0].message
    assert [State.CONNECTED if linked else State.QR_PENDING, State.LOADING] == [verdict.state for verdict in over]


def test_an_update_now_and_then_is_none_without_end() -> None:
    """A document that is let in between two that are refused, and one that stays and has said it often."""
    page = Looping(MODERN, linked=True)
    for _ in range(2 * MOST_DOCUMENTS):
        page.document(by_event=False)
        page.history = left(page.history, now=page.now)
        page.look({})
    states = [page.look(REFUSED).state for _ in range(5)]

    assert State.UPDATE_NEEDED not in states


def test_a_page_that_stays_is_refused_no_more() -> None:
    """For the startup timeout nothing was refused: what keeps it now is something else."""
    page = Looping(MODERN, linked=True)
    for _ in range(MOST_DOCUMENTS):
        page.document(by_event=True)
    waits = REFUSED | {"needsUpdate": False}
    assert State.UPDATE_NEEDED is page.look(waits).state
    page.now += POLICY.startup

    assert State.UPDATE_NEEDED is not page.look(waits).state


async def test_the_state_stays_while_the_next_document_comes(tmp_path: Path) -> None:
    """The page says so in its last moment, of which no probe reads anything."""
    harness = MonitorHarness(tmp_path, None, STARTUP_TIMEOUT="600s")
    harness.step = 0.1

    async def documents(number: int) -> None:
        for _ in range(number):
            await harness.exit(ScriptedPage(LOADING, REFUSED | {"needsUpdate": False}))
            harness.monitor.wake("needsUpdate", None)
            harness.monitor.document_began(is_error=False)

    await documents(MOST_DOCUMENTS)
    harness.states.clear()
    await documents(3)

    assert {("UpdateNeeded", "VersionRefused")} == {state for state in harness.states if state[0] != "Crashed"}


def test_a_code_on_the_screen_is_of_a_page_that_was_let_in() -> None:
    """A page to be linked that shows one is not refused, however often it was."""
    page = Looping(MODERN, linked=False)
    for _ in range(MOST_DOCUMENTS):
        page.document(by_event=False)

    assert State.QR_PENDING is page.look(UNLINKED | {"code": CODE, "needsUpdate": True}).state
    assert 0 == page.history.updating.documents
