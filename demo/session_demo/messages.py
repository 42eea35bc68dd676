"""The acts of `make demo MESSAGES=1`: a message each way, by the plugin and by pywa, and a reply that a deleted pod does not lose.

Texts are shown here as they are the demo's own; the product writes none of them anywhere but on the session's volume.
"""

from typing import Final

from session_devtools.installation.constants import NAMESPACE
from session_protocol.vocabulary import RunnerState

from session_demo.event_listener import Listener
from session_demo.manifests import FRIEND
from session_demo.messaging import Messaging
from session_demo.report import Observation, Probe, Report

WATCHED: Final = 5.0
""" Seconds for which is watched that nothing comes twice: the page sends again within one or two after its connection. """
HELLO, BY_PYWA, QUESTION, REPLY = "Hello", "Hello from pywa", "Are you open today?", "Until six."


def show_messages(report: Report, session: Messaging) -> None:
    """Show all of them, by a session that is linked and connected."""
    send_by_plugin(report, session)
    send_by_pywa(report, session)
    reply_across_pods(report, session, receive(report, session))


def send_by_plugin(report: Report, session: Messaging) -> None:
    """A person's test message."""
    report.section("A message goes out, by the plugin")
    report.info(f"   kubectl whatsapp send {session.name} -n {NAMESPACE} --to '{FRIEND}' {HELLO}")
    with report.step("sending, and waiting until WhatsApp has it"):
        identifier = session.send_by_plugin(HELLO)
    report.expect("it is on the phone, once", session.arrived(identifier, HELLO), within=15)


def send_by_pywa(report: Report, session: Messaging) -> None:
    """The same by a program that was written for Meta's Cloud API."""
    report.section("The same by pywa, a client of Meta's Cloud API, with nothing but its base URL changed")
    with report.step("pywa sends, with the token in the session's Secret for messaging and its phoneNumberID"):
        identifier = session.send_by_pywa(BY_PYWA)
    report.expect("it is on the phone, once", session.arrived(identifier, BY_PYWA), within=15)
    report.expect("the runner says that WhatsApp has it", session.becomes(identifier, "sent"), within=15)


def receive(report: Report, session: Messaging) -> str:
    """The phone writes; returns the message's id."""
    report.section("The phone writes, and the message is an event")
    with session.listening() as listener:
        with report.step("a program listens to GET /v1/events, and the phone writes"):
            identifier = session.write_from_phone(QUESTION)
        report.expect("the message is in the stream", in_stream(listener, identifier), within=30)
        with report.step(f"listening for {WATCHED:g} s more"):
            report.sleep(WATCHED)
        report.expect("it came once", in_stream(listener, identifier), within=5)
    return identifier


def in_stream(listener: Listener, identifier: str) -> Probe:
    """Make a probe: the message was told just once, with its text."""

    def observe() -> Observation:
        found = listener.with_id(identifier, kind="message")
        texts = [one["data"]["content"].get("text", {}).get("body") for one in found]
        shown = f", with the text: {texts[0]}" if texts else ""
        return Observation(ok=texts == [QUESTION], text=f"events with this message: {len(found)}{shown}")

    return observe


def reply_across_pods(report: Report, session: Messaging, question: str) -> None:
    """A reply is taken while the page cannot send it, and its pod is deleted: the next one sends it, once."""
    client, name = session.client, session.name
    report.section("A reply is accepted, its pod is deleted before WhatsApp has it, and the next pod sends it once")
    before, linked = client.pod_uid(name), client.link_time(name)
    with report.step("cutting the page's connection, and replying by pywa"):
        session.command_phone("offline", {})
        identifier = session.send_by_pywa(REPLY, reply_to=question)
    report.info(f"   the API has accepted it; its status is {session.status_of(identifier)}")
    with report.step(f"deleting the pod of {name}"):
        client.delete_pod(name)
    report.expect(f"{name} has a new pod", client.another_pod(name, before=before), within=90)
    report.expect("the phone has no reply yet", session.arrived(identifier, REPLY, times=0), within=5)
    with report.step("letting the page connect"):
        session.command_phone("online", {})
    again = client.connected_again(name, before=before, linked=linked)
    report.expect(f"{name} is {RunnerState.CONNECTED} again, with no new QR code", again, within=120)
    reply = session.arrived(identifier, REPLY, reply_to=question)
    report.expect("the phone has the reply", reply, within=60)
    report.expect("the new pod's runner says so", session.becomes(identifier, "sent"), within=15)
    with report.step(f"watching the phone for {WATCHED:g} s"):
        report.sleep(WATCHED)
    report.expect("the phone has the reply once, not twice", reply, within=5)
