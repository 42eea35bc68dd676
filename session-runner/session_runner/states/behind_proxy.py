"""What is wrong with the session's proxy, in the place of a state that follows from it."""

from session_protocol.vocabulary import RunnerState as State

from session_runner.states.proxy_failures import ProxyFailure
from session_runner.states.verdicts import Verdict

_WITHOUT_A_WAY = frozenset({State.LOADING, State.LOAD_ERROR, State.RECONNECTING, State.OFFLINE})
""" What a page shows whose proxy lets it nowhere. In any other state it has got somewhere, or waits for a person. """
_LOST = frozenset({State.QR_PENDING, State.SYNCING})
""" And what it shows at first when it had got somewhere. """


def behind_proxy(verdict: Verdict, failure: ProxyFailure | None, *, lost: bool = False) -> Verdict:
    """Return the state with what is wrong with the proxy, where that is why the page has no way to the service.

    A page that is loading may do without one host of many; without its own it does not stay Loading. One that has lost its
    connection (`lost`) shows a dead code, or goes on with its sync, for as long as connectionCheck.
    """
    stands = verdict.state in _WITHOUT_A_WAY or (lost and verdict.state in _LOST)
    if failure is None or not stands or (verdict.state is State.LOADING and failure.host is not None):
        return verdict
    return Verdict(State.PROXY_ERROR, failure.reason, failure.message)
