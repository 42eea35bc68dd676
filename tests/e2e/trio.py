"""Three linked sessions that many tests share, because a login takes a minute to be durable: made once, left Connected.

A test does to them what it wants and need not put them back: before the next one they are waited for, and one that
does not come back by itself is made anew, so that one failed test does not fail the others.
"""

import json

from e2e.tenant import Tenant
from session_devtools.errors import WaitTimeout
from support.sessions import has_durable_login, has_no_failures

TRIO = ("sales", "support", "orders")
CRAMMED = "crammed"
""" Linked with them for the same reason, in a namespace of its own, for the test that fills its volume. """


def make(tenant: Tenant) -> None:
    """Create and link them; durable they are a minute later."""
    for name in TRIO:
        tenant.create(name)
    for name in TRIO:
        tenant.link(name)


def settle(tenant: Tenant) -> None:
    """Have all three Connected, running, and without failures counted against them."""
    tenant.limit()
    for name in TRIO:
        try:
            tenant.wait_for_state(name, "Connected")
        except WaitTimeout:
            _make_anew(tenant, name)
        if not has_no_failures().holds(tenant.status(name)):
            _forgive(tenant, name)


def wait_durable(tenant: Tenant) -> None:
    """Wait until every login is safely on disk, so that it outlives a browser that is killed."""
    for name in TRIO:
        tenant.wait_for(name, has_durable_login())


def _make_anew(tenant: Tenant, name: str) -> None:
    tenant.run("delete", "was", name, "--ignore-not-found", timeout=120)
    tenant.run("delete", "pvc", f"{name}-profile", "--ignore-not-found", timeout=120)
    tenant.create(name)
    tenant.link(name)


def _forgive(tenant: Tenant, name: str) -> None:
    """Any edit of the spec begins the count anew, as when a person has mended something."""
    session = tenant.get("was", name) or {}
    patch = json.dumps({"spec": {"priority": session["spec"].get("priority", 0) + 1}})
    tenant.run("patch", "was", name, "--type=merge", f"--patch={patch}")
    tenant.wait_for(name, has_no_failures())
