"""The Secrets with the tokens that open a session's runner: which are to be made now, and which ones status names.

They are for people, and the pod does not need them. So they are made right after it, and status names them when they
exist. That is the proof for the next process, which may not read Secrets. A new pod's are proposed anew even so, since
somebody may have deleted one: its name is the same while key and renewal are. A renewal's come after the pod's own.
A pod of before there were tokens for messaging, or reading, gets none of them until its runner is told of all by a renewal:
they would open nothing there, and no pod is replaced for them.

The process that makes the pod makes all of them and then writes one status. Another one, which finds a pod without them,
writes after each: so an operator that is killed again and again gets there nevertheless.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from session_protocol.vocabulary import TokenPurpose

from whatsapp_operator.api.session import SessionStatus, TokenSecrets
from whatsapp_operator.core.model import PodFacts, PodTokens, TokenSource
from whatsapp_operator.core.objects import names
from whatsapp_operator.core.session.snapshot import Snapshot

_LEFT_BEHIND: Final = timedelta(seconds=5)
""" A pod of this age without them was made by a process that has ended, or they were refused. """


class TokenSecretNames(NamedTuple):
    """The names of the Secrets with tokens, as status has them."""

    observing: str | None
    others: TokenSecrets | None


class TokenPlan(NamedTuple):
    """What is to be done about tokens."""

    named: TokenSecretNames
    """ The Secrets for status: whose tokens the pod's runner takes, as far as they exist; without a pod, the last one's. """
    makes: PodTokens | None = None
    """ The Secrets that are to be made now. """
    renews: TokenSource | None = None
    """ The tokens that the pod's runner is to be told of: they are in Secrets. """
    status_first: bool = False
    """ Those that exist must be in status before the next one is made. """


def plan_tokens(snapshot: Snapshot, *, polled: bool) -> TokenPlan:
    """Return what is to be done about a session's tokens.

    :param polled: the pod's runner can be told of a renewal.
    """
    pod, stored = snapshot.pod, snapshot.session.status
    unchanged = TokenPlan(TokenSecretNames(stored.token_secret_name, stored.token_secrets))
    if pod is None or pod.secret_name is None:
        return unchanged
    if pod.renewal is None:  # made when one Secret held all tokens, and the pod mounted it
        return TokenPlan(TokenSecretNames(pod.secret_name, None))
    renewed = snapshot.renewal.source
    if renewed is not None:
        unchanged = TokenPlan(_shown(names.token_secret_names(snapshot.session, renewed)))
    known = names.known_purposes(snapshot.session, pod.secret_name)
    if renewed is not None or (stored.pod_uid == pod.uid and known <= _stored(stored).keys()):
        return _renewal(snapshot, pod, unchanged, polled=polled)
    if pod.key_id is None:  # a person's pod
        return unchanged
    return _first(snapshot, pod, TokenSource(key_id=pod.key_id, renewal=pod.renewal), known)


def _renewal(snapshot: Snapshot, pod: PodFacts, unchanged: TokenPlan, *, polled: bool) -> TokenPlan:
    if snapshot.renewal.pending is None:
        return unchanged
    wanted = PodTokens(pod_uid=pod.uid, source=snapshot.renewal.pending)
    if wanted == snapshot.observation.tokens_made:
        return unchanged._replace(renews=wanted.source)
    return unchanged._replace(makes=wanted if polled and _may_create(snapshot) else None)


def _first(snapshot: Snapshot, pod: PodFacts, source: TokenSource, known: frozenset[TokenPurpose]) -> TokenPlan:
    """Return the plan for a pod whose Secrets are not all in status, given the purposes whose tokens its runner knows."""
    stored, made = snapshot.session.status, snapshot.observation.tokens_made
    all_names, before = names.token_secret_names(snapshot.session, source), _stored(stored)
    expected = {purpose: name for purpose, name in all_names.items() if purpose in known}
    same = {purpose for purpose, name in expected.items() if before.get(purpose) == name}
    exist = set(made.purposes) if made is not None and (made.pod_uid, made.source) == (pod.uid, source) else set()
    exist |= same if stored.pod_uid == pod.uid else set()
    # The last pod's stay named if they are the same: they hold what this one takes.
    shown = TokenPlan(_shown({purpose: expected[purpose] for purpose in exist | same}))
    missing = [purpose for purpose in expected if purpose not in exist]
    if not _may_create(snapshot):
        return shown
    left_behind = snapshot.now - pod.created >= _LEFT_BEHIND
    makes = PodTokens(pod_uid=pod.uid, source=source, purposes=frozenset(missing[:1] if left_behind else missing))
    written = stored.pod_uid == pod.uid and shown.named == _shown(before)
    return shown._replace(makes=makes if missing else None, status_first=left_behind and not written)


def _may_create(snapshot: Snapshot) -> bool:
    """Whether Secrets may be created now: for a pod that goes on."""
    return snapshot.pod_active and not snapshot.session.problems


def _stored(status: SessionStatus) -> dict[TokenPurpose, str]:
    """Return the names in status. An older operator's has one for all purposes."""
    others = status.token_secrets
    found = {
        TokenPurpose.OBSERVING: status.token_secret_name,
        TokenPurpose.LINKING: others.linking if others is not None else None,
        TokenPurpose.MESSAGING: others.messaging if others is not None else None,
        TokenPurpose.READING: others.reading if others is not None else None,
        TokenPurpose.ADMINISTERING: others.administering if others is not None else None,
    }
    return {purpose: name for purpose, name in found.items() if name is not None}


def _shown(found: Mapping[TokenPurpose, str]) -> TokenSecretNames:
    others = TokenSecrets(
        linking=found.get(TokenPurpose.LINKING),
        messaging=found.get(TokenPurpose.MESSAGING),
        reading=found.get(TokenPurpose.READING),
        administering=found.get(TokenPurpose.ADMINISTERING),
    )
    return TokenSecretNames(found.get(TokenPurpose.OBSERVING), others if others != TokenSecrets() else None)
