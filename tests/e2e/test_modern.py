"""The page of 2026: the same life, on the stand-in's other generation."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from e2e.harness import ClusterHarness
from e2e.tenant import Tenant
from session_devtools.installation import transformers
from session_devtools.installation.constants import NAMESPACE
from session_devtools.installation.install import pod_of, rollout
from support.waiting import until


def _switch(e2e: ClusterHarness, mode: str) -> None:
    """Let the stand-in serve the page of this mode; it forgets its devices."""
    deployment = e2e.kubectl.find("deployment", "standin", namespace=NAMESPACE)
    assert deployment is not None
    e2e.kubectl.apply(*transformers.with_mode([deployment], mode))
    rollout(e2e.kubectl, "standin", NAMESPACE)
    pod = until("the stand-in anew", lambda: pod_of(e2e.kubectl, "standin"), lambda name: name != e2e.phone.pod)
    e2e.phone = replace(e2e.phone, pod=pod)


@pytest.fixture
def modern(e2e: ClusterHarness) -> Iterator[None]:
    """The stand-in in modern mode."""
    _switch(e2e, "modern")
    yield
    _switch(e2e, "legacy")


@pytest.mark.usefixtures("modern")
def test_the_modern_page_is_linked_and_its_login_survives_a_deleted_pod(e2e: ClusterHarness, tenant: Tenant) -> None:
    """From QR code to Connected, and back after a graceful deletion, by the same operator and the same image."""
    tenant.phone = e2e.phone
    tenant.create("sales")
    linked = tenant.link("sales")
    tenant.delete_pod("sales")
    tenant.wait_for_recovery("sales", after=linked)

    # One document for each pod: the page was never loaded a second time. By the browser's profile, since a pod that the
    # demo left may have come for a document, too.
    loads = e2e.phone.request("/loads")["loads"]
    profiles = {load["profile"] for load in loads if load["device"] == tenant.devices["sales"]}
    assert 2 == sum(load["profile"] in profiles for load in loads)
