"""Names of a cluster's Services: whose namespace a webhook goes to, for the runner's guard and the operator's word."""

from typing import Final

_DOMAINS: Final = (".svc", ".svc.cluster.local")


def namespace_of(host: str) -> str | None:
    """Return the namespace of a Service's name, NAME.NAMESPACE.svc, with or without the cluster's domain; None: it is none."""
    name = host.lower().removesuffix(".")
    for domain in _DOMAINS:
        if name.endswith(domain):
            service, dot, namespace = name.removesuffix(domain).rpartition(".")
            return namespace if dot and service else None
    return None
