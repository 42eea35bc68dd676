"""Why there is no QR code: every word of the runner and of the operator has an answer."""

import pytest
from kubectl_whatsapp.advice import Outlook, advise
from session_runner.states.vocabulary import RunnerState, StateReason, waits_for_person
from whatsapp_operator.api.states import OperatorState

STATES = [*map(str, RunnerState), *map(str, OperatorState), "", "SomethingNew"]


@pytest.mark.parametrize("state", STATES)
def test_every_state_names_the_session(state: str) -> None:
    """Whatever the state, the sentence says which session it is about and ends as a sentence for people."""
    advice = advise(namespace="shop", name="sales", state=state)

    assert "session shop/sales" in advice.text
    assert "  " not in advice.text.replace("\n  kubectl", "")


@pytest.mark.parametrize("state", ["Connected", "Syncing", "Reconnecting", "Restricted"])
def test_a_linked_session_has_no_code_to_wait_for(state: str) -> None:
    """Linked is linked, also while the connection is being made anew."""
    assert Outlook.LINKED is advise(namespace="shop", name="sales", state=state).outlook


@pytest.mark.parametrize("state", ["", "Queued", "Pending", "Starting", "Loading", "QRPending", "SomethingNew"])
def test_a_session_on_its_way_is_waited_for(state: str) -> None:
    """What may lead to a code by itself is no reason to give up; a word never heard neither."""
    assert Outlook.SOON is advise(namespace="shop", name="sales", state=state).outlook


@pytest.mark.parametrize("state", [str(state) for state in RunnerState])
def test_what_waits_for_a_person_is_told_to_a_person(state: str) -> None:
    """Where the runner says that only a person may go on, the advice is a command and not "wait"."""
    advice = advise(namespace="shop", name="sales", state=state, reason=StateReason.WAITING_FOR_PERSON)

    if waits_for_person(state=state, reason=StateReason.WAITING_FOR_PERSON):
        assert Outlook.NEVER is advice.outlook
        assert "kubectl annotate --overwrite whatsappsession sales --namespace shop wasession.dev/re" in advice.text


def test_a_logout_that_links_again_by_itself() -> None:
    """After a logout with onLogout: Relink a new code comes without anybody's doing."""
    advice = advise(namespace="shop", name="sales", state="LoggedOut", reason="Relinking")

    assert Outlook.SOON is advice.outlook


def test_the_whole_sentence_of_an_expired_link() -> None:
    """The reason, then the command that goes on, ready to be pasted."""
    advice = advise(namespace="shop", name="sales", state="LinkExpired", message="5 rounds passed.")

    expected = (
        "session shop/sales: all rounds of QR codes passed unused: 5 rounds passed. To link again:\n"
        "  kubectl annotate --overwrite whatsappsession sales --namespace shop "
        "wasession.dev/relink-at=$(date -u +%FT%TZ)"
    )
    assert (Outlook.NEVER, expected) == (advice.outlook, advice.text)


def test_the_whole_sentence_of_a_suspended_session() -> None:
    """The patch names the session's own field."""
    advice = advise(namespace="shop", name="sales", state="Suspended")

    expected = (
        "session shop/sales is suspended. To let it run again:\n"
        "  kubectl patch whatsappsession sales --namespace shop --type=merge "
        """--patch '{"spec": {"operatingMode": "Running"}}'"""
    )
    assert expected == advice.text
