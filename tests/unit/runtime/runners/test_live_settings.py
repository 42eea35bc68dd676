"""Bringing a session's settings to its running runner, beside asking for its state."""

from dataclasses import replace

from session_protocol.live_settings import LiveSettings, Webhook, digest_of_settings
from session_protocol.vocabulary import WebhookEvent, WebhookFormat
from unit.runtime.fakes import FakeClock
from unit.runtime.runners.listeners import ScriptedListener, answer, target
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


def wanting(settings: LiveSettings | None) -> Target:
    """Return a runner that is to go by these settings."""
    return replace(target(), settings=settings)


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


async def test_a_runner_that_refuses_is_polled_all_the_same(
    runners: RunnerPoller, runner: ScriptedListener, clock: FakeClock
) -> None:
    """An older one knows no such call; it is told again with each answer."""
    runner.refuses_settings = True
    runners.start(wanting(WANTED))
    await clock.advance(35)

    assert 2 <= len(runner.settings) <= 6
    assert len(runner.asked) >= 3
