"""Tokens from a key."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_protocol.vocabulary import TokenScope
from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.core.objects.tokens import token

KEY = bytes(range(32))
UID = SessionUID("3f2b8c1e-9d4a-4e6b-8f7a-0c1d2e3f4a5b")


def test_a_token_is_the_documented_hmac() -> None:
    """Whoever has the key can make the same token again: HMAC-SHA256 over "UID:SCOPE"."""
    expected = hmac.new(KEY, f"{UID}:link".encode(), hashlib.sha256).hexdigest()

    assert expected == token(KEY, session_uid=UID, scope=TokenScope.LINK)


def test_each_scope_and_session_has_its_own() -> None:
    """A token of one scope or session opens nothing of another."""
    tokens = {token(KEY, session_uid=SessionUID(uid), scope=scope) for uid in ("a", "b") for scope in TokenScope}

    assert 2 * len(TokenScope) == len(tokens)


@given(st.binary(max_size=31))
def test_a_short_key_is_refused(key: bytes) -> None:
    """A key that is easier to guess than its tokens is an error that says what to do."""
    with pytest.raises(ValueError, match="at least 32"):
        token(key, session_uid=UID, scope=TokenScope.STATE)
