"""The session's way out, and what its page says of where it is: a proxy, a language and a time zone.

A proxy's login is a Secret that somebody names and the operator never reads: it is mounted into the pod. Who may name it
is a matter of admission (`manifests/base/operator/policies/pod-fields.yaml`).
"""

from typing import Annotated

from pydantic import Field
from session_protocol.environment import Variable
from session_protocol.vocabulary import ProxyType

from whatsapp_operator.api.base import SpecModel
from whatsapp_operator.api.pod_options import name_of
from whatsapp_operator.api.rules import Rule, validations

_LABEL = "[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
_HOST = Rule(
    f"self.matches('^{_LABEL}([.]{_LABEL})*$') || isIP(self)",
    "must be a host name or an address, such as proxy.example.com, 10.0.0.5 or fd00::5: without scheme, port and login",
)
_LANGUAGE = Rule(
    "self.matches('^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$')",
    "must be a BCP 47 language tag such as pt-BR, de or zh-Hant-TW: language, and script and region if need be",
)
# The API server knows the zones, as it does for CronJobs; one that it does not know it names before the message. Without
# the first part a distance to UTC would pass.
_TIME_ZONE = Rule(
    "self.matches('^(UTC|[A-Z][A-Za-z0-9]*(/[A-Z][-A-Za-z0-9_+]*){1,2})$') "
    "&& timestamp('2026-01-01T00:00:00Z').getFullYear(self) > 0",
    "must be a time zone of the IANA database such as America/Sao_Paulo, Europe/Berlin or UTC",
)


class ProxySpec(SpecModel):
    """The proxy through which all of the browser's connections go. It resolves the names; nothing goes past it."""

    type: Annotated[ProxyType, Variable.PROXY_TYPE] = ProxyType.HTTP
    """HTTP: by the method CONNECT, which the proxy has to allow for port 443. SOCKS5: version 5, with names resolved by the
    proxy, as curl's socks5h."""
    host: Annotated[str, Field(min_length=1, max_length=253, json_schema_extra=validations(_HOST)), Variable.PROXY_HOST]
    """The proxy's name or address. The namespace's NetworkPolicy lets pods out to public addresses on port 443; for
    another proxy whoever runs the operator sets NETWORK_POLICY_EGRESS, or a NetworkPolicy of yours opens the way."""
    port: Annotated[int, Field(ge=1, le=65535, json_schema_extra={"format": "int32"}), Variable.PROXY_PORT]
    """The proxy's port."""
    login_secret_name: Annotated[str, name_of("a Secret")] | None = None
    """A Secret of this namespace with the entries username and password, such as one of type kubernetes.io/basic-auth. Who
    sets it, or the proxy beside it, must be allowed to get that Secret. It is mounted into the pod, and a change of it
    counts within two minutes. Default: no login."""


class BrowserSpec(SpecModel):
    """What the page learns of its surroundings."""

    language: Annotated[
        str | None, Field(max_length=12, json_schema_extra=validations(_LANGUAGE)), Variable.BROWSER_LANGUAGE
    ] = None
    """The language of the page, a BCP 47 tag. In other languages than English some windows of the page are not recognised:
    they show as ActionRequired. Default: en-US."""
    time_zone: Annotated[
        str | None, Field(max_length=64, json_schema_extra=validations(_TIME_ZONE)), Variable.BROWSER_TIME_ZONE
    ] = None
    """The time zone of the page, a name of the IANA database such as America/Sao_Paulo. Default: UTC."""
