"""Bringing a session's settings to its running runner, beside asking for its state."""

from dataclasses import replace

from session_protocol.live_settings import LiveSettings, Webhook, digest_of_settings
from session_protocol.vocabulary import WebhookEvent, WebhookFormat
from unit.runtime.fakes import FakeClock
from unit.runtime.runners.listeners import KEY, ScriptedListener, answer, target
from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import PodUID
from whatsapp_operator.runtime.runners.client import Target
from whatsapp_operator.runtime.runners.poller import RunnerPoller

WANTED = LiveSettings(
    webhooks=(
        Webhook(
            name="bot",
            url="https://bot.example.com/",
            format=WebhookFormat.CLOUD_API,
            events=(WebhookEvent.MESSAGE,),
        ),
    )
)

OTHERS = LiveSettings(destinations=("automation",))


def wanting(settings: LiveSettings | None) -> Target:
    """Return a runner that is to go by these settings."""
    return replace(target(), settings=settings)


def takes_settings(runners: RunnerPoller) -> bool | None:
    """Whether the present pod's runner goes by its settings, as the operator knows it."""
    return runners.last_report(KEY, pods=[PodUID("p1")]).takes_settings


async def test_a_runner_gets_settings_that_it_does_not_go_by(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock
) -> None:
    """Within seconds of an edit, and once; an operator that has just started asks it, too."""
    runners.start(wanting(LiveSettings()))
    await clock.advance(30)
    before = list(runner.settings)
    runners.start(wanting(WANTED))
    await clock.advance(1)
    after = list(runner.settings)
    runner.say(answer(2, settings_digest=digest_of_settings(WANTED)))
    await clock.advance(60)

    assert ([], [WANTED]) == (before, after)
    assert after == runner.settings


async def test_a_runner_whose_webhooks_are_gone_gets_none(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock
) -> None:
    """Nothing set is a setting, too."""
    runner.say(answer(2, settings_digest=digest_of_settings(WANTED)))
    runners.start(wanting(LiveSettings()))
    await clock.advance(1)

    assert [LiveSettings()] == runner.settings


async def test_a_session_whose_spec_cannot_be_used_keeps_its_settings(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock
) -> None:
    """Nothing is guessed in place of what a person wrote."""
    runner.say(answer(2, settings_digest=digest_of_settings(WANTED)))
    runners.start(wanting(None))
    await clock.advance(30)

    assert [] == runner.settings


async def test_a_runner_that_did_not_answer_is_asked_again(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock
) -> None:
    """With each answer to a poll, which goes on all the same; what it goes by is not known until then."""
    runner.refuses_settings = True
    runners.start(wanting(WANTED))
    await clock.advance(35)

    assert 2 <= len(runner.settings) <= 6
    assert len(runner.asked) >= 3
    assert takes_settings(runners) is None


async def test_an_older_runner_is_asked_once(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock, changed: list[ObjectKey]
) -> None:
    """It will not know them the next time either; the session is looked at once for it, and polled as before."""
    runner.knows_settings = False
    runners.start(wanting(WANTED))
    await clock.advance(1)
    looked_at = list(changed)
    await clock.advance(120)

    assert [WANTED] == runner.settings
    assert takes_settings(runners) is False
    assert looked_at == changed
    assert len(runner.asked) >= 3


async def test_an_older_runner_gets_the_next_edit(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock
) -> None:
    """Which may be one that it knows; one that nothing is set for any more goes by the settings as it is."""
    runner.knows_settings = False
    runners.start(wanting(WANTED))
    await clock.advance(30)
    runner.knows_settings = True
    runners.start(wanting(OTHERS))
    await clock.advance(30)
    between = takes_settings(runners)
    runners.start(wanting(LiveSettings()))
    await clock.advance(30)

    assert [WANTED, OTHERS] == runner.settings[:2]
    assert (True, True) == (between, takes_settings(runners))


async def test_the_next_pod_has_nothing_of_it(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock
) -> None:
    """Its runner may be newer."""
    runner.knows_settings = False
    runners.start(wanting(WANTED))
    await clock.advance(1)
    runner.say(answer(1, pod="p2", settings_digest=digest_of_settings(WANTED)))
    runners.start(replace(wanting(WANTED), pod_uid=PodUID("p2")))
    await clock.advance(1)

    assert runners.last_report(KEY, pods=[PodUID("p1")]).takes_settings is None
    assert runners.last_report(KEY, pods=[PodUID("p2")]).takes_settings is True
    runners.forget(KEY)
    assert runners.last_report(KEY, pods=[PodUID("p2")]).takes_settings is None
