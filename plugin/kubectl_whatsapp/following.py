"""Stays with a session until its phone is linked, over all pods that come and go meanwhile.

`qr --watch`, `pair --watch` and `qr --all` call `until_linked`; what they show of a runner is their own. The way to it goes
by kubectl and the person's own rights, as in `sessions.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from session_protocol.states import Phase, traits_of

from kubectl_whatsapp.advice import Advice, Outlook, advise
from kubectl_whatsapp.console import Console
from kubectl_whatsapp.errors import PluginError, RunnerUnreachable, TurnOver
from kubectl_whatsapp.kubectl import Kubectl
from kubectl_whatsapp.kubectl_errors import ForwardFailed
from kubectl_whatsapp.runner import Runner, RunnerStatus
from kubectl_whatsapp.sessions import find_session, open_runner
from kubectl_whatsapp.views import SessionView

__all__ = ["RETRY_INTERVAL", "Turn", "is_connected", "newest_advice", "next_advice", "until_linked"]

RETRY_INTERVAL = 2.0
""" Seconds between two reads of a session whose runner does not answer. """


@dataclass(kw_only=True)
class Turn:
    """How long a session may go without a code, and the last message about that, which is not repeated."""

    console: Console
    seconds: float | None = None
    """ None: for ever, because no other session waits. """
    _since: datetime | None = field(default=None, init=False)
    _last_message: str = field(default="", init=False)

    def has_code(self) -> None:
        """Note that there is one."""
        self._since = None

    def waits(self, message: str) -> None:
        """Say why there is none.

        :raises TurnOver: for too long.
        """
        if message != self._last_message:
            self._last_message = message
            self.console.info(message)
        now = self.console.now()
        self._since = self._since or now
        if self.seconds is not None and (now - self._since).total_seconds() >= self.seconds:
            raise TurnOver(message)


def until_linked(
    name: str,
    *,
    namespace: str | None,
    show: Callable[[Runner, SessionView], None],
    error: type[PluginError],
    turn: Turn,
    kubectl: Kubectl,
) -> None:
    """Call `show` with the session's runner, and with the next pod's when that is lost, until it returns; wait for one.

    :raises PluginError: `error`, if no code will come before a person does something; what `show` raises.
    :raises TurnOver: there was no code for too long.
    :raises KubectlError: kubectl failed.
    """
    while True:
        session = find_session(name, namespace=namespace, kubectl=kubectl)
        if is_connected(session):
            turn.console.info(f"session {session.namespace}/{session.name} is linked")
            return
        if session.pod_name and session.token_secret_name:
            try:
                with open_runner(session, kubectl=kubectl) as runner:
                    show(runner, session)
                    return
            except (ForwardFailed, RunnerUnreachable):
                pass  # the pod starts, ends or is replaced: go by the session's status
        advice = newest_advice(session)
        if advice.outlook is Outlook.NEVER:
            raise error(advice.text)
        turn.waits(advice.text)
        turn.console.sleep(RETRY_INTERVAL)


def newest_advice(session: SessionView, reported: RunnerStatus | None = None) -> Advice:
    """Return the advice by the runner's report, which is newer, or else by the session's status."""
    newest = session if reported is None else reported
    return advise(
        namespace=session.namespace,
        name=session.name,
        state=newest.state,
        reason=newest.reason,
        message=newest.message,
        linked=newest.linked,
        pending=bool(session.pending_requests),
    )


def next_advice(
    session: SessionView, reported: RunnerStatus, *, error: type[PluginError], console: Console
) -> Advice | None:
    """Return the advice for a session that may still get a code; None, which is told: a phone is linked.

    :raises PluginError: `error`, if no code will come before a person does something.
    """
    advice = newest_advice(session, reported)
    if advice.outlook is Outlook.NEVER:
        raise error(advice.text)
    if advice.outlook is not Outlook.LINKED:
        return advice
    console.info(f"session {session.namespace}/{session.name} is linked ({reported.state})")
    return None


def is_connected(session: SessionView) -> bool:
    """Whether the session's status says so."""
    return traits_of(session.state).phase is Phase.CONNECTED
