"""Silence is not failure."""

from e2e.harness import ClusterHarness
from e2e.tenant import Tenant
from e2e.trio import TRIO
from support.sessions import condition, is_true


def test_an_operator_that_is_cut_off_from_its_runners_touches_none_of_them(e2e: ClusterHarness, trio: Tenant) -> None:
    """By a route to nowhere: Unreachable, Ready=Unknown, Linked kept, the same pods; and Connected when it is gone."""
    pods = {name: trio.pod_uid(name) for name in TRIO}
    before = {name: trio.status(name) for name in TRIO}

    with e2e.operator.cut_off():
        reported = {name: trio.wait_for_state(name, "Unreachable") for name in TRIO}
        e2e.operator.wait_for_resyncs(1)
        still = {name: trio.status(name)["state"] for name in TRIO}
        during = {name: trio.pod_uid(name) for name in TRIO}

    assert dict.fromkeys(TRIO, "Unreachable") == still
    for name in TRIO:
        ready = condition(reported[name], "Ready")
        assert ("Unknown", "RunnerUnreachable") == (ready["status"], ready["reason"])
        assert is_true(reported[name], "Linked")
        assert before[name]["link"] == reported[name]["link"]
    assert pods == during
    after = {name: trio.wait_for_state(name, "Connected") for name in TRIO}
    assert pods == {name: trio.pod_uid(name) for name in TRIO}
    assert before == {name: _untimed(before[name], after[name]) for name in TRIO}


def _untimed(before: dict[str, object], after: dict[str, object]) -> dict[str, object]:
    """The later status with the earlier one's times of change, which have passed on."""
    return {**after, **{name: before[name] for name in ("conditions", "stateTransitionTime")}}
