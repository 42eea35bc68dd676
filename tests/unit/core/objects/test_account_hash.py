"""The hash of an account: equal for equal ones under one key, and nothing to go back by."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st
from whatsapp_operator.core.model import KeyID
from whatsapp_operator.core.objects.account_hash import DIGITS, account_hash
from whatsapp_operator.core.objects.tokens import operator_key

KEY = b"k" * 32
numbers = st.from_regex(r"\+[1-9][0-9]{5,14}", fullmatch=True)


@given(one=numbers, other=numbers)
def test_equal_accounts_and_no_others_have_equal_hashes(one: str, other: str) -> None:
    """Whatever the session, the pod or the time."""
    first, second = (account_hash(KEY, key_id=KeyID("k1"), phone_number=number) for number in (one, other))

    assert (one == other) == (first == second)


def test_it_takes_the_key() -> None:
    """Trying all numbers leads nowhere without it, and another key is told by its id."""
    one = account_hash(KEY, key_id=KeyID("k1"), phone_number="+15550100000")
    other = account_hash(b"l" * 32, key_id=KeyID("k2"), phone_number="+15550100000")

    assert ("k1", "k2") == (one.key_id, other.key_id)
    assert one.digest != other.digest
    assert hashlib.sha256(b"+15550100000").hexdigest()[:DIGITS] not in (one.digest, other.digest)


def test_it_is_no_part_of_a_token() -> None:
    """Both come from one key; what stands in everybody's status must open nothing."""
    from whatsapp_operator.core.model import SessionUID

    digest = account_hash(KEY, key_id=KeyID("k1"), phone_number="+15550100000").digest
    token = operator_key(KEY, session_uid=SessionUID("account"), renewal="+15550100000")

    assert not token.startswith(digest)
