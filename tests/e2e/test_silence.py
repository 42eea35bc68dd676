"""Silence is not failure."""

from e2e.ground import Ground
from e2e.tenant import Tenant, condition, is_true
from e2e.trio import TRIO


def test_an_operator_that_is_cut_off_from_its_runners_touches_none_of_them(e2e: Ground, trio: Tenant) -> None:
    """By a route to nowhere: Unreachable, Ready=Unknown, Linked kept, the same pods; and Connected when it is gone."""
    pods = {name: trio.pod_uid(name) for name in TRIO}
    before = {name: trio.status(name) for name in TRIO}

    with e2e.operator.cut_off():
        told = {name: trio.reaches(name, "Unreachable") for name in TRIO}
        e2e.operator.lists_anew(1)
        still = {name: trio.status(name)["state"] for name in TRIO}
        during = {name: trio.pod_uid(name) for name in TRIO}

    assert dict.fromkeys(TRIO, "Unreachable") == still
    for name in TRIO:
        ready = condition(told[name], "Ready")
        assert ("Unknown", "RunnerUnreachable") == (ready["status"], ready["reason"])
        assert is_true(told[name], "Linked")
        assert before[name]["link"] == told[name]["link"]
    assert pods == during
    after = {name: trio.reaches(name, "Connected") for name in TRIO}
    assert pods == {name: trio.pod_uid(name) for name in TRIO}
    assert before == {name: _untimed(before[name], after[name]) for name in TRIO}


def _untimed(before: dict[str, object], after: dict[str, object]) -> dict[str, object]:
    """The later status with the conditions of the earlier one, whose times of change have passed on."""
    return {**after, "conditions": before["conditions"]}
