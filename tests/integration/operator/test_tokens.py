"""The session's Secrets and its runner, on a real API server: who can do what with which token, and how they change."""

import base64
from typing import Any

import aiohttp
from integration.operator.conftest import OperatorHarness

RENEWAL = "2026-11-23T08:00:00Z"


async def secret(harness: OperatorHarness, name: str) -> dict[str, str]:
    """Return what is in a Secret."""
    found = await harness.admin.get("secrets", harness.namespace, name)
    return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}


async def answer_to(harness: OperatorHarness, token: str, path: str, method: str = "GET") -> int:
    """Show a token to the session's runner; return the status of its answer."""
    pod = await harness.admin.get("pods", harness.namespace, "sales")
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, f"http://{pod['status']['podIP']}:8080{path}", headers=headers) as answer,
    ):
        return answer.status


async def running(harness: OperatorHarness) -> dict[str, Any]:
    """Start a session; return its status."""
    await harness.quota(sessions=3)
    await harness.operator()
    await harness.session("sales")
    return await harness.wait_for_state("sales", "QRPending")


async def test_each_secret_opens_what_it_is_for(harness: OperatorHarness) -> None:
    """And what the pod mounts opens nothing, although the runner knows the tokens by it."""
    status = await running(harness)
    observing = await secret(harness, status["tokenSecretName"])
    linking = await secret(harness, status["tokenSecrets"]["linking"])
    messaging = await secret(harness, status["tokenSecrets"]["messaging"])
    administering = await secret(harness, status["tokenSecrets"]["administering"])
    reading = await secret(harness, status["tokenSecrets"]["reading"])
    pod = await harness.admin.get("pods", harness.namespace, "sales")
    volume = next(volume for volume in pod["spec"]["volumes"] if "secret" in volume)
    mounted = await secret(harness, volume["secret"]["secretName"])

    assert [200, 403] == [await answer_to(harness, observing["state"], path) for path in ("/v1/state", "/v1/qr")]
    assert [403, 404] == [await answer_to(harness, linking["link"], path) for path in ("/v1/state", "/v1/qr")]
    assert [200, 404] == [await answer_to(harness, administering["admin"], path) for path in ("/v1/state", "/v1/qr")]
    assert 403 == await answer_to(harness, administering["admin"], "/v1/tokens", "PUT")
    assert {401} == {await answer_to(harness, text, "/v1/state") for text in mounted.values()}
    assert ({"state"}, {"state", "link"}, {"admin"}) == (set(observing), set(linking), set(administering))
    assert {"send"} == set(messaging)
    assert {"read"} == set(reading)
    assert [503, 403] == [await answer_to(harness, reading["read"], path) for path in ("/v1/chats", "/v1/state")]
    own = f"/v24.0/{status['phoneNumberID']}"  # of which no page has told the number yet
    assert [503, 403] == [await answer_to(harness, messaging["send"], path) for path in (own, "/v1/state")]


async def test_tokens_are_renewed_in_the_running_pod(harness: OperatorHarness) -> None:
    """Other Secrets, the same pod; the next pod takes the new tokens, too."""
    before = await running(harness)
    old = await secret(harness, before["tokenSecretName"])
    annotation = {"metadata": {"annotations": {"wasession.dev/renew-tokens-at": RENEWAL}}}
    await harness.admin.patch("whatsappsessions", harness.namespace, "sales", annotation)

    async def done() -> bool:
        session = await harness.admin.get("whatsappsessions", harness.namespace, "sales")
        return bool(session["status"]["handledRequests"].get("renewTokensAt") == RENEWAL)

    await harness.until("the renewal to be handled", done)
    after = (await harness.admin.get("whatsappsessions", harness.namespace, "sales"))["status"]
    new = await secret(harness, after["tokenSecretName"])
    both = [await answer_to(harness, tokens["state"], "/v1/state") for tokens in (old, new)]
    await harness.admin.remove_pod(harness.namespace, "sales")

    async def another() -> bool:
        session = await harness.admin.get("whatsappsessions", harness.namespace, "sales")
        status = session["status"]
        return bool(status["podUID"] != before["podUID"] and status.get("state") == "QRPending")

    await harness.until("another pod to run", another)
    last = (await harness.admin.get("whatsappsessions", harness.namespace, "sales"))["status"]

    assert before["podUID"] == after["podUID"]
    assert not {before["tokenSecretName"], *before["tokenSecrets"].values()} & {
        after["tokenSecretName"],
        *after["tokenSecrets"].values(),
    }
    assert [200, 200] == both
    assert (after["tokenSecretName"], after["tokenSecrets"]) == (last["tokenSecretName"], last["tokenSecrets"])
    assert [401, 200] == [await answer_to(harness, tokens["state"], "/v1/state") for tokens in (old, new)]
