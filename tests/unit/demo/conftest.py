"""What keeps these tests apart from a demo that plays on this machine, and from each other."""

import uuid

import pytest
from session_demo import cluster_lock


@pytest.fixture(autouse=True)
def _locks_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of the locks are the machine's: each test has others."""
    monkeypatch.setattr(cluster_lock, "PREFIX", f"test-{uuid.uuid4().hex[:12]}-")
