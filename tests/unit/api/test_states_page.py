"""The page of states: complete, and true to the tables that it is made from."""

from pathlib import Path

import alert_files
import pytest
from session_protocol.states import STATES, OperatorState, Phase, rests
from whatsapp_operator.api.states_page import TO_DO, page

ROOT = Path(__file__).parents[3]
ALL = [*STATES, *OperatorState]


@pytest.fixture(scope="module")
def sections() -> dict[str, str]:
    """The page by state."""
    text = page({"Syncing": ["WhatsAppSessionSyncEndless"]})
    parts = [part.split("\n## ")[0] for part in text.split("\n### ")[1:]]
    return {part.partition("\n")[0]: part for part in parts}


def test_each_state_has_its_section(sections: dict[str, str]) -> None:
    """Those of a runner and those of the operator, each once, with all that is asked of it."""
    assert sorted(ALL) == sorted(sections)
    assert set(ALL) == set(TO_DO)
    for state, section in sections.items():
        assert f'`whatsapp_session_state{{state="{state}"}} 1`' in section
        for row in ("Meaning", "kubectl", "Metrics", "API", "What to do"):
            assert f"| {row} | " in section


def test_only_connected_is_ready(sections: dict[str, str]) -> None:
    """A runner that does not answer may be connected: that is not known."""
    ready = {state: section.partition("Ready `")[2].partition("`")[0] for state, section in sections.items()}

    assert {state: STATES[state].phase is Phase.CONNECTED for state in STATES} == {
        state: ready[state] == "True" for state in STATES
    }
    assert "Unknown" == ready["Unreachable"]


def test_what_waits_for_a_person_is_there(sections: dict[str, str]) -> None:
    """The states with a hold are Stalled, whatever becomes of the pod; the one that rests has none."""
    held = [state for state, section in sections.items() if "Stalled `True`" in section]
    resting = [state for state, section in sections.items() if "no pod, not Stalled" in section]

    assert ["LinkExpired"] == resting == [state for state in STATES if rests(state)]
    assert sorted([*held, *resting]) == sorted(state for state in STATES if STATES[state].hold is not None)
    assert "Argo CD: Degraded while it is Stalled, else Progressing" in sections["LoggedOut"]


def test_alerts_are_those_that_ask_for_the_state(sections: dict[str, str]) -> None:
    """Not those that leave it out; a state without one says so."""
    alerts = alert_files.by_state((ROOT / alert_files.RULES).read_text(encoding="utf-8"))

    assert ["WhatsAppSessionSyncEndless"] == alerts["Syncing"]
    assert ["WhatsAppSessionConflict"] == alerts["Conflict"]
    assert ["WhatsAppSessionStalled"] == alerts["Stalled"]
    assert "Suspended" not in alerts
    assert "(runbooks/WhatsAppSessionSyncEndless.md)" in sections["Syncing"]
    assert "alert: none of its own" in sections["Suspended"]
