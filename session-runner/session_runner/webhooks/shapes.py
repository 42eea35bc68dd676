"""An event's body for one webhook: whether it is sent there at all, and in what form."""

from session_protocol.live_settings import Webhook
from session_protocol.vocabulary import GroupEvents, WebhookFormat

from session_runner.messages.cloud_events import Account, Wanted, cloud_body
from session_runner.messages.events import Event, History, InChat


def body_for(event: Event, webhook: Webhook, account: Account) -> bytes | None:
    """Return the bytes that are sent, the same at each try; None: this webhook does not get the event."""
    if event.type not in map(str, webhook.events):
        return None
    groups = webhook.groups is GroupEvents.INCLUDE
    if isinstance(event.data, InChat | History) and event.data.group and not groups:
        return None
    if webhook.format is WebhookFormat.STANDARD:
        return event.body()
    return cloud_body(event, account, Wanted(groups=groups, edits=True, deletions=True))
