"""The image registry as a process: it serves, and is gone with the one who started it."""

from pathlib import Path

import pytest
from local_cluster.registry import Registry
from session_devtools.processes import identify

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the first one builds it


def test_a_registry_serves_while_it_is_held(tmp_path: Path) -> None:
    """It answers on loopback, is empty at first, and leaves no process behind."""
    with Registry.running(tmp_path) as registry:
        assert registry.address.startswith("127.0.0.1:")
        assert [] == registry.tags("team/whatsapp-runner")
        assert identify(registry.pid) is not None

    assert identify(registry.pid) is None


def test_two_registries_stand_side_by_side(tmp_path: Path) -> None:
    """Each takes a port of its own and a folder that it is given."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    with Registry.running(tmp_path / "a") as first, Registry.running(tmp_path / "b") as second:
        assert first.address != second.address
        assert [] == first.tags("x") == second.tags("x")
