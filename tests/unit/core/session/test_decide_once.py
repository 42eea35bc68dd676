"""A decision computes each value once: it goes into each module of the core one time."""

import pytest
from unit.core.session.entries import WALKS, entries

LOOKED_UP = frozenset(
    {
        "objects/container.py",  # the pod's own parts
        "objects/live_settings.py",
        "objects/names.py",
        "recovery/backoff.py",  # arithmetic
        "recovery/cause.py",  # the rows of a table
        "session/messages.py",
    }
)
""" What holds no knowledge of the session: names, sentences, arithmetic. """


@pytest.mark.parametrize("walk", WALKS)
def test_a_decision_enters_each_module_once(walk: str) -> None:
    """A second time would compute something again, or ask piece by piece for what belongs together."""
    counted = entries(WALKS[walk]())

    assert {} == {module: count for module, count in counted.items() if count > 1 and module not in LOOKED_UP}
    assert {"session/holds.py", "session/requests.py", "recovery/attempts.py", "session/status.py"} <= set(counted)
