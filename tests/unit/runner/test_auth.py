"""A token is compared in a way whose time tells nothing about it."""

import hmac
from pathlib import Path

import pytest
from session_protocol.token_hashes import digest_of, hash_token
from session_protocol.vocabulary import TokenScope
from session_runner.http.auth import TokenFolder

PLAIN = "token-of-{}"


def folder(path: Path, *, hashed: bool) -> TokenFolder:
    """One file per scope, as a Secret is mounted: with hashes, or with the tokens themselves."""
    for scope in TokenScope:
        token = PLAIN.format(scope)
        (path / scope).write_text(f"{hash_token(token) if hashed else token}\n")
    return TokenFolder(path)


@pytest.mark.parametrize("hashed", [True, False])
@pytest.mark.parametrize("given", ["token-of-state", "token-of-admin", "token-of-nothing", "t", "", "\udcff"])
def test_every_scopes_token_is_compared_and_each_in_constant_time(
    tmp_path: Path, given: str, monkeypatch: pytest.MonkeyPatch, *, hashed: bool
) -> None:
    """However early one matches or differs: as many comparisons of hashes, all by the library's function for secrets."""
    tokens = folder(tmp_path, hashed=hashed)
    compared: list[bytes] = []
    really = hmac.compare_digest

    def compare(left: bytes, right: bytes) -> bool:
        compared.append(right)
        assert digest_of(given) == left
        return really(left, right)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    scopes = tokens.scopes_of(given)

    assert {scope for scope in TokenScope if given == PLAIN.format(scope)} == scopes
    assert [digest_of(PLAIN.format(scope)) for scope in TokenScope] == compared


def test_a_hash_opens_nothing(tmp_path: Path) -> None:
    """Whoever reads the files has no token: neither the hash's text nor its digits are one."""
    tokens = folder(tmp_path, hashed=True)
    written = (tmp_path / "admin").read_text().strip()

    assert frozenset() == tokens.scopes_of(written) | tokens.scopes_of(written.removeprefix("sha256:"))


def test_digits_may_be_written_either_way(tmp_path: Path) -> None:
    """As tools write them."""
    (tmp_path / "state").write_text("sha256:" + digest_of("mine").hex().upper())

    assert {TokenScope.STATE} == TokenFolder(tmp_path).scopes_of("mine")


@pytest.mark.parametrize(
    "written", ["", " \n", "sha256:", "sha256:00", f"sha256:{'0' * 63}g", f"sha256:{'0' * 65}", f"sha256: {'0' * 64}"]
)
def test_what_is_no_hash_turns_its_scope_off(tmp_path: Path, written: str) -> None:
    """It is not taken for a plain token, and the comparison value in its place is no token either."""
    (tmp_path / "admin").write_text(written)
    tokens = TokenFolder(tmp_path)

    assert frozenset() == tokens.scopes()
    assert frozenset() == tokens.scopes_of(written.strip()) | tokens.scopes_of("") | tokens.scopes_of("\0" * 32)
