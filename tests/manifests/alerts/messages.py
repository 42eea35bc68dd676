"""The alerts about a session's messages and webhooks, which come from its runner."""

from typing import Final

from manifests.alerts.cases import LAST, Case, Expected, Firing, Series, flat, of_runner, runner, then

OLDEST: Final = "whatsapp_runner_webhook_oldest_timestamp_seconds"
DEAD: Final = "whatsapp_runner_webhook_dead_letters"
STOPPED: Final = "whatsapp_runner_message_reading_stopped"
WAITING: Final = "whatsapp_runner_messages_oldest_timestamp_seconds"
ELSEWHERE: Final = {"namespace": "other", "session_namespace": "other"}
""" The labels of a session of the same name in another namespace. """


def of_webhook(session: str, webhook: str = "bot") -> dict[str, str]:
    """Return the labels of an alert about a webhook."""
    return of_runner(session) | {"webhook": webhook}


def webhook_failing() -> tuple[Case, ...]:
    """The oldest event has waited for more than 15 minutes, at each look of five more."""
    limit, minute = 15 * 60, 16
    old = minute * 60 - limit - 1
    given: Series = {
        runner(OLDEST, "sales", webhook="bot"): old,
        runner(OLDEST, "sales", webhook="log"): old + 1,
        runner(OLDEST, "orders", webhook="bot"): old,
        runner(OLDEST, "sales", pod="x", webhook="bot", **ELSEWHERE): 3600,
        # A pod that was away finds its backlog old, and delivers it.
        runner(OLDEST, "returns", webhook="bot"): f"_x{minute} {flat(0, 3)} {LAST}",
    }
    fires = tuple(Firing(of_webhook(name), (minute + 5) * 60 - old) for name in ("sales", "orders"))
    return (Case(given, {minute + 4: (), minute + 5: fires}),)


def dead_letters() -> tuple[Case, ...]:
    """There are more than there were in the last six hours, in whatever pod, or as many as are kept."""
    grew = then((2, 6), (3, 90))  # from minute 60 on, at a step of ten
    given: Series = {
        runner(DEAD, "sales", webhook="bot"): grew,
        runner(DEAD, "sales", webhook="log"): 5,
        runner(DEAD, "orders", webhook="bot"): grew,
        runner(DEAD, "sales", pod="x", webhook="bot", **ELSEWHERE): 999,
        runner(DEAD, "full", webhook="bot"): 1000,
        runner(DEAD, "nearly", webhook="bot"): 999,
        # The next pod has one more.
        runner(DEAD, "moved", webhook="bot"): f"{flat(1, 4)} {LAST}",
        runner(DEAD, "moved", pod=2, webhook="bot"): f"_x6 {flat(2, 90)}",
        # Sent again, and delivered.
        runner(DEAD, "redriven", webhook="bot"): then((4, 10), (0, 90)),
    }
    news, full = tuple(Firing(of_webhook(name)) for name in ("sales", "orders")), Firing(of_webhook("full"))
    moved = Firing(of_webhook("moved"))
    return (
        Case(given, {50: (full,), 60: (*news, full, moved), 390: (*news, full, moved), 420: (full,)}, step=10),
        # It is taken out of the spec.
        Case({runner(DEAD, "sales", webhook="bot"): f"{then((1, 5), (2, 15))} {LAST}"}, {19: (news[0],), 20: ()}),
    )


def reading_stopped() -> tuple[Case, ...]:
    """It has stopped at each look of five minutes, in whatever pod."""
    given: Series = {
        runner(STOPPED, "sales"): then((0, 3), (1, 90)),
        runner(STOPPED, "orders"): 0,
        runner(STOPPED, "sales", pod="x", **ELSEWHERE): 0,
        # There was room again.
        runner(STOPPED, "returns"): then((1, 7), (0, 90)),
        # It ended with the pod, and the next one has stopped, too.
        runner(STOPPED, "moved"): f"{then((0, 3), (1, 2))} {LAST}",
        runner(STOPPED, "moved", pod=2): f"_x5 {flat(1, 90)}",
    }
    fires = Firing(of_runner("sales")), Firing(of_runner("moved"))
    return (Case(given, {5: (Firing(of_runner("returns")),), 7: (), 8: fires}),)


def messages_waiting() -> tuple[Case, ...]:
    """A page that has been connected for as long has not got a message for more than 15 minutes, at each look of five more."""
    minute, limit = 40, 15 * 60
    old, due = minute * 60 - limit - 1, minute * 60 - limit
    given: Series = {}
    for name, accepted, state, begun in (
        ("sales", old, "Connected", old),
        ("orders", 0, "Connected", old),
        ("young", due, "Connected", 0),
        ("reconnected", 0, "Connected", due),
        ("offline", 0, "Offline", 0),
        # Its turn has come, and it goes.
        ("paced", f"_x{minute} {flat(0, 3)} {LAST}", "Connected", 0),
    ):
        given[runner(WAITING, name, progress="accepted")] = accepted
        given[runner("whatsapp_runner_state_since_timestamp_seconds", name)] = begun
        for value in ("Connected", "Offline"):
            given[runner("whatsapp_runner_state", name, state=value)] = int(value == state)
    # WhatsApp has said nothing of these: another alert's, if it says nothing of any.
    given[runner(WAITING, "young", progress="handed_over")] = 0
    # These wait for their turn, as long as that may be.
    given[runner(WAITING, "young", progress="paced")] = 0
    given[runner(WAITING, "sales", pod="x", progress="accepted", **ELSEWHERE)] = 0
    end = minute + 5
    fires = (Firing(of_runner("sales"), end * 60 - old), Firing(of_runner("orders"), end * 60))
    return (Case(given, {end - 1: (), end: fires}),)


def messages_delayed() -> tuple[Case, ...]:
    """Messages have waited for more than half an hour for their turn, or for a page that is not connected."""
    minute, limit = 40, 30 * 60
    old, due = minute * 60 - limit - 1, minute * 60 - limit
    given: Series = {}
    for name, progress, since, state in (
        ("sales", "paced", old, "Connected"),
        ("returns", "paced", due, "Connected"),
        ("orders", "accepted", old, "Offline"),
        ("young", "accepted", due, "Offline"),
        # Of a page that is connected, and does not get them, another alert tells.
        ("busy", "accepted", 0, "Connected"),
        # WhatsApp has them, or says nothing of them.
        ("silent", "handed_over", 0, "Offline"),
        # Its turn comes, and it goes.
        ("gone", "paced", f"_x{minute} {flat(0, 3)} {LAST}", "Connected"),
    ):
        given[runner(WAITING, name, progress=progress)] = since
        for value in ("Connected", "Offline"):
            given[runner("whatsapp_runner_state", name, state=value)] = int(value == state)
    # One alert for each of both: what waits for its turn is not what waits for the page.
    given[runner(WAITING, "orders", progress="paced")] = old + 60
    given[runner(WAITING, "sales", pod="x", progress="paced", **ELSEWHERE)] = 0
    end = minute + 5
    fires = (
        Firing(of_runner("sales") | {"progress": "paced"}, end * 60 - old),
        Firing(of_runner("orders") | {"progress": "accepted"}, end * 60 - old),
    )
    elsewhere = {"namespace": "other", "session_namespace": "other", "progress": "paced"}
    always = Firing(of_runner("sales") | elsewhere, (end - 1) * 60), Firing(of_runner("sales") | elsewhere, end * 60)
    return (Case(given, {end - 1: (always[0],), end: (*fires, always[1])}),)


MESSAGES: Final = (
    Expected("WhatsAppSessionWebhookFailing", "warning", "tenant", webhook_failing()),
    Expected("WhatsAppSessionWebhookDeadLetters", "warning", "tenant", dead_letters()),
    Expected("WhatsAppSessionReadingStopped", "critical", "tenant", reading_stopped()),
    Expected("WhatsAppSessionMessagesWaiting", "warning", "tenant", messages_waiting()),
    Expected("WhatsAppSessionMessagesDelayed", "warning", "tenant", messages_delayed()),
)
