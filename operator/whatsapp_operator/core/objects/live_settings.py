"""What a session's spec says to the running pod: how it sends and appears, calls, webhooks, where it may send HTTP to.

`pod` writes it into the pod that is created, outside of the template hash: an edit outdates no pod, because the poller
brings it to the running one.
"""

from session_protocol import live_settings as settings
from session_protocol.live_settings import Header, LiveSettings, Webhook
from session_protocol.pacing import AllMessages, FirstContacts, Pacing

from whatsapp_operator.api.media import MediaLimits
from whatsapp_operator.api.messaging import PacingSpec
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.api.webhooks import WebhookSpec
from whatsapp_operator.core.model import Defaults
from whatsapp_operator.core.network import AddressPeer, Egress


def live_settings(session: WhatsAppSession, defaults: Defaults) -> LiveSettings:
    """Return the settings of a session whose spec can be used."""
    return LiveSettings(
        webhooks=tuple(_webhook(spec) for spec in session.spec.webhooks),
        destinations=tuple(dict.fromkeys(_destination(egress) for egress in defaults.webhook_destinations)),
        pacing=_pacing(session.spec.messaging.pacing),
        media_limits=_media_limits(session.spec.messaging.media_limits),
        interactive=session.spec.messaging.interactive,
        calls=session.spec.calls,
        read_marks=session.spec.messaging.read_marks,
        presence=session.spec.link.presence,
    )


def secret_names(session: WhatsAppSession) -> list[str]:
    """Return the Secrets that the session's webhooks name, each once."""
    return sorted({spec.secret_name for spec in session.spec.webhooks if spec.secret_name is not None})


def _media_limits(spec: MediaLimits) -> settings.MediaLimits | None:
    given = {name: getattr(spec, name) for name in MediaLimits.model_fields}
    sizes = {name: int(size) for name, size in given.items() if size is not None}
    return settings.MediaLimits(**sizes) if sizes else None


def _pacing(spec: PacingSpec) -> Pacing:
    if spec.custom is None:
        return Pacing(type=spec.type)
    contacts, messages = spec.custom.first_contacts, spec.custom.messages
    return Pacing(
        type=spec.type,
        first_contacts=FirstContacts(
            burst=contacts.burst, interval=contacts.interval.total_seconds(), per_day=contacts.per_day
        ),
        messages=AllMessages(burst=messages.burst, interval=messages.interval.total_seconds()),
    )


def _webhook(spec: WebhookSpec) -> Webhook:
    return Webhook(
        name=spec.name,
        url=spec.url,
        format=spec.format,
        events=spec.events,
        groups=spec.groups,
        secret_name=spec.secret_name,
        headers=tuple(Header(name=header.name, value=header.value) for header in spec.headers),
    )


def _destination(egress: Egress) -> str:
    """Return it as the runner's guard reads it: addresses with their port, or the namespace whose Services are allowed.

    A Service's port is not its pods', which the policy names; so for Services the policy alone holds the port.
    """
    if isinstance(egress.peer, AddressPeer):
        cidr = f"[{egress.peer.cidr}]" if ":" in egress.peer.cidr else egress.peer.cidr
        return f"{cidr}:{egress.port}"
    return egress.peer.namespace
