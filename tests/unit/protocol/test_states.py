"""One table of states: whatever is derived from it follows a state that is put into it."""

from dataclasses import replace
from pathlib import Path

import pytest
from kubectl_whatsapp.advice import Outlook, advise
from prometheus_client import generate_latest
from session_protocol.states import (
    STATES,
    Hold,
    Phase,
    Request,
    Traits,
    is_linked,
    needs_person,
    wait_is_over,
    waits_for_person,
)
from session_protocol.vocabulary import ExitCode, RunnerState, StateReason
from session_runner.metrics.metrics import Metrics
from session_runner.monitoring.monitor import LOADING_INTERVAL, MOVING_INTERVAL, RESTING_INTERVAL, pause_after
from session_runner.profile.saved_state import SavedState, read_saved_state, write_saved_state
from session_runner.states.hold import HeldState, hold_after
from unit.core.fake_cluster import FakeCluster, running
from whatsapp_operator.api import gitops
from whatsapp_operator.api.crd.definitions import SESSION, root_schema
from whatsapp_operator.api.crd.reference import reference
from whatsapp_operator.api.state_pages import BLOCKS, PAGES, filled

REPOSITORY = Path(__file__).parents[3]
MADE_UP = "MadeUp"
HOLD = Hold(matter="It was made up", to_go_on="to forget it", unless=StateReason.RELINKING)


def put(monkeypatch: pytest.MonkeyPatch, **traits: object) -> None:
    """Put the made-up state into the table."""
    row: dict[str, object] = {"meaning": "nobody knows", "phase": Phase.CONNECTING, **traits}
    monkeypatch.setitem(STATES, MADE_UP, Traits(**row))  # type: ignore[arg-type]


def test_every_state_has_its_row() -> None:
    """The table has the runner's states, all of them and no other."""
    assert list(RunnerState) == list(STATES)


@pytest.mark.parametrize(("linked", "expected"), [(True, ("True", "Linked")), (False, ("False", "NotLinked"))])
def test_the_operator_knows_whether_it_is_linked(
    monkeypatch: pytest.MonkeyPatch, *, linked: bool, expected: tuple[str, str]
) -> None:
    """By the table, also against what stood in status before."""
    put(monkeypatch, linked=linked)
    cluster = running(state="QRPending" if linked else "Connected")
    cluster.say(MADE_UP)
    cluster.look()

    assert expected == cluster.says("Linked")


def test_the_operator_knows_which_state_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ready is whatever the table calls connected."""
    put(monkeypatch, phase=Phase.CONNECTED)

    assert ("True", MADE_UP) == running(state=MADE_UP).says("Ready")


def held(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """Return a cluster whose session waits for a person in the made-up state."""
    put(monkeypatch, hold=HOLD, request=Request.RELINK)
    cluster = running()
    cluster.say(MADE_UP)
    cluster.look()
    return cluster


def test_the_operator_makes_no_pod_in_a_state_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stalled says why and how to go on, and outlives the pod and the operator's process."""
    cluster = held(monkeypatch)
    stalled = cluster.condition("Stalled")
    cluster.gone()
    cluster.restart_operator()
    cluster.settle()

    assert ("True", MADE_UP) == cluster.says("Stalled")
    assert {} == cluster.pods
    assert (
        "It was made up: to forget it, run: kubectl annotate --overwrite was sales -n shop "
        "wasession.dev/relink-at=$(date -u +%FT%TZ)" == stalled.message
    )


def test_the_operator_goes_on_after_a_state_that_ends_the_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A word of the table ends a hold, here of a conflict."""
    put(monkeypatch, ends_hold=True)
    cluster = running(state="Conflict")
    cluster.say(MADE_UP)
    cluster.look()

    assert ("False", "NotStalled") == cluster.says("Stalled")


def test_the_operator_counts_a_fatal_state_that_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does for a page that died."""
    put(monkeypatch, fatal=True)
    cluster = running()
    cluster.say(MADE_UP)
    cluster.tick(46)
    cluster.keep_answering()
    cluster.resync()

    assert MADE_UP == cluster.status().to_dict()["recovery"]["lastFailure"]["reason"]


def test_the_runner_keeps_a_hold_over_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless its reason says that it goes on by itself, and until a state ends it."""
    put(monkeypatch, hold=HOLD)
    state = RunnerState.CONFLICT
    monkeypatch.setitem(STATES, state, STATES[MADE_UP])
    waits = HeldState(state=state, reason=StateReason.REPLACED, message="m")

    assert waits == hold_after(None, state=state, reason=StateReason.REPLACED, message="m")
    assert hold_after(waits, state=state, reason=StateReason.RELINKING, message="m") is None
    assert hold_after(waits, state=RunnerState.CONNECTED, reason=StateReason.AS_EXPECTED, message="m") is None


def test_the_runner_reads_back_what_waits_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A state that waits no more is no hold, whatever the profile remembers."""
    write_saved_state(
        tmp_path / "runner.json",
        SavedState(hold=HeldState(state=RunnerState.CONFLICT, reason=StateReason.REPLACED, message="m")),
    )
    before = read_saved_state(tmp_path / "runner.json").hold
    monkeypatch.setitem(STATES, RunnerState.CONFLICT, Traits(meaning="nothing", phase=Phase.CONNECTING))

    assert before is not None
    assert read_saved_state(tmp_path / "runner.json").hold is None


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        ({"phase": Phase.STARTING}, LOADING_INTERVAL),
        ({"brief": True}, MOVING_INTERVAL),
        ({}, RESTING_INTERVAL),
    ],
)
def test_the_runner_looks_as_often_as_the_table_says(
    monkeypatch: pytest.MonkeyPatch, traits: dict[str, object], expected: float
) -> None:
    """While it loads, while something is expected, or at rest."""
    monkeypatch.setitem(
        STATES,
        RunnerState.OFFLINE,
        Traits(**{"meaning": "", "phase": Phase.CONNECTING, **traits}),  # type: ignore[arg-type]
    )

    assert expected == pause_after(RunnerState.OFFLINE, health_check=45)


def test_the_runner_counts_every_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """The metric has a series for each row."""
    put(monkeypatch)

    assert f'whatsapp_runner_state{{state="{MADE_UP}"}} 0.0' in generate_latest(Metrics().registry).decode()


@pytest.mark.parametrize(
    ("traits", "linked", "expected"),
    [
        ({"linked": True}, None, Outlook.LINKED),
        ({"linked": True}, False, Outlook.LINKED),
        ({"linked": False}, True, Outlook.SOON),
        ({}, None, Outlook.SOON),
        ({}, True, Outlook.LINKED),
        ({}, False, Outlook.SOON),
        ({"phase": Phase.STARTING}, True, Outlook.SOON),
        ({"phase": Phase.EXITING}, True, Outlook.SOON),
        ({"request": Request.RESTART}, True, Outlook.NEVER),
        ({"hold": HOLD, "request": Request.RELINK}, None, Outlook.NEVER),
    ],
)
def test_the_plugin_advises_by_the_table(
    monkeypatch: pytest.MonkeyPatch,
    traits: dict[str, object],
    linked: bool | None,  # noqa: FBT001
    expected: Outlook,
) -> None:
    """What is linked shows no code, what waits needs a request, the rest is waited for; the answer fills the gaps."""
    put(monkeypatch, **traits)

    assert expected is advise(namespace="shop", name="sales", state=MADE_UP, linked=linked).outlook


def test_the_plugin_prints_the_tables_advice_and_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said by the runner or as the reason of Stalled; with the reason that goes on by itself there is nothing to ask for."""
    put(monkeypatch, hold=HOLD, request=Request.RELINK, no_code="it was made up")
    waits = advise(namespace="shop", name="sales", state=MADE_UP)
    stalled = advise(namespace="shop", name="sales", state="Stalled", reason=MADE_UP)
    by_itself = advise(namespace="shop", name="sales", state=MADE_UP, reason=StateReason.RELINKING)

    assert waits == stalled
    assert "it was made up. To link again:" in waits.text
    assert "wasession.dev/relink-at=" in waits.text
    assert Outlook.SOON is by_itself.outlook


@pytest.mark.parametrize(
    ("traits", "lua", "flux"),
    [
        ({"phase": Phase.BLOCKED}, {"broken", "resumable"}, {"failed", "inProgress"}),
        ({"phase": Phase.BLOCKED, "hold": HOLD}, {"resumable"}, {"inProgress"}),
        ({"phase": Phase.LINKING}, {"waiting"}, {"current"}),
        ({"phase": Phase.CONNECTING}, set(), set()),
        ({"phase": Phase.CONNECTING, "request": Request.RESTART}, {"resumable"}, {"inProgress"}),
    ],
)
def test_argo_cd_and_flux_know_the_state(
    monkeypatch: pytest.MonkeyPatch, traits: dict[str, object], lua: set[str], flux: set[str]
) -> None:
    """Among what is broken, what waits for a person, where a request is carried out, or nowhere: then it is on its way."""
    put(monkeypatch, **traits)
    text = gitops.health_check()
    sets = {
        name: text.partition(f"local {name} = {{")[2].partition("}")[0] for name in ("broken", "waiting", "resumable")
    }

    assert lua == {name for name, states in sets.items() if f"{MADE_UP} = true" in states}
    assert flux == {name for name, text in gitops.health_expressions().items() if f"'{MADE_UP}'" in text}


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        ({"phase": Phase.BLOCKED}, True),
        ({"phase": Phase.BLOCKED, "hold": replace(HOLD, unless=None)}, True),
        ({"phase": Phase.BLOCKED, "hold": HOLD}, False),
        ({"phase": Phase.LINKING}, True),
        ({"phase": Phase.CONNECTING, "request": Request.RESTART}, False),
    ],
)
def test_what_lasts_until_a_person_does_something(
    monkeypatch: pytest.MonkeyPatch, traits: dict[str, object], *, expected: bool
) -> None:
    """To link a phone, or to mend it; not what goes on by itself with some reason, which is Stalled with every other."""
    put(monkeypatch, **traits)

    assert expected is needs_person(MADE_UP)


def test_the_crd_names_every_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """In `kubectl explain`, and on the reference page."""
    put(monkeypatch, phase=Phase.CONNECTED)
    text = root_schema(SESSION)["properties"]["status"]["properties"]["state"]["description"]

    assert f"Stopping, {MADE_UP}. By the operator, while" in text
    assert f"any but Connected or {MADE_UP} means not connected" in text
    assert text in reference()


def test_the_pages_of_the_docs_have_every_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each table in a page that is written by hand otherwise; every block has its page."""
    put(monkeypatch, phase=Phase.BLOCKED, meaning="nobody knows what", next="nothing", linked=False, hold=HOLD)
    pages = {path.name: filled((REPOSITORY / path).read_text()) for path in PAGES}

    assert f"| `{MADE_UP}` | no | nobody knows what | nothing |" in pages["runner-api.md"]
    assert f"| `{MADE_UP}` | no | yes, but with reason Relinking, which ends the waiting | | |" in pages["operator.md"]
    assert set() == {name for name in BLOCKS if not any(f"generate`: {name} -->" in page for page in pages.values())}


def test_the_page_about_gitops_names_what_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the row of both tools' words for it."""
    put(monkeypatch, phase=Phase.BLOCKED)

    assert f", {MADE_UP} | Degraded | Failed |" in filled((REPOSITORY / "docs/operations/gitops.md").read_text())


def test_the_pages_have_every_exit_code() -> None:
    """A code, its word and what it means."""
    page = (REPOSITORY / "docs/reference/runner-api.md").read_text()

    assert [] == [code for code in ExitCode if f"| {int(code)} | `{code.reason}` | {code.meaning} |" not in page]


def test_an_unknown_block_is_a_mistake() -> None:
    """A page that names a block which nobody writes would stay as it is for ever."""
    page = "<!-- generated by `make generate`: nonsense -->\n\n\n<!-- end of generated -->\n"

    with pytest.raises(KeyError, match="nonsense"):
        filled(page)


@pytest.mark.parametrize("answer", [True, False, None])
def test_where_the_table_does_not_know_the_answer_decides(answer: bool | None) -> None:  # noqa: FBT001
    """Degraded is said of linked and of unlinked pages; so is a word of a newer runner."""
    assert answer is is_linked("Degraded", answer=answer)
    assert answer is is_linked("AWordOfALaterVersion", answer=answer)
    assert (True, False) == (is_linked("Connected", answer=answer), is_linked("QRPending", answer=answer))


def test_no_state_both_begins_and_ends_the_waiting() -> None:
    """In the table, too: a hold that every word ends would be none."""
    assert [] == [state for state, traits in STATES.items() if traits.hold and traits.ends_hold]
    assert waits_for_person(state="LoggedOut", reason="WaitingForPerson")
    assert wait_is_over(state="LoggedOut", reason="Relinking")
