"""What all tests share: how properties are tried, and what cannot run on every machine.

Without a clock, since a machine may be busy; for the coverage with a few examples, the same each time, so that the
floor is neither slow nor a matter of luck.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "coverage", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, max_examples=10
)
if "CI" not in os.environ:  # there, hypothesis takes a profile of its own, which tries the same examples each time
    settings.load_profile("busy machine")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs root where we are not, and say so."""
    if item.get_closest_marker("root") is not None and os.geteuid() != 0:
        pytest.skip("needs root on Debian: a kubelet, mounts, network namespaces")
