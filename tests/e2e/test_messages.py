"""Messages on a real Kubernetes: webhooks and Secrets that change while they come, and sessions that are away meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from e2e.harness import ClusterHarness
from e2e.receivers import CHATS, Receiver, Writer, by_chat, in_order
from e2e.tenant import Tenant
from support.sessions import without_pod
from support.waiting import until

PROMISED = 120.0
""" Seconds until an edit, or a changed Secret, has reached the running pod. """
NAME = "shop"


@pytest.fixture
def receive(e2e: ClusterHarness, tenant: Tenant) -> Iterator[Callable[[str, str], Receiver]]:
    """A function that starts a receiver with a secret; they go after the test."""

    def start(name: str, secret: str) -> Receiver:
        full = f"{name}-{tenant.namespace}"
        started = Receiver.start(e2e.kubectl, full, image=e2e.images.standin, secret=secret)
        made.callback(started.close)
        return started

    with ExitStack() as made:
        yield start


def gets(receiver: Receiver, count: int, *, within: float = 150.0) -> None:
    """Wait until a receiver has taken so many different messages."""
    until(
        f"{receiver.name} takes {count}",
        lambda: len(set(receiver.texts())),
        lambda n: n >= count,
        within=within,
        every=1,
    )


def test_webhooks_and_secrets_change_under_traffic(tenant: Tenant, receive: Callable[[str, str], Receiver]) -> None:
    """Within two minutes and without a new pod; nothing is lost, nothing overtakes, and nothing is refused for good."""
    first, second, third = receive("first", "old"), receive("second", "old"), receive("third", "new")
    tenant.secret("bot", signingSecret="old")
    tenant.create(NAME, webhooks=[first.webhook()])
    tenant.link(NAME)
    pod, writer = tenant.pod_uid(NAME), Writer(tenant=tenant, session=NAME)
    with writer.writing():
        gets(first, 3)
        tenant.edit(NAME, {"webhooks": [second.webhook()]})
        gets(second, 3, within=PROMISED)
        tenant.edit(NAME, {"webhooks": [third.webhook()]})
        until("the third refuses the old secret", third.received, lambda seen: seen["refused"], within=PROMISED)
        tenant.secret("bot", signingSecret="new")
        gets(third, 3, within=PROMISED)
    receivers = (first, second, third)

    def texts() -> list[str]:
        # One that is under way while the address changes may come to both.
        return list(dict.fromkeys(text for receiver in receivers for text in receiver.texts()))

    found = until("all have come", texts, lambda seen: len(seen) == writer.written)
    assert in_order(writer.written) == by_chat(found)
    assert pod == tenant.pod_uid(NAME)
    assert [(0, 0)] == [(one["waiting"], one["deadLetters"]) for one in tenant.webhooks(NAME)]


def test_what_is_written_while_no_runner_is_there_comes_once(
    e2e: ClusterHarness, tenant: Tenant, receive: Callable[[str, str], Receiver]
) -> None:
    """No operator that makes a new pod, a drained node, a suspended session: all messages, in the order of their chat."""
    receiver = receive("receiver", "secret")
    tenant.secret("bot", signingSecret="secret")
    tenant.create(NAME, webhooks=[receiver.webhook()])
    tenant.link(NAME)
    writer = Writer(tenant=tenant, session=NAME)
    writer.write(3)
    gets(receiver, 3)
    for away in (without_operator, drained, suspended):
        before = tenant.status(NAME)
        with away(e2e, tenant):
            writer.write(12)
        tenant.wait_for_recovery(NAME, after=before)
        gets(receiver, writer.written)
        assert "sent" == goes_out(tenant, away.__name__)

    texts = receiver.texts()
    assert writer.written == len(texts)
    assert in_order(writer.written) == by_chat(texts)


def goes_out(tenant: Tenant, text: str) -> str:
    """Send a text as the session's owner does; gives what becomes of it."""
    with tenant.messages(NAME) as messages:
        sent = messages.send_text(to=CHATS[0], text=text, key=text)
        return until("it is sent", lambda: messages.progress(sent), lambda progress: progress.is_final).status


def _gone(tenant: Tenant) -> None:
    until("the pod is gone", lambda: not tenant.pods())


@contextmanager
def without_operator(e2e: ClusterHarness, tenant: Tenant) -> Iterator[None]:
    """Nobody is there to make a new pod."""
    e2e.operator.scale(0)
    try:
        tenant.delete_pod(NAME)
        _gone(tenant)
        yield
    finally:
        e2e.operator.scale(1)


@contextmanager
def drained(e2e: ClusterHarness, tenant: Tenant) -> Iterator[None]:
    """Its node is drained, and there is no other."""
    node = tenant.status(NAME)["nodeName"]
    uid = (tenant.get("was", NAME) or {})["metadata"]["uid"]
    try:
        selector = f"--pod-selector=wasession.dev/session-uid={uid}"
        e2e.kubectl("drain", node, selector, "--delete-emptydir-data", "--timeout=150s", timeout=160)
        yield
    finally:
        e2e.kubectl("uncordon", node)


@contextmanager
def suspended(_: ClusterHarness, tenant: Tenant) -> Iterator[None]:
    """A person has suspended it."""
    tenant.edit(NAME, {"operatingMode": "Suspended"})
    tenant.wait_for(NAME, without_pod())
    _gone(tenant)
    yield
    tenant.edit(NAME, {"operatingMode": "Running"})
