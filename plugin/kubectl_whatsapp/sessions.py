"""Finds one session and opens the way to its runner, with the person's own rights.

The commands that ask a runner call this: kubectl reads the session and the Secret for linking it, and forwards the
runner's port to this machine. Nothing is stored.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager

from session_protocol.vocabulary import TokenScope

from kubectl_whatsapp.errors import RunnerRefused
from kubectl_whatsapp.kubectl import Kubectl
from kubectl_whatsapp.kubectl_errors import Forbidden, NotFound
from kubectl_whatsapp.runner import Runner
from kubectl_whatsapp.views import RUNNER_PORT, SESSIONS, SessionView

__all__ = ["find_session", "open_runner"]


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
    tokens = _tokens(session, kubectl=kubectl)
    with kubectl.forward(session.pod_name, RUNNER_PORT, namespace=session.namespace) as port:
        yield Runner(port=port, link_token=tokens[TokenScope.LINK], state_token=tokens[TokenScope.STATE])


def _tokens(session: SessionView, *, kubectl: Kubectl) -> dict[str, str]:
    """Read the tokens for linking by scope, with the person's own right to the Secret."""
    name = session.linking_secret_name
    try:
        found = kubectl.find("secrets", name, namespace=session.namespace)
    except Forbidden as error:
        raise Forbidden(
            f"you may not read Secret {name} in namespace {session.namespace}, which holds the token for linking: who has it "
            "sees the QR code and the account. Ask for the right to read this Secret, or for the role `edit` in that namespace"
        ) from error
    try:
        tokens = {
            str(scope): base64.b64decode((found or {})["data"][scope]).decode("ascii")
            for scope in (TokenScope.LINK, TokenScope.STATE)
        }
    except (KeyError, TypeError, ValueError) as error:
        raise RunnerRefused(f"Secret {name} holds no token of the scopes link and state") from error
    # A token is sent in a header: an unprintable character could end the header.
    if not all(token.isprintable() and token.strip() == token != "" for token in tokens.values()):
        raise RunnerRefused(f"Secret {name} holds no token of the scopes link and state")
    return tokens
