"""One signed call of a runner, without I/O: what to send, and whether to believe what comes back.

The client sends what this yields and hands in the answers. Only an answer that is signed with the pod's own key counts,
so a stranger at the pod's address is not believed, and learns nothing that is of use to him: no token, and a signature
that only this pod would take, once. `session_protocol.signed_calls` tells the form.
"""

from collections.abc import Generator, Mapping
from typing import NamedTuple

from session_protocol import signed_calls
from session_protocol.signed_calls import Credentials


class Unauthentic(Exception):
    """The call was refused, or the answer is not the pod's: a stranger, or a runner older than this operator."""


class Attempt(NamedTuple):
    """What to send."""

    headers: Mapping[str, str]
    body: bytes = b""


class Answer(NamedTuple):
    """What came back, whole; its size was limited."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Outcome(NamedTuple):
    """An answer that is the pod's."""

    body: bytes
    nonce: str
    """ For the next call. """


def signed_call(
    key: str, *, pod_uid: str, method: str, target: str, body: bytes = b"", nonce: str | None = None
) -> Generator[Attempt, Answer, Outcome]:
    """Yield the requests of one call, at most two, and take their answers; return the outcome.

    :param nonce: the one that the last answer gave; None: the runner has to be asked for one first.
    :raises Unauthentic: the call was refused, or the answer is not the pod's.
    """
    digest = signed_calls.content_digest(body)
    for _ in range(2):
        if nonce is None:
            signature = ""
            answer = yield Attempt({"Authorization": signed_calls.SCHEME})
        else:
            signature = signed_calls.sign_request(
                key, pod_uid=pod_uid, nonce=nonce, method=method, target=target, digest=digest
            )
            headers = {"Authorization": signed_calls.authorization(Credentials(nonce, signature))}
            answer = yield Attempt(headers | ({signed_calls.DIGEST_HEADER: digest} if digest else {}), body)
        given = answer.headers.get(signed_calls.NONCE_HEADER)
        if given is None or not signed_calls.is_nonce(given):
            raise Unauthentic(f"status {answer.status}, not signed")
        if answer.status != 401:
            return _outcome(key, answer, request=signature, nonce=given)
        nonce = given
    raise Unauthentic("status 401: the runner has another key for this pod")


def _outcome(key: str, answer: Answer, *, request: str, nonce: str) -> Outcome:
    expected = signed_calls.sign_answer(key, request=request, status=answer.status, nonce=nonce, body=answer.body)
    shown = answer.headers.get(signed_calls.SIGNATURE_HEADER, "")
    if not request or not signed_calls.same(expected, shown):
        raise Unauthentic(f"status {answer.status}, not signed by the pod's runner")
    if answer.status != 200:
        raise Unauthentic(f"status {answer.status}")
    return Outcome(answer.body, nonce)
