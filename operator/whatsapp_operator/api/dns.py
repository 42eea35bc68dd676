"""How names are resolved in a session's pod, field by field as in a pod.

The page's names are looked up by the browser: a company's own resolver is set here. Which hosts the page may be loaded
from is the operator's setting and stays so, whatever a name resolves to.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from whatsapp_operator.api.bounds import at_most
from whatsapp_operator.api.rules import Rule, validations
from whatsapp_operator.api.scheduling import PassedOn

_ADDRESS = Rule("isIP(self)", "must be an IP address such as 10.0.0.53 or fd00::53, not a name")
_DOMAIN = Rule(
    "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*[.]?$')",
    "must be a domain such as corp.example.com: lower case letters, digits, '-' and '.', each part beginning and ending "
    "with a letter or digit",
)
_OPTION = Rule(
    "self.matches('^[A-Za-z0-9]([-A-Za-z0-9_]*[A-Za-z0-9])?$')",
    "must be the name of one resolver option, such as ndots: letters, digits, '-' and '_'; its value stands in value",
)
_OPTION_VALUE = Rule(
    "self.matches('^[-A-Za-z0-9_.]*$')",
    "must be a resolver option's value, such as 2: letters, digits, '-', '_' and '.'",
)
RESOLVER = Rule(
    "!has(self.dnsPolicy) || self.dnsPolicy != 'None' || (has(self.dnsConfig) && has(self.dnsConfig.nameservers) && "
    "self.dnsConfig.nameservers.size() > 0)",
    "with dnsPolicy None the pod has no resolver but yours: add dnsConfig.nameservers, or remove dnsPolicy",
    field=".dnsPolicy",
)
""" Of the block that holds dnsPolicy and dnsConfig. """


class DNSPolicy(StrEnum):
    """Where the pod's resolver comes from. The policy for pods on the node's own network is not among them."""

    CLUSTER_FIRST = "ClusterFirst"
    DEFAULT = "Default"
    NONE = "None"


class DNSOption(PassedOn):
    """An option of the resolver."""

    name: Annotated[str, Field(max_length=63, json_schema_extra=validations(_OPTION))]
    """The option's name, such as ndots."""
    value: Annotated[str, Field(max_length=63, json_schema_extra=validations(_OPTION_VALUE))] | None = None
    """Its value, for options that have one."""


class DNSConfig(PassedOn):
    """Resolvers, search domains and options, beside those of the policy."""

    nameservers: Annotated[
        tuple[Annotated[str, Field(max_length=45, json_schema_extra=validations(_ADDRESS))], ...], Field(max_length=3)
    ] = ()
    """Addresses of resolvers, asked before the policy's."""
    searches: Annotated[
        tuple[Annotated[str, Field(max_length=254, json_schema_extra=validations(_DOMAIN))], ...], at_most(items=8)
    ] = ()
    """Domains in which a short name is looked for, after the policy's."""
    options: Annotated[tuple[DNSOption, ...], at_most(items=16)] = ()
    """Options of the resolver; one that the policy sets too is replaced."""
