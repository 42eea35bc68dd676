"""Why there is no QR code: every word of the runner and of the operator has an answer."""

import pytest
from kubectl_whatsapp import advice as known
from kubectl_whatsapp.advice import Outlook, advise
from session_protocol.states import OperatorState, waits_for_person
from session_protocol.vocabulary import RunnerState, StateReason
from whatsapp_operator.core.quota import eligibility

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
def test_what_waits_for_a_person_is_advice_to_a_person(state: str) -> None:
    """Where the runner says that only a person may go on, the advice is a command and not "wait"."""
    advice = advise(namespace="shop", name="sales", state=state, reason=StateReason.WAITING_FOR_PERSON)

    if waits_for_person(state=state, reason=StateReason.WAITING_FOR_PERSON):
        assert Outlook.NEVER is advice.outlook
        assert "kubectl annotate --overwrite whatsappsession sales --namespace shop wasession.dev/re" in advice.text


def test_a_logout_that_links_again_by_itself() -> None:
    """After a logout with onLogout: Relink a new code comes without anybody's doing."""
    advice = advise(namespace="shop", name="sales", state="LoggedOut", reason="Relinking")

    assert Outlook.SOON is advice.outlook


@pytest.mark.parametrize(
    ("reason", "text", "request_"),
    [
        ("Conflict", "its account is open somewhere else, and going on here takes it over", "restart-at"),
        ("TemporarilyBanned", "WhatsApp refuses the account for some time", "restart-at"),
        ("LoggedOut", "it was logged out and waits for a person", "relink-at"),
        ("RecoveryExhausted", "the operator has stopped retrying and waits for a person", "restart-at"),
        ("SomethingNew", "the operator has stopped retrying and waits for a person", "restart-at"),
    ],
)
def test_a_stalled_session_gets_advice_by_its_reason(reason: str, text: str, request_: str) -> None:
    """Without a pod the state is Stalled whatever the cause: the reason tells what going on means, and which request."""
    advice = advise(namespace="shop", name="sales", state="Stalled", reason=reason)

    assert Outlook.NEVER is advice.outlook
    assert text in advice.text
    assert f" wasession.dev/{request_}=$(date" in advice.text


@pytest.mark.parametrize("reason", ["NameTaken", "MultiplePods", "InvalidObject"])
def test_an_obstacle_is_named_and_no_restart_is_offered(reason: str) -> None:
    """A restart would not help: the message says what is in the way, and that is all there is to do."""
    advice = advise(namespace="shop", name="sales", state="Stalled", reason=reason, message="Delete or rename it.")

    expected = (
        f"session shop/sales is stalled ({reason}): Delete or rename it. It continues by itself once that is resolved"
    )
    assert (Outlook.NEVER, expected) == (advice.outlook, advice.text)


def test_the_obstacles_are_the_operators() -> None:
    """The plugin has its own list, as it is installed without the operator's package."""
    assert {str(reason) for reason in eligibility.OBSTACLES} == known.OBSTACLES


def test_a_full_quota_gets_advice_where_to_look() -> None:
    """The quota's own message, and the command that shows who has the places."""
    advice = advise(
        namespace="shop", name="sales", state="Queued", message="Maximum concurrent sessions limit reached (3)."
    )

    expected = (
        "session shop/sales shows no QR code yet: it waits to be admitted by its quota (`kubectl whatsapp status -A` shows "
        "which sessions are): Maximum concurrent sessions limit reached (3)."
    )
    assert (Outlook.SOON, expected) == (advice.outlook, advice.text)


def test_the_whole_sentence_of_an_expired_link() -> None:
    """The reason, then the command that goes on, ready to be pasted."""
    advice = advise(namespace="shop", name="sales", state="LinkExpired", message="5 rounds passed.")

    expected = (
        "session shop/sales: all rounds of QR codes passed unused: 5 rounds passed. To link again:\n"
        "  kubectl annotate --overwrite whatsappsession sales --namespace shop "
        "wasession.dev/relink-at=$(date -u +%FT%TZ)"
    )
    assert (Outlook.NEVER, expected) == (advice.outlook, advice.text)


def test_the_command_is_there_once() -> None:
    """The operator's message ends with it, too."""
    message = (
        "No phone was linked: to show a QR code again, run: kubectl annotate --overwrite was sales -n shop "
        "wasession.dev/relink-at=$(date -u +%FT%TZ)"
    )
    advice = advise(namespace="shop", name="sales", state="LinkExpired", message=message)

    assert advice.text.startswith("session shop/sales: all rounds of QR codes passed unused. To link again:\n")
    assert 1 == advice.text.count("wasession.dev/relink-at")


@pytest.mark.parametrize(
    ("state", "reason"), [("LinkExpired", ""), ("Stalled", "Conflict"), ("Stalled", "RecoveryExhausted")]
)
def test_what_was_asked_for_is_waited_for(state: str, reason: str) -> None:
    """Between the annotation and the operator's answer there is nothing more to do."""
    advice = advise(namespace="shop", name="sales", state=state, reason=reason, pending=True)

    assert Outlook.SOON is advice.outlook
    assert "about to be carried out" in advice.text


def test_the_whole_sentence_of_a_suspended_session() -> None:
    """The patch names the session's own field."""
    advice = advise(namespace="shop", name="sales", state="Suspended")

    expected = (
        "session shop/sales is suspended. To resume it:\n"
        "  kubectl patch whatsappsession sales --namespace shop --type=merge "
        """--patch '{"spec": {"operatingMode": "Running"}}'"""
    )
    assert expected == advice.text
