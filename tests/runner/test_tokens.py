"""A real runner with a Secret as an operator mounts it: it holds hashes, and tokens are renewed while it runs."""

import json
from typing import Any

from runner.conftest import Start
from session_protocol import signed_calls
from session_protocol.signed_calls import Credentials
from session_protocol.token_hashes import hash_token
from support.runner_process import TOKENS, Folders, RunnerProcess

KEY = "c" * 64


def mount(folders: Folders) -> None:
    """Put into the folder what the mounted Secret holds."""
    for scope, token in TOKENS.items():
        (folders.tokens / scope).write_text(hash_token(token))
    (folders.tokens / "operator").write_text(KEY)


async def put_tokens(runner: RunnerProcess, tokens: dict[str, str]) -> tuple[int, Any]:
    """Renew the tokens as the operator does; return the status and the document."""
    url, body = f"{runner.url}/v1/tokens", json.dumps({scope: hash_token(text) for scope, text in tokens.items()})
    async with runner.client.put(url, headers={"Authorization": signed_calls.SCHEME}) as refusal:
        nonce = refusal.headers[signed_calls.NONCE_HEADER]
    digest = signed_calls.content_digest(body.encode())
    signature = signed_calls.sign_request(
        KEY, pod_uid="pod-1", nonce=nonce, method="PUT", target="/v1/tokens", digest=digest
    )
    headers = {"Authorization": signed_calls.authorization(Credentials(nonce, signature)), "Content-Digest": digest}
    async with runner.client.put(url, data=body, headers=headers) as answer:
        return answer.status, json.loads(await answer.read())


async def status_of(runner: RunnerProcess, token: str) -> int:
    """Read the state with a token; return the answer's status."""
    headers = {"Authorization": f"Bearer {token}"}
    async with runner.client.get(f"{runner.url}/v1/state", headers=headers) as answer:
        return answer.status


async def test_tokens_are_known_by_hashes_and_renewed_while_the_session_runs(start: Start, folders: Folders) -> None:
    """The old ones are taken beside the new ones for a while; neither is in the log, and no hash is."""
    mount(folders)
    new = {"state": "new-state-token", "admin": "new-admin-token"}
    async with start() as runner:
        await runner.wait_for_state("QRPending")
        before = [await status_of(runner, token) for token in (TOKENS["state"], new["state"], hash_token("x"))]
        renewed = await put_tokens(runner, new)
        after = [await status_of(runner, token) for token in (TOKENS["state"], new["state"], new["admin"])]
        log = json.dumps(runner.lines)
        hashes = [(folders.tokens / scope).read_text() for scope in TOKENS]

    assert ([200, 401, 401], [200, 200, 200]) == (before, after)
    assert (200, {"scopes": ["admin", "state"]}) == renewed
    assert "The tokens were renewed" in log
    assert not [text for text in (*TOKENS.values(), *new.values(), *hashes, KEY) if text in log]
