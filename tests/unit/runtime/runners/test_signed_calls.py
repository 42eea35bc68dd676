"""The operator's own calls: the client on the runner's real API, and on strangers at the pod's address."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientSession, StreamReader, web
from session_protocol.live_settings import LiveSettings, Webhook, digest_of_settings
from session_protocol.vocabulary import (
    CallHandling,
    RunnerState,
    StateReason,
    TokenPurpose,
    TokenScope,
    WebhookEvent,
    WebhookFormat,
)
from session_runner.live import Live
from support.runner_parts import make_api, make_parts
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import KeyID, PodUID, Rejection, SessionUID, TokenSource
from whatsapp_operator.core.objects.tokens import secret_entries, token
from whatsapp_operator.runtime.runners.client import HttpRunnerClient, NoAnswer, Target

KEY = bytes(range(32))
UID = SessionUID("s1")
NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)
GOOD = {"sessionUID": "s1", "podUID": "p1", "revision": 3, "state": "Connected", "reason": "AsExpected", "message": ""}
_addresses = itertools.count(1)


@dataclass
class Request:
    """What arrived at an address."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Wire:
    """The pods' addresses, and everything that was sent to them."""

    folder: Path
    answered: list[Request] = field(default_factory=list)
    seconds: float = 1000.0
    running: list[web.AppRunner] = field(default_factory=list)

    async def pod(self, name: str = "p1", *, renewal: str = "", uid: SessionUID = UID) -> str:
        """Start a runner with the Secret of a pod; return its address."""
        tokens = self.folder / f"tokens-{next(_addresses)}"
        tokens.mkdir()
        for file, text in secret_entries(KEY, session_uid=uid, renewal=renewal, purpose=None).items():
            (tokens / file).write_text(text)
        parts = make_parts(clock=lambda: NOW, session_uid=uid, pod_uid=name, monotonic=lambda: self.seconds)
        store = parts.base.store
        store.publish(
            state=RunnerState.CONNECTED,
            reason=StateReason.AS_EXPECTED,
            message="",
            linked_time=NOW,
            durable_time=NOW,
            round=1,
        )
        return await self._serve(make_api(parts, tokens))

    async def stranger(self, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> str:
        """Start somebody else; return his address."""
        app = web.Application()
        app.router.add_route("*", "/{anything:.*}", answer)
        return await self._serve(app)

    async def _serve(self, app: web.Application) -> str:
        @web.middleware
        async def listen(request: web.Request, handler: Callable[..., Awaitable[web.StreamResponse]]) -> object:
            body = await request.read()
            self.answered.append(Request(request.method, request.raw_path, dict(request.headers), body))
            again = StreamReader(request.protocol, 2**16, loop=asyncio.get_running_loop())  # for who reads it next
            again.feed_data(body)
            again.feed_eof()
            request._payload = again
            return await handler(request)

        app.middlewares.insert(0, listen)  # type: ignore[arg-type]
        ip = f"127.{200 + os.getpid() % 20}.{os.getpid() // 20 % 250}.{next(_addresses) % 250 + 1}"
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, ip, 8080).start()
        self.running.append(runner)
        return ip

    def everything(self) -> str:
        """All that was sent, as text."""
        return "\n".join(f"{one.method} {one.path} {one.headers} {one.body!r}" for one in self.answered)


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    """Nobody listens yet."""
    made = Wire(tmp_path)
    yield made
    for runner in made.running:
        await runner.cleanup()


@pytest.fixture
async def client() -> AsyncIterator[HttpRunnerClient]:
    """The operator's client, with its key."""
    made = HttpRunnerClient(key={KeyID("k1"): KEY}.__getitem__)
    yield made
    await made.close()


def target(ip: str, *, pod: str = "p1", renewal: str | None = "") -> Target:
    """Return the runner of a pod."""
    key = ObjectKey("shop", "sales")
    return Target(key=key, session_uid=UID, pod_uid=PodUID(pod), ip=ip, key_id=KeyID("k1"), renewal=renewal)


def secrets_of_the_session() -> set[str]:
    """Everything that would be of use to a stranger."""
    plain = (secret_entries(KEY, session_uid=UID, renewal="", purpose=purpose) for purpose in TokenPurpose)
    mounted = secret_entries(KEY, session_uid=UID, renewal="", purpose=None)
    legacy = {token(KEY, session_uid=UID, scope=scope, renewal=None) for scope in TokenScope}
    return {text for entries in (*plain, mounted) for text in entries.values()} | legacy


@pytest.mark.parametrize("renewal", ["", "2026-11-22T18:00:00Z", "…"])
async def test_a_pod_answers_the_operator(wire: Wire, client: HttpRunnerClient, renewal: str) -> None:
    """Asked for a nonce once; each answer brings the next."""
    asked = target(await wire.pod(renewal=renewal), renewal=renewal)

    states = [(await client.get_state(asked, after=after)).state for after in (None, None, None)]

    assert ["Connected"] * 3 == states
    assert 4 == len(wire.answered)
    assert "/v1/state?wait=0" == wire.answered[-1].path


async def test_no_secret_is_sent(wire: Wire, client: HttpRunnerClient) -> None:
    """Neither a token, nor the key, nor a hash; not to the pod and not to a stranger."""

    async def stranger(_: web.Request) -> web.StreamResponse:
        return web.json_response(GOOD, status=401, headers={"Session-Nonce": f"1.{'0' * 32}.{'0' * 32}"})

    await client.get_state(target(await wire.pod()), after=None)
    with pytest.raises(NoAnswer):
        await client.get_state(target(await wire.stranger(stranger)), after=None)

    assert 4 == len(wire.answered)
    assert not [secret for secret in secrets_of_the_session() if secret in wire.everything()]
    assert "Bearer" not in wire.everything()


async def test_what_a_stranger_hears_opens_no_pod(wire: Wire, client: HttpRunnerClient) -> None:
    """He gives the operator the nonce of a living pod, and hands its signature on: it is for the pod that is gone."""
    living = await wire.pod("p2")

    async def relay(request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name == "Authorization"}
        async with (await session(client)).get(f"http://{living}:8080{request.raw_path}", headers=headers) as answer:
            return web.Response(body=await answer.read(), status=answer.status, headers=dict(answer.headers))

    with pytest.raises(NoAnswer, match="another key"):
        await client.get_state(target(await wire.stranger(relay), pod="p1"), after=None)

    assert 4 == len(wire.answered)


async def session(client: HttpRunnerClient) -> ClientSession:
    """Return the client's own connections."""
    assert client._session is not None
    return client._session


async def test_a_request_is_worth_nothing_twice(wire: Wire, client: HttpRunnerClient) -> None:
    """Whoever heard it and sends it again, to the very pod, is refused."""
    ip = await wire.pod()
    await client.get_state(target(ip), after=None)
    answered = wire.answered[-1]

    async with (await session(client)).get(
        f"http://{ip}:8080{answered.path}", headers={"Authorization": answered.headers["Authorization"]}
    ) as repeated:
        assert 401 == repeated.status
        assert "Session-Signature" not in repeated.headers


async def test_a_nonce_that_is_too_old_costs_one_more_request(wire: Wire, client: HttpRunnerClient) -> None:
    """The runner gives another one with its refusal."""
    asked = target(await wire.pod())
    await client.get_state(asked, after=None)
    wire.seconds += 61

    assert "Connected" == (await client.get_state(asked, after=None)).state
    assert 4 == len(wire.answered)


async def test_a_runner_that_was_started_again_is_asked_for_a_nonce(wire: Wire, client: HttpRunnerClient) -> None:
    """What the process before gave away is nothing to this one."""
    first = target(await wire.pod())
    await client.get_state(first, after=None)

    assert "Connected" == (await client.get_state(replace(first, ip=await wire.pod()), after=None)).state


@pytest.mark.parametrize(
    "forge",
    [
        lambda _: {},
        lambda _: {"Session-Signature": "0" * 64},
        lambda _: {"Session-Signature": "\udcff"},
        lambda answered: {"Session-Signature": answered.rpartition(":")[2]},
    ],
)
async def test_a_stranger_does_not_speak_for_the_pod(
    wire: Wire, client: HttpRunnerClient, forge: Callable[[str], dict[str, str]]
) -> None:
    """He knows both UIDs and the form of an answer, and takes any request for a good one."""
    nonce = f"1.{'0' * 32}.{'0' * 32}"

    async def stranger(request: web.Request) -> web.StreamResponse:
        shown = request.headers["Authorization"]
        if ":" not in shown:
            return web.Response(status=401, headers={"Session-Nonce": nonce})
        return web.json_response(GOOD, headers={"Session-Nonce": nonce} | forge(shown))

    with pytest.raises(NoAnswer, match="not signed"):
        await client.get_state(target(await wire.stranger(stranger)), after=None)


async def test_an_answer_is_to_its_own_request(wire: Wire, client: HttpRunnerClient) -> None:
    """One that the pod once gave to another request is not believed: it may be of before."""
    ip = await wire.pod()
    old: list[web.Response] = []

    async def stranger(request: web.Request) -> web.StreamResponse:
        headers = {"Authorization": request.headers["Authorization"]}
        async with (await session(client)).get(f"http://{ip}:8080{request.raw_path}", headers=headers) as answer:
            passed = web.Response(
                body=await answer.read(),
                status=answer.status,
                headers={name: value for name, value in answer.headers.items() if name.startswith("Session-")},
            )
        if answer.status == 401:
            return passed
        old.append(passed)
        return old[0] if len(old) == 1 else web.Response(body=old[0].body, headers=old[0].headers)

    asked = target(await wire.stranger(stranger))
    await client.get_state(asked, after=None)

    with pytest.raises(NoAnswer, match="not signed"):
        await client.get_state(asked, after=None)


@pytest.mark.parametrize("change", ["body", "nonce", "status"])
async def test_a_changed_answer_is_none(wire: Wire, client: HttpRunnerClient, change: str) -> None:
    """Each part of it is signed."""
    ip = await wire.pod()

    async def between(request: web.Request) -> web.StreamResponse:
        headers = {"Authorization": request.headers["Authorization"]}
        async with (await session(client)).get(f"http://{ip}:8080{request.raw_path}", headers=headers) as answer:
            body, status = await answer.read(), answer.status
            kept = {name: value for name, value in answer.headers.items() if name.startswith("Session-")}
        if status == 200 and change == "body":
            body = body.replace(b"Connected", b"LoggedOut")
        elif status == 200 and change == "nonce":
            kept["Session-Nonce"] = f"1.{'0' * 32}.{'0' * 32}"
        elif status == 200:
            status = 203
        return web.Response(body=body, status=status, headers=kept)

    with pytest.raises(NoAnswer):
        await client.get_state(target(await wire.stranger(between)), after=None)


@pytest.mark.parametrize("nonce", [None, "", "x", "1.2.3", "0" * 4000, f"1.{'0' * 32}.{'0' * 31}\u0660"])
@pytest.mark.parametrize("status", [200, 401, 404, 405])
async def test_who_knows_no_signatures_gets_none(
    wire: Wire, client: HttpRunnerClient, status: int, nonce: str | None
) -> None:
    """An image older than the operator, or nobody we know: said so, and nothing is given away for it."""

    async def stranger(_: web.Request) -> web.StreamResponse:
        return web.json_response(GOOD, status=status, headers={} if nonce is None else {"Session-Nonce": nonce})

    with pytest.raises(NoAnswer) as caught:
        await client.get_state(target(await wire.stranger(stranger)), after=None)

    assert Rejection.UNSIGNED is caught.value.rejection
    assert ["Session-HMAC"] == [one.headers["Authorization"] for one in wire.answered]


async def test_tokens_are_renewed_without_another_pod(wire: Wire, client: HttpRunnerClient) -> None:
    """The new ones open the runner at once, the old ones for two more minutes; no token is on the wire."""
    source = TokenSource(key_id=KeyID("k1"), renewal="now")
    ip = await wire.pod()

    async def statuses() -> list[int]:
        """Return what the old and the new token for administering give."""
        found = []
        for renewal in ("", "now"):
            shown = token(KEY, session_uid=UID, scope=TokenScope.ADMIN, renewal=renewal)
            headers = {"Authorization": f"Bearer {shown}"}
            async with (await session(client)).get(f"http://{ip}:8080/v1/state", headers=headers) as answer:
                found.append(answer.status)
        return found

    await client.get_state(target(ip), after=None)
    before = await statuses()
    sent = len(wire.answered)
    await client.renew_tokens(target(ip), source)
    await client.renew_tokens(target(ip), source)  # told twice
    calls = Wire(wire.folder, wire.answered[sent:])
    both = await statuses()
    wire.seconds += 119
    still = await statuses()
    wire.seconds += 2

    assert ([200, 401], [200, 200], [200, 200], [401, 200]) == (before, both, still, await statuses())
    assert ["PUT", "PUT"] == [one.method for one in calls.answered]
    tokens = {
        token(KEY, session_uid=UID, scope=scope, renewal=renewal) for scope in TokenScope for renewal in ("", "now")
    }
    assert not [one for one in tokens | secrets_of_the_session() if one in calls.everything()]
    assert "Connected" == (await client.get_state(target(ip), after=None)).state


async def test_a_runner_of_before_cannot_be_renewed(wire: Wire, client: HttpRunnerClient) -> None:
    """Its API has no such route; and it is not shown anything for it."""

    async def before(_: web.Request) -> web.StreamResponse:
        return web.Response(status=404)

    with pytest.raises(NoAnswer):
        await client.renew_tokens(target(await wire.stranger(before)), TokenSource(key_id=KeyID("k1"), renewal="now"))

    assert [b""] == [one.body for one in wire.answered]


async def test_a_lost_key_renews_nothing(wire: Wire, client: HttpRunnerClient) -> None:
    """Nobody is asked."""
    with pytest.raises(NoAnswer, match="k9"):
        await client.renew_tokens(target(await wire.pod()), TokenSource(key_id=KeyID("k9"), renewal="now"))

    assert [] == wire.answered


@pytest.mark.parametrize("other", [target("", pod="p2"), target("", renewal="other")])
async def test_the_runner_takes_no_other_pods_call(wire: Wire, client: HttpRunnerClient, other: Target) -> None:
    """Neither one for another pod of the session, nor one for a Secret of another renewal."""
    with pytest.raises(NoAnswer, match="another key"):
        await client.get_state(replace(other, ip=await wire.pod()), after=None)


async def test_settings_reach_a_running_pod(wire: Wire, client: HttpRunnerClient) -> None:
    """And its state has their digest from then on, by which it is known not to need them again."""
    webhook = Webhook(
        name="bot",
        url="https://bot.example.com/?a=b",
        format=WebhookFormat.CLOUD_API,
        events=(WebhookEvent.MESSAGE,),
        secret_name="bot",
    )
    settings = LiveSettings(webhooks=(webhook,), destinations=("automation",))
    asked = target(await wire.pod())
    before = await client.get_state(asked, after=None)
    taken = await client.change_settings(asked, settings)
    after = await client.get_state(asked, after=None)

    assert taken
    assert (None, digest_of_settings(settings)) == (before.settings_digest, after.settings_digest)


async def test_a_runner_that_knows_no_settings_takes_none(wire: Wire, client: HttpRunnerClient) -> None:
    """It was made before there were any, or has another form of them and refuses these."""
    strange = LiveSettings(destinations=tuple(f"namespace-{number}" for number in range(33)))

    assert not await client.change_settings(target(await wire.pod(), renewal=None), LiveSettings())
    assert not await client.change_settings(target(await wire.pod()), strange)


async def test_a_runner_that_knows_some_settings_does_not_go_by_all(wire: Wire, client: HttpRunnerClient) -> None:
    """What it leaves out shows in the digest that it answers with."""
    kept = Live.replace

    def older(live: Live, settings: LiveSettings) -> bool:
        return kept(live, msgspec.structs.replace(settings, calls=CallHandling.IGNORE))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Live, "replace", older)

        assert not await client.change_settings(target(await wire.pod()), LiveSettings(calls=CallHandling.REJECT))


async def test_what_a_pod_without_a_listener_goes_by_is_not_known(client: HttpRunnerClient) -> None:
    """So it is told again."""
    with pytest.raises(NoAnswer):
        await client.change_settings(target("127.0.0.254"), LiveSettings())


async def test_a_runner_that_is_slow_to_take_settings_is_left(
    wire: Wire, client: HttpRunnerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it does not look silent meanwhile."""
    monkeypatch.setattr("whatsapp_operator.runtime.runners.client.RENEWAL", timedelta(seconds=0.1))

    async def slow(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    with pytest.raises(NoAnswer, match="in time"):
        await client.change_settings(target(await wire.stranger(slow)), LiveSettings())
