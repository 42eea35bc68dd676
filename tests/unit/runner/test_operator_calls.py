"""Signed requests, as the runner judges them."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from session_protocol import signed_calls
from session_protocol.live_settings import digest_of_settings, read_live_settings
from session_protocol.signed_calls import Credentials
from session_protocol.token_hashes import hash_token
from session_protocol.vocabulary import TokenScope
from session_runner.http import bodies, operator_calls
from session_runner.http.auth import MOST_RETIRED, RETIRED_SECONDS
from session_runner.http.bodies import LARGEST_BODY
from support.runner_parts import make_api, make_parts

NOW = datetime(2026, 11, 22, tzinfo=UTC)
KEY = "c" * 64
OLD = {scope: f"old-{scope}" for scope in TokenScope}
NEW = {scope: f"new-{scope}" for scope in (TokenScope.STATE, TokenScope.LINK, TokenScope.ADMIN)}


@dataclass
class Runner:
    """A runner's API with hashes in its folder, and somebody with the operator's key."""

    client: Any
    folder: Path
    seconds: float = 50.0

    async def nonce(self) -> str:
        """Ask for a nonce."""
        async with self.client.get("/v1/state", headers={"Authorization": signed_calls.SCHEME}) as answer:
            assert 401 == answer.status
            assert "Bearer" == answer.headers["WWW-Authenticate"]
            return str(answer.headers["Session-Nonce"])

    async def call(
        self,
        method: str = "GET",
        target: str = "/v1/state",
        body: bytes = b"",
        *,
        nonce: str | None = None,
        key: str = KEY,
        signed: dict[str, str] | None = None,
        sent: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a signed request; `signed` is what the signature covers if it is not what is sent."""
        nonce = nonce or await self.nonce()
        digest = signed_calls.content_digest(body)
        covers = {"pod_uid": "p", "nonce": nonce, "method": method, "target": target, "digest": digest} | (signed or {})
        signature = signed_calls.sign_request(key, **covers)
        headers = {"Authorization": signed_calls.authorization(Credentials(nonce, signature))}
        headers |= {"Content-Digest": digest} if digest else {}
        async with self.client.request(method, target, data=body or None, headers=headers | (sent or {})) as answer:
            return answer.status, dict(answer.headers), await answer.read()

    async def renew(self, tokens: dict[TokenScope, str]) -> int:
        """Put other tokens in place."""
        pairs = ",".join(f'"{scope}":"{hash_token(token)}"' for scope, token in tokens.items())
        status, _, _ = await self.call("PUT", "/v1/tokens", f"{{{pairs}}}".encode())
        return status

    async def status_of(self, token: str, path: str = "/v1/state") -> int:
        """Use a token."""
        async with self.client.get(path, headers={"Authorization": f"Bearer {token}"}) as answer:
            return int(answer.status)


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Runner]:
    """A runner that knows the hashes of OLD."""
    for scope, token in OLD.items():
        (tmp_path / scope).write_text(hash_token(token))
    (tmp_path / "operator").write_text(f"{KEY}\n")
    made = Runner(None, tmp_path)
    parts = make_parts(clock=lambda: NOW, monotonic=lambda: made.seconds)
    async with TestClient(TestServer(make_api(parts, tmp_path))) as client:
        made.client = client
        yield made


async def test_a_signed_call_is_answered_and_the_answer_signed(runner: Runner) -> None:
    """With the nonce of the next call, which is valid, too."""
    nonce = await runner.nonce()
    status, headers, _ = await runner.call(nonce=nonce)

    assert (200, 64) == (status, len(headers["Session-Signature"]))
    assert 200 == (await runner.call(nonce=headers["Session-Nonce"]))[0]


async def test_a_nonce_is_good_once(runner: Runner) -> None:
    """Whatever is signed with it."""
    nonce = await runner.nonce()

    assert [200, 401, 401] == [
        (await runner.call(nonce=nonce))[0],
        (await runner.call(nonce=nonce))[0],
        (await runner.call(target="/v1/state?wait=0", nonce=nonce))[0],
    ]


async def test_a_refused_request_uses_no_nonce_up(runner: Runner) -> None:
    """Else a stranger who saw it could keep the operator out."""
    nonce = await runner.nonce()

    assert [401, 200] == [(await runner.call(nonce=nonce, key="d" * 64))[0], (await runner.call(nonce=nonce))[0]]


@pytest.mark.parametrize(("seconds", "status"), [(59.9, 200), (60.1, 401), (10_000.0, 401)])
async def test_a_nonce_ends(runner: Runner, seconds: float, status: int) -> None:
    """A minute after it was given, used or not."""
    nonce = await runner.nonce()
    runner.seconds += seconds

    assert status == (await runner.call(nonce=nonce))[0]


async def test_used_nonces_are_kept_no_longer_than_they_matter(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no more than so many, even if somebody has the key."""
    monkeypatch.setattr(operator_calls, "MOST_USED", 3)
    nonces = [await runner.nonce() for _ in range(5)]

    statuses = [(await runner.call(nonce=nonce))[0] for nonce in nonces]
    runner.seconds += 61

    assert [200, 200, 200, 401, 401] == statuses
    assert [401, 200] == [(await runner.call(nonce=nonces[0]))[0], (await runner.call())[0]]


@pytest.mark.parametrize(
    "signed",
    [
        {"pod_uid": "q"},
        {"nonce": f"1.{'0' * 32}.{'0' * 32}"},
        {"method": "PUT"},
        {"target": "/v1/tokens"},
        {"target": "/v1/state?wait=1"},
        {"digest": "x"},
    ],
)
async def test_each_part_of_a_request_is_signed(runner: Runner, signed: dict[str, str]) -> None:
    """What was signed for something else is not taken for this."""
    assert 401 == (await runner.call(signed=signed))[0]


@pytest.mark.parametrize(
    "header",
    [
        "Session-HMAC",
        "session-hmac x",
        "Session-HMAC :",
        f"Session-HMAC {'0' * 5000}",
        f"Session-HMAC 1.{'0' * 32}.{'0' * 32}:{'0' * 64}",
        f"Session-HMAC {'f' * 32}.{'0' * 32}.{'0' * 32}:{'0' * 64}",
        f"Session-HMAC 1.{'0' * 32}.{'0' * 32}:{'0' * 63}\u0663",
        f"Session-HMAC {OLD[TokenScope.ADMIN]}",
    ],
)
@pytest.mark.parametrize("path", ["/v1/state", "/v1/qr", "/v1/tokens"])
async def test_what_is_not_signed_is_refused(runner: Runner, path: str, header: str) -> None:
    """In the form of all refusals, with a nonce and without a signature."""
    method = "PUT" if path == "/v1/tokens" else "GET"
    async with runner.client.request(method, path, headers={"Authorization": header}) as answer:
        assert 401 == answer.status
        assert "application/problem+json" == answer.content_type
        assert signed_calls.is_nonce(answer.headers["Session-Nonce"])
        assert "Session-Signature" not in answer.headers


@pytest.mark.parametrize("content", [None, "", " \n"])
async def test_without_a_key_nobody_is_the_operator(runner: Runner, content: str | None) -> None:
    """As outside of Kubernetes; an empty key is none."""
    (runner.folder / "operator").unlink()
    if content is not None:
        (runner.folder / "operator").write_text(content)

    assert 401 == (await runner.call(key=(content or "").strip()))[0]
    assert 200 == await runner.status_of(OLD[TokenScope.STATE])


async def test_the_key_is_no_token_and_opens_no_other_route(runner: Runner) -> None:
    """It is for what the operator has to do, and neither for the QR code nor for a logout."""
    assert [401, 401] == [await runner.status_of(KEY), await runner.status_of(hash_token(KEY))]
    assert [403, 403] == [(await runner.call("GET", "/v1/qr"))[0], (await runner.call("POST", "/v1/logout"))[0]]


@pytest.mark.parametrize("scope", TokenScope)
async def test_no_token_renews_tokens(runner: Runner, scope: TokenScope) -> None:
    """Whoever stole one could else keep it for ever."""
    headers = {"Authorization": f"Bearer {OLD[scope]}"}
    async with runner.client.put("/v1/tokens", data=b"{}", headers=headers) as answer:
        assert 403 == answer.status
    async with runner.client.put("/v1/tokens", data=b"{}") as answer:
        assert 401 == answer.status


async def test_old_tokens_end_two_minutes_after_the_new_ones(runner: Runner) -> None:
    """Both are taken until then; a scope that got no new one is off at the end."""
    assert 200 == await runner.renew(NEW)
    both = [await runner.status_of(tokens[TokenScope.STATE]) for tokens in (OLD, NEW)]
    runner.seconds += RETIRED_SECONDS - 0.1
    still = [await runner.status_of(tokens[TokenScope.STATE]) for tokens in (OLD, NEW)]
    runner.seconds += 0.2
    after = [await runner.status_of(tokens[TokenScope.STATE]) for tokens in (OLD, NEW)]

    assert 120 == RETIRED_SECONDS
    assert ([200, 200], [200, 200], [401, 200]) == (both, still, after)
    assert [401, 401, 404, 404] == [
        await runner.status_of(OLD[TokenScope.ADMIN], "/v1/qr"),
        await runner.status_of(OLD[TokenScope.READ]),
        await runner.status_of(NEW[TokenScope.LINK], "/v1/qr"),
        await runner.status_of(NEW[TokenScope.ADMIN], "/v1/qr"),
    ]


async def test_the_same_again_changes_nothing(runner: Runner) -> None:
    """An operator that does not know whether it has said so says it again: nothing ends later for that."""
    await runner.renew(NEW)
    runner.seconds += 100
    assert 200 == await runner.renew(NEW)
    runner.seconds += 30

    assert [401, 200] == [await runner.status_of(tokens[TokenScope.STATE]) for tokens in (OLD, NEW)]


async def test_each_renewal_ends_what_it_replaced(runner: Runner) -> None:
    """Two in a row: the first tokens end by the first, the second ones by the second."""
    newer = {TokenScope.STATE: "newer"}
    await runner.renew(NEW)
    runner.seconds += 60
    await runner.renew(newer)
    runner.seconds += 61
    first = [await runner.status_of(token) for token in (OLD["state"], NEW["state"], "newer")]  # type: ignore[index]
    runner.seconds += 60

    assert [401, 200, 200] == first
    assert [401, 401, 200] == [await runner.status_of(token) for token in (OLD["state"], NEW["state"], "newer")]  # type: ignore[index]


async def test_many_renewals_at_once_are_bounded(runner: Runner) -> None:
    """The oldest tokens end early, never late."""
    for number in range(MOST_RETIRED + 1):
        await runner.renew({TokenScope.STATE: f"token-{number}"})

    assert [401, 200] == [await runner.status_of("old-state"), await runner.status_of("token-0")]


GOOD = hash_token("x")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b'"\xff"',
        b'{"a":' + b"[" * 5000,
        f'{{"link":"{GOOD}"}}'.encode(),
        b'{"state":"plain-token"}',
        f'{{"state":"{GOOD.upper()}"}}'.encode(),
        f'{{"state":"{GOOD}\\n"}}'.encode(),
        f'{{"state":"{GOOD}","link":null}}'.encode(),
        f'{{"state":"{GOOD}","admin":"sha256:"}}'.encode(),
        f'{{"state":["{GOOD}"]}}'.encode(),
    ],
)
async def test_what_is_no_list_of_hashes_changes_nothing(runner: Runner, body: bytes) -> None:
    """A plain token neither: it would lie in clear on the wire. Nothing of the body is in the answer."""
    status, _, answer = await runner.call("PUT", "/v1/tokens", body)

    assert (400, b"BadRequest") == (status, answer[answer.index(b'"code":"') + 8 :][:10])
    assert b"plain-token" not in answer
    assert 200 == await runner.status_of(OLD[TokenScope.STATE])


async def test_unknown_scopes_are_a_newer_operators(runner: Runner) -> None:
    """They open nothing here."""
    body = f'{{"state":"{hash_token("mine")}","teleport":"{GOOD}"}}'.encode()

    status, _, answer = await runner.call("PUT", "/v1/tokens", body)

    assert (200, b'{"scopes":["state"]}') == (status, answer)


async def test_a_body_has_to_be_the_one_that_was_signed(runner: Runner) -> None:
    """Somebody on the way put his own hashes into it."""
    signed = signed_calls.content_digest(b"other")
    status, _, _ = await runner.call(
        "PUT", "/v1/tokens", b"{}", signed={"digest": signed}, sent={"Content-Digest": signed}
    )

    assert 400 == status


async def test_a_long_body_is_not_read(runner: Runner) -> None:
    """Not even the operator's."""
    assert 413 == (await runner.call("PUT", "/v1/tokens", b"x" * (LARGEST_BODY + 1)))[0]


async def test_a_body_that_does_not_arrive_is_given_up(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends it."""
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)

    async def stalls() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(0.5)

    digest = signed_calls.content_digest(b"{}")
    covers = {"pod_uid": "p", "nonce": await runner.nonce(), "method": "PUT", "target": "/v1/tokens", "digest": digest}
    shown = Credentials(covers["nonce"], signed_calls.sign_request(KEY, **covers))
    headers = {"Authorization": signed_calls.authorization(shown), "Content-Digest": digest}
    async with runner.client.put("/v1/tokens", data=stalls(), headers=headers) as answer:
        assert 408 == answer.status


async def test_an_unsigned_body_is_not_waited_for(runner: Runner) -> None:
    """The request is refused by its head: the answer comes although no byte of the body does."""
    headers = {"Authorization": f"Session-HMAC {await runner.nonce()}:{'0' * 64}", "Content-Length": "1000"}
    async with runner.client.put("/v1/tokens", headers=headers) as answer:
        assert 401 == answer.status


BOT = {"name": "bot", "url": "https://bot.example.com/", "format": "CloudAPI", "events": ["message"]}


async def test_settings_are_replaced_and_their_digest_shown(runner: Runner) -> None:
    """In the answer and in the state, whose revision grows; the same again changes nothing."""
    body = json.dumps({"webhooks": [BOT]}).encode()
    before = json.loads((await runner.call())[2])
    status, _, answer = await runner.call("PUT", "/v1/settings", body)
    again = await runner.call("PUT", "/v1/settings", body)
    after = json.loads((await runner.call())[2])

    assert (200, 200) == (status, again[0])
    assert digest_of_settings(read_live_settings(body)) == json.loads(answer)["settingsDigest"]
    assert (None, json.loads(answer)["settingsDigest"]) == (before["settingsDigest"], after["settingsDigest"])
    assert before["revision"] + 1 == after["revision"]
    assert b"null" in (await runner.call("PUT", "/v1/settings", b"{}"))[2]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'"\xff"', b'{"a":' + b"[" * 5000, b'{"webhooks": [{}]}', b'{"webhooks": [{"name": "a@b"}]}']
)
async def test_wrong_settings_are_refused(runner: Runner, body: bytes) -> None:
    """And those of before are kept."""
    status, _, answer = await runner.call("PUT", "/v1/settings", body)

    assert (400, "BadRequest") == (status, json.loads(answer)["error"]["code"])
    assert b"a@b" not in answer


async def test_no_token_changes_settings(runner: Runner) -> None:
    """Not even the one that opens everything else."""
    headers = {"Authorization": f"Bearer {OLD[TokenScope.ADMIN]}"}
    async with runner.client.put("/v1/settings", data=b"{}", headers=headers) as answer:
        assert 403 == answer.status
