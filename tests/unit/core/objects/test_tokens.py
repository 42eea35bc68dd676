"""Tokens from a key."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_protocol.token_hashes import hash_token
from session_protocol.vocabulary import TokenPurpose, TokenScope
from session_runner.http.routes import ROUTES
from whatsapp_operator.core.model import SessionUID
from whatsapp_operator.core.objects.tokens import SCOPES, operator_key, secret_entries, token

KEY = bytes(range(32))
UID = SessionUID("3f2b8c1e-9d4a-4e6b-8f7a-0c1d2e3f4a5b")


def test_a_token_is_the_documented_hmac() -> None:
    """Whoever has the key can make the same token again: HMAC-SHA256 over "UID:SCOPE:RENEWAL"."""
    expected = hmac.new(KEY, f"{UID}:link:2026".encode(), hashlib.sha256).hexdigest()

    assert expected == token(KEY, session_uid=UID, scope=TokenScope.LINK, renewal="2026")


def test_a_pod_with_plain_tokens_keeps_those_it_was_made_with() -> None:
    """HMAC-SHA256 over "UID:SCOPE", as before; they are no others' tokens, also not those that were never renewed."""
    expected = hmac.new(KEY, f"{UID}:link".encode(), hashlib.sha256).hexdigest()

    assert expected == token(KEY, session_uid=UID, scope=TokenScope.LINK, renewal=None)
    assert expected != token(KEY, session_uid=UID, scope=TokenScope.LINK, renewal="")


def test_each_scope_session_and_renewal_has_its_own() -> None:
    """A token of one opens nothing of another; and the operator's key is none of them."""
    uids = [SessionUID(uid) for uid in ("a", "b")]
    renewals = ("", "1", "state", ":")
    tokens = {
        token(KEY, session_uid=uid, scope=scope, renewal=renewal)
        for uid in uids
        for scope in TokenScope
        for renewal in renewals
    }
    keys = {operator_key(KEY, session_uid=uid, renewal=renewal) for uid in uids for renewal in renewals}

    assert (2 * 4 * len(TokenScope), 2 * 4) == (len(tokens), len(keys))
    assert not tokens & keys


def test_the_pod_gets_hashes_and_nobody_elses_secret() -> None:
    """None of the tokens that people get is in what the pod mounts, and the operator's key is in no other Secret."""
    own = secret_entries(KEY, session_uid=UID, renewal="", purpose=None)
    theirs = {
        value
        for purpose in TokenPurpose
        for value in secret_entries(KEY, session_uid=UID, renewal="", purpose=purpose).values()
    }

    assert {"state", "link", "send", "read", "admin", "operator"} == set(own)
    assert not theirs & set(own.values())
    assert {hash_token(value) for value in theirs} == set(own.values()) - {own["operator"]}


@pytest.mark.parametrize(
    ("purpose", "scopes"),
    [
        ("observing", {"state"}),
        ("linking", {"state", "link"}),
        ("messaging", {"send"}),
        ("reading", {"read"}),
        ("administering", {"admin"}),
    ],
)
def test_a_secret_holds_what_its_purpose_needs(purpose: str, scopes: set[str]) -> None:
    """Whoever may read one can do that, and nothing of the others'; linking includes seeing when it is done."""
    assert scopes == set(secret_entries(KEY, session_uid=UID, renewal="", purpose=TokenPurpose(purpose)))


def test_there_is_a_token_for_each_scope_that_opens_a_route_and_for_no_other() -> None:
    """A Secret that opens nothing is not made; a route that nobody has a token for would be one for nobody."""
    assert {*SCOPES} == {scope for route in ROUTES for scope in route.scopes}


@given(st.binary(max_size=31))
def test_a_short_key_is_refused(key: bytes) -> None:
    """A key that is easier to guess than its tokens is an error that says what to do."""
    with pytest.raises(ValueError, match="at least 32"):
        token(key, session_uid=UID, scope=TokenScope.STATE, renewal="")
