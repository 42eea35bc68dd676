"""`kubectl whatsapp account NAME`: show whose account a session is linked to.

Its runner tells the number to whoever may link the session. Only the number goes to standard output, so that it can be
compared or passed on; status, events and logs never have it.
"""

from kubectl_whatsapp.console import Console
from kubectl_whatsapp.errors import NoAccount
from kubectl_whatsapp.kubectl import Kubectl
from kubectl_whatsapp.sessions import find_session, open_runner

__all__ = ["show_account"]


def show_account(name: str, *, namespace: str | None, kubectl: Kubectl, console: Console) -> None:
    """Print the number of the linked account.

    :raises NoAccount: it is not known; the message says why.
    :raises PluginError: the runner cannot be reached or rejects the request.
    :raises KubectlError: kubectl failed.
    """
    session = find_session(name, namespace=namespace, kubectl=kubectl)
    whose = f"session {session.namespace}/{session.name}"
    if not (session.pod_name and session.token_secret_name):
        raise NoAccount(
            f"{whose} has no pod that could be asked; it is {session.state or 'not seen by the operator yet'}"
        )
    with open_runner(session, kubectl=kubectl) as runner:
        number = runner.account()
        reported = runner.status() if number is None else None
    if reported is not None:
        raise NoAccount(
            f"the runner of {whose} does not know whose account is linked, if one is; it is {reported.state}"
        )
    console.print(str(number))
