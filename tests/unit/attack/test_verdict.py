"""What counts as held, from what was seen."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from attack.verdict import Findings, judge, leaked
from attack.watch import Holder, Observations, Seen
from campaigns.verdicts import percentile

CALM = Seen("Connected", "pod-1", 0)
LEASE = Holder("operator-1", 3)


def _observations(**fields: Any) -> Observations:
    given: dict[str, Any] = {
        "sessions": {"sales": [CALM, CALM]},
        "leases": [LEASE, LEASE],
        "answered": {"sales": [0.03] * 50, "victim": [0.03] * 50},
    }
    return Observations(**(given | fields))


GOOD = Findings(
    before=_observations(),
    during=_observations(answered={"sales": [0.08] * 50, "victim": [0.4] * 50}),
    victim="victim",
    operator_restarts=0,
    texts={"log": "all is well\n"},
    refused={"an image": "forbidden"},
    newcomer=12.0,
    recovered=9.0,
    hoarded=1,
    poisoned={"a pipe": "ProfileUnusable", "a gigabyte": "ProfileUnusable"},
    series=(400, 420),
)


def test_a_quiet_run_holds_in_all_claims() -> None:
    """Nothing was seen that should not be."""
    assert [] == [verdict for verdict in judge(GOOD) if not verdict.held]


BAD: Mapping[str, Mapping[str, Any]] = {
    "leaves Connected": {"during": _observations(sessions={"sales": [CALM, Seen("Reconnecting", "pod-1", 0)]})},
    "another pod": {"during": _observations(sessions={"sales": [CALM, Seen("Connected", "pod-2", 0)]})},
    "restarted container": {"during": _observations(sessions={"sales": [CALM, Seen("Connected", "pod-1", 1)]})},
    "nobody looked": {"during": _observations(sessions={})},
    "Lease": {"during": _observations(leases=[LEASE, Holder("operator-2", 4)])},
    "no Lease seen": {"during": _observations(leases=[])},
    "slow": {"during": _observations(answered={"sales": [0.03] * 40 + [0.1] * 10, "victim": [0.03]})},
    "no answer": {"during": _observations(unanswered=Counter(sales=1))},
    "victim without an answer": {"during": _observations(unanswered=Counter(victim=10))},
    "operator restarts": {"operator_restarts": 1},
    "leak": {"texts": {"log": "x 5ec2e75ec2e7 y"}},
    "terminal": {"texts": {"status": "a\x1b[2J"}},
    "granted": {"refused": {"an image": None}},
    "not admitted": {"newcomer": None},
    "not recovered": {"recovered": None},
    "hoarded": {"hoarded": 2},
    "a trap is gone into": {"poisoned": {"a pipe": "nothing", "a gigabyte": "ProfileUnusable"}},
    "no trap was laid": {"poisoned": {}},
    "series": {"series": (400, 4000)},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_each_harm_is_found(change: Mapping[str, Any]) -> None:
    """One claim fails, and only one."""
    assert 1 == sum(not verdict.held for verdict in judge(dataclasses.replace(GOOD, **change)))


def test_plain_text_in_any_language_is_no_leak() -> None:
    """Letters and dashes are fine; a bell, an override of direction and a planted number are not."""
    assert [] == list(leaked({"log": "Zürich – “fine” → 3\n"}))
    assert ["'\\u202e' in log"] == list(leaked({"log": "a\u202eb"}))
    assert ["5550199 in log"] == list(leaked({"log": "0171/5550199"}))


def test_the_percentile_of_nothing_is_nothing() -> None:
    """Without an answer there is no figure; of a hundred it is the greatest."""
    assert 0.0 == percentile([])
    assert 99 == percentile(range(100))
