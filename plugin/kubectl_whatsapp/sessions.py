"""Finds one session and opens the way to its runner, with the person's own rights.

The commands that ask a runner call this: kubectl reads the session and the Secret for what is to be done with it, and
forwards the runner's port to this machine. Nothing is stored.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager

from session_protocol.messages_client import Answer, MessagesClient
from session_protocol.phone_number_id import phone_number_id
from session_protocol.vocabulary import TokenPurpose, TokenScope

from kubectl_whatsapp.administration import Administration
from kubectl_whatsapp.errors import RunnerRefused
from kubectl_whatsapp.kubectl import Kubectl
from kubectl_whatsapp.kubectl_errors import Forbidden, NotFound
from kubectl_whatsapp.runner import TIMEOUT, Runner, exchange, refuse_wrong_token
from kubectl_whatsapp.views import RUNNER_PORT, SESSIONS, SessionView

__all__ = ["find_session", "messages_at", "open_administration", "open_messages", "open_runner"]


def find_session(name: str, *, namespace: str | None, kubectl: Kubectl) -> SessionView:
    """Read the session.

    :raises NotFound: it does not exist.
    :raises Forbidden: the person may not.
    :raises ApiMissing: the API server does not have the kind.
    :raises KubectlFailed: kubectl failed.
    """
    try:
        found = kubectl.get(SESSIONS, name, namespace=namespace)
    except NotFound as error:
        where = "the current namespace" if namespace is None else f"namespace {namespace}"
        raise NotFound(
            f"there is no session {name} in {where}; `kubectl whatsapp status -A` lists all that you may read"
        ) from error
    return SessionView.read(next(iter(found), {}))


@contextmanager
def open_runner(session: SessionView, *, kubectl: Kubectl) -> Iterator[Runner]:
    """Yield the runner of a session that has a pod, through a forwarded port.

    :raises Forbidden: the person may not read the Secret, or not forward.
    :raises ForwardFailed: the pod cannot be reached.
    :raises RunnerRefused: the Secret holds no tokens.
    """
    tokens = _tokens(
        session.linking_secret_name, session, TokenPurpose.LINKING, "sees the QR code and the account", kubectl=kubectl
    )
    with kubectl.forward(session.pod_name, RUNNER_PORT, namespace=session.namespace) as port:
        yield Runner(port=port, link_token=tokens[TokenScope.LINK], state_token=tokens[TokenScope.STATE])


@contextmanager
def open_messages(session: SessionView, *, kubectl: Kubectl) -> Iterator[MessagesClient]:
    """Yield a client of the messages of a session that has a pod, through a forwarded port.

    :raises Forbidden: the person may not read the Secret, or not forward.
    :raises ForwardFailed: the pod cannot be reached.
    :raises RunnerRefused: the Secret holds no token, or the session has none for messaging; what a call of the client finds.
    """
    name = session.token_secrets.get(TokenPurpose.MESSAGING)
    if not name:
        raise RunnerRefused(
            f"session {session.namespace}/{session.name} has no token for messaging: its next pod has one, as soon as "
            "operator and CRDs are of the release that sends"
        )
    tokens = _tokens(name, session, TokenPurpose.MESSAGING, "sends in the account's name", kubectl=kubectl)
    with kubectl.forward(session.pod_name, RUNNER_PORT, namespace=session.namespace) as port:
        own_id = phone_number_id(session.namespace, session.name)
        yield messages_at(port, tokens[TokenScope.SEND], own_id=own_id)


def messages_at(port: int, token: str, *, own_id: str) -> MessagesClient:
    """Return a client of the messages of the session whose runner is behind a local port; `own_id` is its phone-number-id.

    What a call raises beside the client's own errors is a RunnerUnreachable or a RunnerRefused.
    """

    def call(method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        status, content = exchange(port, method, path, token=token, within=TIMEOUT, body=body, headers=headers)
        refuse_wrong_token(status)
        return Answer(status, content)

    return MessagesClient(call, phone_number_id=own_id)


@contextmanager
def open_administration(session: SessionView, *, kubectl: Kubectl) -> Iterator[Administration]:
    """Yield what an administrator asks of a session that has a pod, through a forwarded port.

    :raises Forbidden: the person may not read the Secret, or not forward.
    :raises ForwardFailed: the pod cannot be reached.
    :raises RunnerRefused: the Secret holds no token, or the session has none for administering.
    """
    name = session.token_secrets.get(TokenPurpose.ADMINISTERING)
    if not name:
        raise RunnerRefused(
            f"session {session.namespace}/{session.name} has no token for administering: its next pod has one"
        )
    tokens = _tokens(name, session, TokenPurpose.ADMINISTERING, "may do all that its runner's API can", kubectl=kubectl)
    with kubectl.forward(session.pod_name, RUNNER_PORT, namespace=session.namespace) as port:
        yield Administration(port=port, token=tokens[TokenScope.ADMIN])


def _tokens(
    name: str, session: SessionView, purpose: TokenPurpose, worth: str, *, kubectl: Kubectl
) -> dict[TokenScope, str]:
    """Read the tokens for a purpose by scope, with the person's own right to the Secret.

    :param worth: what somebody can do who has them.
    """
    scopes = " and ".join(purpose.scopes)
    missing = f"Secret {name} holds no token of the scope{'s' * (len(purpose.scopes) > 1)} {scopes}"
    try:
        found = kubectl.find("secrets", name, namespace=session.namespace)
    except Forbidden as error:
        raise Forbidden(
            f"you may not read Secret {name} in namespace {session.namespace}, which holds the token for {purpose}: who has it "
            f"{worth}. Ask for the right to read this Secret, or for the role `edit` in that namespace"
        ) from error
    try:
        tokens = {scope: base64.b64decode((found or {})["data"][scope]).decode("ascii") for scope in purpose.scopes}
    except (KeyError, TypeError, ValueError) as error:
        raise RunnerRefused(missing) from error
    # A token is sent in a header: an unprintable character could end the header.
    if not all(token.isprintable() and token.strip() == token != "" for token in tokens.values()):
        raise RunnerRefused(missing)
    return tokens
