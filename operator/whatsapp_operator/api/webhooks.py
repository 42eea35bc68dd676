"""Where a session's events are sent: its webhooks.

A webhook's Secret is mounted into the pod and never read by the operator. Who may name it is a matter of admission
(`manifests/base/operator/policies/pod-fields.yaml`); so is another URL for one that is named already, because the token
in it would be sent there.
"""

from typing import Annotated

from pydantic import ConfigDict, Field
from session_protocol import live_settings as bounds
from session_protocol.vocabulary import GroupEvents, WebhookEvent, WebhookFormat

from whatsapp_operator.api.base import SpecModel
from whatsapp_operator.api.bounds import at_most
from whatsapp_operator.api.pod_options import name_of
from whatsapp_operator.api.rules import Rule, validations

_NAME = Rule(
    f"self.matches('{bounds.WEBHOOK_NAME}') && !self.matches('^([^0-9]*[0-9]){{7}}')",
    "must be at most 40 lower case letters, digits and '-', beginning and ending with a letter or digit, and be no "
    "telephone number, because it is shown in metrics and logs",
)
_MOST_PARAMETERS = 16
""" An ampersand takes six characters in JSON. """
_URL_IN_CEL = bounds.WEBHOOK_URL.replace("\\", "\\\\")
""" A text of CEL writes a backslash as two. """
_URL = Rule(
    f"isURL(self) && self.split('&').size() <= {_MOST_PARAMETERS} && self.matches('{_URL_IN_CEL}')",
    "must be an address such as https://n8n.example.com/webhook/whatsapp or http://n8n.automation.svc:5678/webhook, without < "
    "and >, with at most 16 parameters, and without a login, whose place is the entry authorization of the webhook's Secret",
)
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_END = "(:[0-9]*)?([/?]|$)"
_HOST = Rule(
    # Only what no setting of the operator opens, or what could mean another address than it seems to: the rest is not known here.
    # A part of the text has a known length, so that the rule has a known cost; url(self).getHostname() has none.
    "!isURL(self) || (self.startsWith('http://[') || self.startsWith('https://[') "
    "? isIP(self.substring(self.indexOf('[') + 1, self.indexOf(']'))) "
    "&& ip(self.substring(self.indexOf('[') + 1, self.indexOf(']'))).isGlobalUnicast() "
    f": !self.matches('(?i)^https?://([^/?:]*[.])?localhost[.]?{_END}') "
    f"&& (!self.matches('(?i)^https?://([^/?:]*[.])?(0x[0-9a-f]*|[0-9]+)[.]?{_END}') "
    f"|| (self.matches('^https?://({_OCTET}[.]){{3}}{_OCTET}{_END}') "
    "&& !self.matches('^https?://(0|127|169[.]254|22[4-9]|2[3-5][0-9])[.]'))))",
    "must not be the pod's or its node's own, such as localhost, 127.0.0.1 or 169.254.169.254, where nothing is ever sent; write "
    "an address in its usual form, such as 10.1.2.3 or [fd00::1]",
)
_HEADER_NAME = Rule(
    f"self.matches('{bounds.HEADER_NAME}')",
    "must be the name of a header: letters, digits and '-', beginning with a letter",
)
_FREE_HEADER = Rule(
    f"!(self.lowerAscii() in [{', '.join(repr(name) for name in bounds.RESERVED_HEADERS)}])",
    "must not be a header that the runner sends itself: remove it; Authorization is the entry authorization of the webhook's Secret",
)
_HEADER_VALUE = Rule(
    f"self.matches('{bounds.HEADER_VALUE}')",
    "must be made of printable ASCII characters but <, >, & and ', without a blank at its beginning or end",
)
_SIGNED = Rule(
    "self.format != 'Standard' || has(self.secretName)",
    "the format Standard signs each delivery: set secretName to a Secret with the entry signingSecret",
    field=".secretName",
)


class WebhookHeader(SpecModel):
    """One header that goes with each delivery."""

    name: Annotated[
        str, Field(max_length=bounds.LONGEST_HEADER_NAME, json_schema_extra=validations(_HEADER_NAME, _FREE_HEADER))
    ]
    """Its name, such as X-Team."""
    value: Annotated[str, Field(max_length=bounds.LONGEST_HEADER, json_schema_extra=validations(_HEADER_VALUE))]
    """Its value. Whoever may read sessions can read it, so write no secret here."""


class WebhookSpec(SpecModel):
    """An address that events are sent to, each in a POST of its own, until it is taken."""

    model_config = ConfigDict(json_schema_extra=validations(_SIGNED))

    name: Annotated[str, Field(max_length=40, json_schema_extra=validations(_NAME))]
    """The webhook's name. What waits for a webhook belongs to its name: under another name it is another webhook."""
    url: Annotated[str, Field(max_length=bounds.LONGEST_URL, json_schema_extra=validations(_URL, _HOST))]
    """Where events are posted to: a public address by https, on port 443. Whoever runs the operator opens others, such as a
    Service of the cluster, with its setting WEBHOOK_DESTINATIONS."""
    format: WebhookFormat
    """CloudAPI has the bodies, the signature and the handshake of Meta's Cloud API. Standard has our own events, signed as
    Standard Webhooks are."""
    events: Annotated[
        tuple[WebhookEvent, ...],
        Field(min_length=1),
        at_most(items=len(WebhookEvent)),
    ]
    """Which events are sent. history is what the phone had before it was linked, in chunks. presence is who is typing or online,
    sent at once or never. presence, state and link-needed are not sent in CloudAPI, which has no form for them."""
    groups: GroupEvents = GroupEvents.OMIT
    """Omit leaves out what happens in groups, Include sends it. Clients that do not know groups answer a group's member
    privately."""
    secret_name: Annotated[str | None, name_of("a Secret")] = None
    """A Secret of this namespace with the entry signingSecret, by which deliveries are signed, and if need be verifyToken, for
    the handshake of CloudAPI, and authorization, sent as the header of that name. Who sets it, or another url beside it,
    must be allowed to get that Secret. It is mounted into the pod: one that the pod did not have needs the next pod, a
    change of its content counts within two minutes. Default: nothing is signed."""
    headers: Annotated[
        tuple[WebhookHeader, ...],
        at_most(items=bounds.MOST_HEADERS, **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}),
    ] = ()
    """Further headers of each delivery."""


Webhooks = Annotated[
    tuple[WebhookSpec, ...],
    at_most(items=bounds.MOST_WEBHOOKS, **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}),
]
