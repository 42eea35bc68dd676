"""What all tests share: how properties are tried, which tests count branches, and what cannot run on every machine.

Properties have no deadline, since a machine may be busy. Among the fast tests each is tried with a few examples, the same
each time, so that neither their time nor the floor of the coverage is a matter of luck; with all of them in
`make test-slow`, and whenever a file is run by itself.
"""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent
PURE = tuple(ROOT / "tests/unit" / name for name in ("api", "core", "protocol", "runner", "test_bounds.py"))
""" The tests of what decides and does no I/O. """

settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "few", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, max_examples=10
)
if "CI" not in os.environ:  # there, hypothesis takes a profile of its own, which tries the same examples each time
    settings.load_profile("busy machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests of the pure packages alone count branches: counting makes a test twice as slow."""
    for item in items:
        if not {item.path, *item.path.parents}.intersection(PURE):
            item.add_marker("no_cover")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs root where we are not, and say so."""
    if item.get_closest_marker("root") is not None and os.geteuid() != 0:
        pytest.skip("needs root on Debian: a kubelet, mounts, network namespaces")
