"""What counts as held in a soak, from what was seen; and the table of mishaps."""

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Mapping
from contextlib import nullcontext
from random import Random
from typing import Any

import pytest
from soak.mishaps import MISHAPS, Mishap
from soak.traffic import Ledger, reported_ids
from soak.verdict import Findings, Happened, judge
from soak.watch import Look, Record, Sample, Seen, seen_of

WELL = Seen("Connected", "2026-11-29T08:00:00Z", admitted=True, stalled=False, messages="")
ILL = WELL._replace(state="Recovering", messages="Recovering PodLost its pod was deleted")
MISHAP = Mishap(name="a webhook leads nowhere", cause=lambda _site, _victim: nullcontext(), lasts=60, says="webhook")
NAMED = ILL._replace(messages="PodStarting failed calling webhook")


def look(at: float, **sessions: Seen) -> Look:
    """Return one look at two sessions, each with a pod."""
    seen = {"sales": WELL, "support": WELL} | sessions
    return Look(at, seen, dict.fromkeys(seen, 1))


def samples(*, memory: float = 1.0, cpu: float = 1.0, descriptors: float = 1.0) -> list[Sample]:
    """Return what two programs took in two halves; the second as many times that of the first as is said."""
    return [
        Sample(
            time,
            program,
            number,
            int((60 * 2**20) * (memory if time >= 100 else 1)),
            int(40 * (descriptors if time >= 100 else 1)),
            12,
            0.1 * time + (0.1 * (cpu - 1) * (time - 100) if time >= 100 else 0),
        )
        for number, program in enumerate(("operator", "runner"))
        for time in range(0, 201, 5)
    ]


def record(*looks: Look, **more: Any) -> Record:
    """Return what was seen."""
    return Record(looks=list(looks), samples=more.get("samples", samples()))


def ledger(**more: Any) -> Ledger:
    """Return what became of a message each way."""
    one: dict[str, Any] = {
        "taken": {"out 1": "A"},
        "arrived": {"out 1": {"A"}},
        "written": {"B"},
        "reported": Counter(B=2, FIRST=1),
        "grown": {"sales": 17 * 2**20},
        "messages": Counter(sales=20),
    }
    return Ledger(**one | more)


GOOD = Findings(
    record=record(look(0), look(10, sales=ILL), look(20, sales=NAMED), look(90)),
    happened=[Happened(MISHAP, "sales", 5, 65, 12.0)],
    places=2,
    written=[],
    messages=ledger(),
)
BAD: Mapping[str, Mapping[str, Any]] = {
    "two pods": {"record": record(look(20, sales=NAMED)._replace(pods={"sales": 2, "support": 1}))},
    "another login": {
        "record": record(look(0), look(20, sales=NAMED), look(90, sales=WELL._replace(linked="2026-11-29T09:00:00Z")))
    },
    "asks for a phone": {"record": record(look(20, sales=NAMED), look(90, sales=NAMED._replace(state="QRPending")))},
    "too many places": {"places": 1},
    "waits for a person": {"record": record(look(20, sales=NAMED._replace(stalled=True)))},
    "no words": {"record": record(look(20, sales=NAMED), look(30, support=ILL._replace(messages="")))},
    "the cause is not named": {"record": record(look(20, sales=ILL))},
    "the cause is named by another": {"record": record(look(20, sales=ILL, support=NAMED))},
    "noticed": {
        "happened": [Happened(dataclasses.replace(MISHAP, spares=True, says=""), "sales", 5, 65, 1.0)],
    },
    "not back": {"happened": [Happened(MISHAP, "sales", 5, 65, None)]},
    "not brought about": {"happened": [Happened(MISHAP, "sales", 5, 65, 1.0, "no such process")]},
    "nothing happened": {"happened": []},
    "written at rest": {"written": ["patch whatsappsessions/status"]},
    "a message is lost on its way out": {"messages": ledger(arrived={})},
    "a message goes out twice": {"messages": ledger(arrived={"out 1": {"A", "C"}})},
    "nothing was sent": {"messages": ledger(taken={})},
    "a message is not told": {"messages": ledger(reported=Counter())},
    "a profile grows by more": {"messages": ledger(grown={"sales": 40 * 2**20})},
}


def test_a_good_run_holds_in_all_claims() -> None:
    """One session was ill for a while, said why, and came back."""
    assert [] == [verdict for verdict in judge(GOOD) if not verdict.held]


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_each_harm_is_found(change: Mapping[str, Any]) -> None:
    """One claim fails, and only one."""
    assert 1 == sum(not verdict.held for verdict in judge(dataclasses.replace(GOOD, **change)))


@pytest.mark.parametrize("growth", [{"memory": 1.3}, {"cpu": 1.5}, {"descriptors": 1.4}])
def test_growth_is_found_in_both_programs(growth: dict[str, float]) -> None:
    """The second half's figure is held against the first's; a slow machine fails no test by it."""
    grown = dataclasses.replace(GOOD, record=record(*GOOD.record.looks, samples=samples(**growth)))
    failed = [verdict for verdict in judge(grown) if not verdict.held]

    assert 2 == len(failed)
    assert all(verdict.measured for verdict in failed)


def test_figures_of_processes_that_come_and_go_are_a_mean() -> None:
    """A runner of the second half has other processes than one of the first; what each takes is compared."""
    others = [one._replace(pid=one.pid + 10) if one.time >= 100 else one for one in samples()]
    seen = dataclasses.replace(GOOD, record=record(*GOOD.record.looks, samples=others))

    assert [] == [verdict for verdict in judge(seen) if not verdict.held]


def test_messages_are_those_of_what_is_not_well() -> None:
    """Ready when it is not True, Stalled and Recovering when they are."""
    status = {
        "state": "Recovering",
        "conditions": [
            {"type": "Ready", "status": "False", "reason": "PodLost", "message": "gone"},
            {"type": "Stalled", "status": "False", "reason": "NotStalled", "message": "No action is required."},
            {"type": "Recovering", "status": "True", "reason": "PodLost", "message": "a new one comes"},
        ],
    }

    assert "PodLost gone PodLost a new one comes" == seen_of(status).messages
    assert Seen("", "", admitted=False, stalled=False, messages="") == seen_of({})


def test_the_table_is_unambiguous_and_repeatable() -> None:
    """Each mishap has a name of its own, a pattern that compiles, and the same seed gives the same order."""
    assert len(MISHAPS) == len({mishap.name for mishap in MISHAPS})
    assert all(re.compile(mishap.says) for mishap in MISHAPS)
    assert all(mishap.lasts >= 60 for mishap in MISHAPS if mishap.says)
    assert Random(3).sample(MISHAPS, len(MISHAPS)) == Random(3).sample(MISHAPS, len(MISHAPS))


def test_a_webhooks_body_names_its_messages() -> None:
    """The Cloud API's body may hold statuses alone."""
    value = {"messages": [{"id": "A"}, {"id": "B"}]}
    body = {"entry": [{"id": "1", "changes": [{"value": value}, {"value": {"statuses": [{"id": "C"}]}}]}]}

    assert ["A", "B"] == reported_ids(json.dumps(body).encode())
