"""The act of `make demo MESSAGES=1` with a webhook: a receiver in a pod of its own, and a session that posts to it.

The operator opens the way by its setting; the receiver believes only what is signed by the Secret that both have.
"""

import json
from typing import Any, Final

from session_devtools.http_client import Client
from session_devtools.installation import receiver
from session_devtools.installation.constants import NAMESPACE, OPERATOR_NAMESPACE
from session_devtools.installation.install import pod_of, rollout
from session_devtools.installation.receiver_pod import NAME, receiver_objects

from session_demo.messaging import Messaging
from session_demo.report import Observation, Probe, Report

QUESTION: Final = "Are you open on Sunday?"
DESTINATION: Final = f"WEBHOOK_DESTINATIONS={NAMESPACE}/app={NAME}:{receiver.PORT}"


def show_webhook(report: Report, session: Messaging) -> None:
    """Give a session a webhook, and let the phone write."""
    client, name = session.client, session.name
    kubectl = client.kubectl
    report.section(
        "The phone writes, and a webhook posts the message to a receiver, which checks handshake and signature"
    )
    operator, where = "whatsapp-operator", OPERATOR_NAMESPACE
    if client.instance:
        operator, where = f"{operator}-{client.instance}", f"{where}-{client.instance}"
    with report.step(f"opening the way to the receiver in the cluster, by the operator's setting {DESTINATION}"):
        kubectl("set", "env", f"deployment/{operator}", DESTINATION, f"--namespace={where}")
        rollout(kubectl, operator, where)
    with report.step("starting a receiver in a pod of its own, with a Secret that the session has, too"):
        kubectl.apply(*receiver_objects(image=_image(session)))
        kubectl("wait", "--for=condition=Ready", f"pod/{NAME}", f"--namespace={NAMESPACE}", "--timeout=60s")
    before, linked = client.pod_uid(name), client.link_time(name)
    with report.step(f"adding a webhook to {name}, and deleting its pod: the next one has the Secret"):
        kubectl("patch", "was", name, f"--namespace={NAMESPACE}", "--type=merge", f"--patch={json.dumps(webhook())}")
        client.delete_pod(name)
    again = client.connected_again(name, before=before, linked=linked)
    report.expect(f"{name} is Connected again", again, within=120)
    identifier = session.write_from_phone(QUESTION)
    once = received(session, identifier)
    report.expect("the receiver has the message, signed, once", once, within=60)
    report.info("   (how a program checks the signature: docs/webhooks.md)")


def webhook() -> dict[str, Any]:
    """Return the patch that gives a session its webhook."""
    url = f"http://{NAME}.{NAMESPACE}.svc:{receiver.PORT}/webhook"
    hook = {"name": NAME, "url": url, "format": "CloudAPI", "events": ["message"], "secretName": NAME}
    return {"spec": {"webhooks": [hook]}}


def received(session: Messaging, identifier: str) -> Probe:
    """Make a probe: the receiver was asked for a handshake, and has the message once in the Cloud API's shape."""

    def observe() -> Observation:
        with session.client.kubectl.forward(NAME, receiver.PORT, namespace=NAMESPACE) as port:
            found = Client(f"http://127.0.0.1:{port}").request("/received").json_object()
        messages = [one for event in found["events"] for one in _messages(event) if one.get("id") == identifier]
        text = (
            f"handshakes: {found['handshakes']}, events with the message: {len(messages)}, refused: {found['refused']}"
        )
        ok = (
            found["handshakes"] > 0 and not found["refused"] and [one["text"]["body"] for one in messages] == [QUESTION]
        )
        return Observation(ok=ok, text=text)

    return observe


def _messages(event: Any) -> list[dict[str, Any]]:
    changes = [change for entry in event.get("entry", ()) for change in entry.get("changes", ())]
    return [message for change in changes for message in change["value"].get("messages", ())]


def _image(session: Messaging) -> str:
    """Return the image of the stand-in, which has Python and is on the node."""
    kubectl = session.client.kubectl
    pod = kubectl.find("pod", pod_of(kubectl, "standin"), namespace=NAMESPACE) or {}
    return str(pod["spec"]["containers"][0]["image"])
