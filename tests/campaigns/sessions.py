"""Many linked sessions in a namespace of their own."""

from collections.abc import Sequence
from typing import Any

from e2e.harness import ClusterHarness
from e2e.tenant import Tenant
from session_devtools.progress import Progress

AT_ONCE = 5
""" Sessions that start side by side: more browsers than that would only wait for each other. """


def linked(e2e: ClusterHarness, names: Sequence[str], progress: Progress, **spec: Any) -> Tenant:
    """Have these sessions Connected."""
    tenant = Tenant.make(e2e.kubectl, e2e.phone)
    for first in range(0, len(names), AT_ONCE):
        some = names[first : first + AT_ONCE]
        with progress.step(f"linking {some[0]} to {some[-1]}"):
            for name in some:
                tenant.create(name, **spec)
            for name in some:
                tenant.link(name)
    return tenant
