"""Values of labels: a name as it is, unless it may be a telephone number; a word only if a vocabulary has it.

People call sessions by their numbers, and what Prometheus has is read by many and kept for long. So the name of a session
or a quota with seven digits or more is a hash in every label, and a session's is warned of at apply
(manifests/base/operator/policies/numbers.yaml, which has the same pattern). The hash is of the object's UID: one of the
name would be found by trying all numbers. It has letters alone, so that it is never taken for a number itself, and a
colon, which no name has. Namespaces stand as they are: alerts are routed by their names.

Words of others (a state, a reason) are bounded here: one that no vocabulary has is `Other`, so that a runner, a kubelet
or a tenant who makes up words makes no series.
"""

import hashlib
import re
from collections.abc import Container
from functools import lru_cache
from typing import Final

from session_protocol.states import STATES, OperatorState

from whatsapp_operator.api.conditions import Reason
from whatsapp_operator.core.recovery.causes import CAUSES

OTHER: Final = "Other"
UNKNOWN: Final = "Unknown"

_NUMBER: Final = re.compile(r"(?:[^0-9]*[0-9]){7}")
""" Seven digits, wherever they are. """
_HASH_LENGTH: Final = 12
_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")

STATE_VOCABULARY: Final = frozenset(STATES) | frozenset(OperatorState)
REASON_VOCABULARY: Final = frozenset(Reason) | frozenset(STATES) | frozenset(cause.name for cause in CAUSES)


def name_label(name: str, uid: str) -> str:
    """Return an object's name as it may stand in a label: a hash of its UID where it has seven digits or more."""
    return hashed(uid) if _NUMBER.match(name) else name


@lru_cache(maxsize=1024)
def hashed(uid: str) -> str:
    """Return the hash: the first letters of the SHA-256 in hexadecimal digits, with g to p for 0 to 9."""
    return "hash:" + hashlib.sha256(uid.encode()).hexdigest()[:_HASH_LENGTH].translate(_LETTERS)


def bounded_label(value: object, vocabulary: Container[str]) -> str:
    """Return a word of the vocabulary, or `Other`."""
    return str(value) if isinstance(value, str) and value in vocabulary else OTHER


def state_label(state: object) -> str:
    """Return the label for a state in a status: that of a newer runner, or of one that makes up a new word each time, is `Other`."""
    return bounded_label(state, STATE_VOCABULARY) if state else UNKNOWN
