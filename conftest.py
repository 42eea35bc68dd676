"""What all tests share: properties are tried without a clock, since a machine may be busy."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
if "CI" not in os.environ:  # there, hypothesis takes a profile of its own, which tries the same examples each time
    settings.load_profile("busy machine")
