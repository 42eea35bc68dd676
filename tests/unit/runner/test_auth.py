"""A token is compared in a way whose time tells nothing about it."""

import hmac
from pathlib import Path

import pytest
from session_protocol.vocabulary import TokenScope
from session_runner.http.auth import TokenFolder


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFolder:
    """One file per scope, as a Secret is mounted."""
    for scope in TokenScope:
        (tmp_path / scope).write_text(f"token-of-{scope}\n")
    return TokenFolder(tmp_path)


@pytest.mark.parametrize("given", ["token-of-state", "token-of-admin", "token-of-nothing", "t", ""])
def test_every_scopes_token_is_compared_and_each_in_constant_time(
    tokens: TokenFolder, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However early one matches or differs: as many comparisons, all by the library's own function for secrets."""
    compared: list[bytes] = []
    really = hmac.compare_digest

    def compare(left: bytes, right: bytes) -> bool:
        compared.append(right)
        assert given.encode() == left
        return really(left, right)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    scopes = tokens.scopes_of(given)

    assert {scope for scope in TokenScope if given == f"token-of-{scope}"} == scopes
    assert [f"token-of-{scope}".encode() for scope in TokenScope] == compared
