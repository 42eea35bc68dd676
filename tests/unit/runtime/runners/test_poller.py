"""Listening to runners: what counts as an answer, how often is asked, and when the operator is told."""

import itertools
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from aiohttp import web
from session_protocol.vocabulary import TokenScope
from unit.runtime.fakes import START, FakeClock, settle
from unit.runtime.runners.listeners import KEY, ScriptedListener, answer, target
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import KeyID, PodUID, Rejection, SessionUID
from whatsapp_operator.core.objects.tokens import token
from whatsapp_operator.runtime.runners.client import GRACE, WAIT, HttpRunnerClient, NoAnswer
from whatsapp_operator.runtime.runners.connection import MAX_BYTES
from whatsapp_operator.runtime.runners.poller import LAST_RETRY, RunnerPoller


async def test_a_runners_report_is_kept_and_passed_on(runners: RunnerPoller, changed: list[ObjectKey]) -> None:
    """The first answer makes the session be looked at."""
    runners.start(target())
    await settle()

    report = runners.last_report(KEY, pods=[PodUID("p1")]).report
    assert report is not None
    assert ("QRPending", 1, START) == (report.state, report.revision, report.received)
    assert [KEY] == changed


async def test_the_browser_s_version_comes_with_the_report(runners: RunnerPoller, runner: ScriptedListener) -> None:
    """As far as the runner knows it."""
    runner.say(answer(browser_version="156.0.7204.49"))
    runners.start(target())
    await settle()

    report = runners.last_report(KEY, pods=[PodUID("p1")]).report
    assert report is not None
    assert "156.0.7204.49" == report.browser_version


async def test_the_first_question_wants_an_answer_at_once(runners: RunnerPoller, runner: ScriptedListener) -> None:
    """Afterwards it names the revision it has."""
    runners.start(target())
    await settle()
    await runners._clock.advance(1)  # type: ignore[attr-defined]

    assert [None, 1] == [after for _, after, _ in runner.asked]


async def test_an_unchanged_report_is_not_passed_on(
    runners: RunnerPoller, clock: FakeClock, changed: list[ObjectKey]
) -> None:
    """At rest the operator has nothing to do but to note that the runner is there."""
    runners.start(target())
    await clock.advance(600)

    answered = runners.last_report(KEY, pods=[PodUID("p1")]).report
    assert answered is not None
    assert [KEY] == changed
    assert clock.now() - answered.received <= WAIT


async def test_a_change_is_passed_on_at_once(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock, changed: list[ObjectKey]
) -> None:
    """No polling interval stands between the runner's word and the operator."""
    runners.start(target())
    await clock.advance(3)
    changed.clear()

    runner.say(answer(2, state="Connected"))
    await settle()

    assert [KEY] == changed


async def test_one_question_at_a_time_every_ten_seconds(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock
) -> None:
    """A minute at rest is a handful of requests."""
    runners.start(target())
    await clock.advance(60)

    assert len(runner.asked) <= 8


async def test_a_runner_that_does_not_hold_back_is_asked_once_a_second(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock
) -> None:
    """One that answers at once, although nothing is new, must not keep the operator busy."""
    runner.holds_back = False
    runners.start(target())
    await clock.advance(10)

    assert len(runner.asked) <= 12


async def test_why_answers_do_not_count_is_kept_until_one_does(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock, changed: list[ObjectKey]
) -> None:
    """So that the session's condition can tell it; mere silence has no such reason."""
    runner.rejection = Rejection.TOO_LARGE
    runner.say(None)
    runners.start(target())
    await clock.advance(20)
    rejected, first = runners.last_report(KEY, pods=[PodUID("p1")]).rejection, list(changed)
    runner.say(answer())
    await clock.advance(LAST_RETRY)

    assert Rejection.TOO_LARGE == rejected
    assert [KEY] == first
    assert runners.last_report(KEY, pods=[PodUID("p1")]).rejection is None


async def test_a_silent_runner_is_asked_again_and_again(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock
) -> None:
    """Later and later, but never later than a few seconds."""
    runner.say(None)
    runners.start(target())
    await clock.advance(120)

    moments = [moment for moment, _, _ in runner.asked]
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert sorted(gaps) == gaps
    assert LAST_RETRY == gaps[-1]


async def test_silence_is_not_passed_on_but_its_end_is(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock, changed: list[ObjectKey]
) -> None:
    """The core wakes up by itself for silence; that it is over only the runner can tell, also with the same word."""
    runners.start(target())
    await clock.advance(1)
    runner.say(None)
    await clock.advance(60)
    changed.clear()

    runner.say(answer())
    await clock.advance(LAST_RETRY)

    assert [KEY] == changed


async def test_listening_twice_is_listening_once(runners: RunnerPoller, runner: ScriptedListener) -> None:
    """Each look at the session asks for it again."""
    first = runners.start(target())
    await settle()
    second = runners.start(target())
    await settle()

    assert (True, False, 1) == (first, second, runners.active)
    assert 1 == len([moment for moment, after, _ in runner.asked if after is None])


async def test_a_new_pod_is_listened_to_instead(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock
) -> None:
    """The old one's word is dropped with it."""
    runners.start(target())
    await clock.advance(1)
    runner.say(None)
    runners.start(target(pod="p2"))
    await clock.advance(1)

    assert (1, None) == (runners.active, runners.last_report(KEY, pods=[PodUID("p2")]).report)
    assert "p2" == runner.asked[-1][2]


async def test_the_last_report_outlives_the_pod(runners: RunnerPoller, clock: FakeClock) -> None:
    """What the runner said last counts also when its pod is gone; beside another pod it is of before, for good."""
    runners.start(target())
    await clock.advance(1)
    runners.stop(KEY)

    assert runners.last_report(KEY, pods=[]).report is not None
    assert runners.last_report(KEY, pods=[PodUID("p1")]).report is not None
    assert runners.last_report(KEY, pods=[PodUID("p2")]).report is None
    assert runners.last_report(KEY, pods=[]).report is None


async def test_a_forgotten_session_leaves_nothing(runners: RunnerPoller, clock: FakeClock) -> None:
    """No task, no report."""
    runners.start(target())
    await clock.advance(1)
    runners.forget(KEY)

    assert (0, None) == (runners.active, runners.last_report(KEY, pods=[]).report)


async def test_since_when_is_listened(runners: RunnerPoller, clock: FakeClock) -> None:
    """Silence counts from here: an operator that has just started has heard nobody yet."""
    before = runners.last_report(KEY, pods=[PodUID("p1")]).since
    await clock.advance(5)
    runners.start(target())
    await clock.advance(5)

    assert (None, START + timedelta(seconds=5)) == (before, runners.last_report(KEY, pods=[PodUID("p1")]).since)


_addresses = itertools.count(1)

# --- over HTTP ---------------------------------------------------------------------------------------------------

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
KEY_BYTES = bytes(range(32))
GOOD = {"sessionUID": "s1", "podUID": "p1", "revision": 3, "state": "Connected", "reason": "AsExpected", "message": ""}


@pytest.fixture
async def http() -> AsyncIterator[HttpRunnerClient]:
    """A listener with a key, asking pods that an older operator made."""
    listener = HttpRunnerClient(key={KeyID("k1"): KEY_BYTES}.__getitem__)
    yield listener
    await listener.close()


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Handler], Awaitable[str]]]:
    """A function that serves a handler on port 8080 of an address of its own; returns the address."""
    running: list[web.AppRunner] = []

    async def start(handler: Handler) -> str:
        ip = f"127.{220 + os.getpid() % 30}.{os.getpid() // 30 % 250}.{next(_addresses) % 250 + 1}"
        app = web.Application()
        app.router.add_get("/v1/state", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, ip, 8080).start()
        running.append(runner)
        return ip

    yield start
    for runner in running:
        await runner.cleanup()


Serve = Callable[[Handler], Awaitable[str]]


async def test_the_question_carries_the_token_and_the_revision(http: HttpRunnerClient, serve: Serve) -> None:
    """`after` and `wait` make it a long-poll; the token is of the scope state."""
    asked: list[web.Request] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        return web.json_response(GOOD)

    ip = await serve(handler)
    await http.get_state(target(ip), after=None)
    answered = await http.get_state(target(ip), after=3)

    assert ("Connected", 3) == (answered.state, answered.revision)
    assert [{"wait": "0"}, {"after": "3", "wait": "10"}] == [dict(request.query) for request in asked]
    shown = token(KEY_BYTES, session_uid=SessionUID("s1"), scope=TokenScope.STATE, renewal=None)
    assert f"Bearer {shown}" == asked[0].headers["Authorization"]


@pytest.mark.parametrize(
    "body",
    [
        {**GOOD, "podUID": "p2"},
        {**GOOD, "sessionUID": "s2"},
        {**GOOD, "state": "no word"},
        {**GOOD, "state": "X" * 100},
        {**GOOD, "revision": -1},
        {**GOOD, "round": 2**40},
        {**GOOD, "message": "x" * 5000},
        {**GOOD, "linkedTime": "2026-01-01T00:00:00"},
        {**GOOD, "since": "9999-12-31T23:59:59Z"},
        {**GOOD, "since": "9999-12-31T23:59:59-23:00"},
        {**GOOD, "durableTime": "0001-01-01T00:00:00+23:00"},
        {key: value for key, value in GOOD.items() if key != "podUID"},
        [],
        "Connected",
        None,
    ],
)
async def test_what_is_not_this_pods_state_is_no_answer(http: HttpRunnerClient, serve: Serve, body: object) -> None:
    """Another pod on a reused address, or a program that says anything."""

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.json_response(body)

    ip = await serve(handler)

    with pytest.raises(NoAnswer):
        await http.get_state(target(ip), after=None)


async def test_unknown_states_and_fields_are_taken(http: HttpRunnerClient, serve: Serve) -> None:
    """A newer runner than the operator: its word is shown."""

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.json_response({**GOOD, "state": "Levitating", "mood": "good", "linkedTime": None})

    answered = await http.get_state(target(await serve(handler)), after=None)

    assert "Levitating" == answered.state


@pytest.mark.parametrize("status", [204, 301, 401, 403, 404, 500])
async def test_any_status_but_200_is_no_answer(http: HttpRunnerClient, serve: Serve, status: int) -> None:
    """Redirects are not followed: the token would go somewhere else."""

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=json.dumps(GOOD), headers={"Location": "http://127.0.0.1:1/"})

    ip = await serve(handler)

    with pytest.raises(NoAnswer, match=str(status)):
        await http.get_state(target(ip), after=None)


@pytest.mark.parametrize("encoding", [None, "gzip"])
async def test_an_answer_without_end_is_cut_off(http: HttpRunnerClient, serve: Serve, encoding: str | None) -> None:
    """Not more than 64 KiB are read, and nothing is unpacked."""
    sent = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Encoding": encoding} if encoding else {})
        await response.prepare(request)
        try:
            while sent < 1000 * MAX_BYTES:
                await response.write(b"x" * MAX_BYTES)
                sent += MAX_BYTES
        except ConnectionError:
            pass
        return response

    ip = await serve(handler)

    with pytest.raises(NoAnswer):
        await http.get_state(target(ip), after=None)
    assert sent < 500 * MAX_BYTES


async def test_nobody_there_is_no_answer(http: HttpRunnerClient) -> None:
    """Connection refused."""
    with pytest.raises(NoAnswer):
        await http.get_state(target("127.254.254.253"), after=None)


async def test_a_key_that_is_gone_is_no_answer(serve: Serve) -> None:
    """The pod's tokens come from a key that somebody deleted: nothing is sent at all."""

    def lost(_: KeyID) -> bytes:
        raise LookupError("the key k1 is not in the Secret")

    async def handler(_: web.Request) -> web.StreamResponse:
        raise AssertionError("nothing should be asked")

    listener = HttpRunnerClient(key=lost)
    with pytest.raises(NoAnswer, match="k1"):
        await listener.get_state(target(await serve(handler)), after=None)
    await listener.close()


async def test_an_odd_address_is_no_answer(http: HttpRunnerClient) -> None:
    """A pod IP that is none cannot lead anywhere."""
    with pytest.raises(NoAnswer):
        await http.get_state(target("evil.example/#"), after=None)


def test_version_6_addresses_are_bracketed() -> None:
    """Clusters with IPv6 pods."""
    assert "http://[fd00::1]:8080" == target("fd00::1").url


def test_an_answer_is_given_up_before_it_counts_as_silence() -> None:
    """Two long-polls fit into no silence: a hanging one ends before the 15 s that make a runner unreachable."""
    assert WAIT + GRACE < timedelta(seconds=15)
