"""`kubectl whatsapp dead-letters NAME`: show what a session's webhooks did not take, or have it sent again.

The events' bodies stay in the session: their ids, and why they were refused, are all that is shown.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kubectl_whatsapp.administration import MOST_LISTED, Administration
from kubectl_whatsapp.console import Console
from kubectl_whatsapp.errors import RunnerUnreachable
from kubectl_whatsapp.kubectl import Kubectl
from kubectl_whatsapp.sessions import find_session, open_administration
from kubectl_whatsapp.tables import Table
from kubectl_whatsapp.text import age

__all__ = ["DeadLettersRequest", "redrive", "show_dead_letters"]


@dataclass(frozen=True, kw_only=True)
class DeadLettersRequest:
    """Whose dead letters."""

    name: str
    namespace: str | None
    webhook: str | None
    """ None: of all webhooks. """


def show_dead_letters(request: DeadLettersRequest, *, kubectl: Kubectl, console: Console) -> None:
    """Print a table of them, the newest first.

    :raises PluginError: the runner cannot be reached or rejects the request.
    :raises KubectlError: kubectl failed.
    """
    with _opened(request, kubectl=kubectl) as session:
        letters = session.dead_letters(request.webhook)
    if not letters:
        console.info("no dead letters")
        return
    rows = [
        (one.identifier, one.webhook, one.kind, one.tries, age(one.died, now=console.now()), one.problem)
        for one in letters
    ]
    Table(("ID", "WEBHOOK", "TYPE", "TRIES", "DEAD", "PROBLEM"), keys=1).print(rows, console=console)
    if len(letters) == MOST_LISTED:
        console.info(f"these are the newest {MOST_LISTED}; there may be more")


def redrive(request: DeadLettersRequest, *, kubectl: Kubectl, console: Console) -> None:
    """Have them sent again, and say how many there are; asked twice, it does it once.

    :raises PluginError: the runner cannot be reached or rejects the request.
    :raises KubectlError: kubectl failed.
    """
    with _opened(request, kubectl=kubectl) as session:
        count = session.redrive(request.webhook)
    console.print(f"sent again: {count}")


@contextmanager
def _opened(request: DeadLettersRequest, *, kubectl: Kubectl) -> Iterator[Administration]:
    session = find_session(request.name, namespace=request.namespace, kubectl=kubectl)
    if not session.pod_name:
        raise RunnerUnreachable(
            f"session {session.namespace}/{session.name} has no pod that could be asked; "
            f"it is {session.state or 'not seen by the operator yet'}"
        )
    with open_administration(session, kubectl=kubectl) as runner:
        yield runner
