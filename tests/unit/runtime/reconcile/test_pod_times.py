"""When things happened to pods, by the operator's own clock."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support.facts import pod_facts
from unit.runtime.fakes import START
from whatsapp_operator.core.model import PodUID
from whatsapp_operator.runtime.reconcile.pod_times import LATE, PodTimes

POD = pod_facts("p", created=START)
HOUR, YEARS = timedelta(hours=1), timedelta(days=3653)
WRONG = pytest.mark.parametrize("wrong", [HOUR, -HOUR, YEARS, -YEARS])


def running(*before: PodUID) -> PodTimes:
    """Return the times of a process that found these pods when it began."""
    times = PodTimes()
    times.first_listed(before)
    return times


def test_right_stamps_stay() -> None:
    """To the second."""
    pod = replace(POD, started=START + timedelta(seconds=1))

    assert pod == running().corrected(pod, now=START + timedelta(seconds=2))


@WRONG
def test_a_creation_that_was_seen_is_of_then(wrong: timedelta) -> None:
    """Whatever the API server's clock says, and at every later look the same."""
    times = running()
    pod = replace(POD, created=START + wrong)
    first = times.corrected(pod, now=START)
    later = times.corrected(pod, now=START + HOUR)

    assert START - LATE <= first.created <= START
    assert first.created == later.created


@WRONG
def test_a_start_and_an_end_that_were_seen_are_of_then(wrong: timedelta) -> None:
    """Whatever the node's clock says."""
    times, later = running(POD.uid), START + timedelta(minutes=5)
    times.corrected(POD, now=START)
    started = times.corrected(replace(POD, started=START + wrong), now=later)
    ended = replace(POD, started=START + wrong, finished=START + wrong, deletion=START + wrong)
    end = times.corrected(ended, now=later + HOUR)

    assert started.started is not None
    assert later - LATE <= started.started <= later
    assert started.started == end.started
    assert end.finished is not None
    assert end.deletion is not None
    assert later + HOUR - LATE <= min(end.finished, end.deletion) <= later + HOUR


def test_what_was_before_is_as_its_stamps_say() -> None:
    """A new process has nothing better."""
    old = replace(POD, created=START - 3 * HOUR, started=START - 2 * HOUR)

    assert old == running(POD.uid).corrected(old, now=START)


def test_what_was_before_lies_before_now_and_in_order() -> None:
    """Nothing of it is still to come, and no container started before its pod was made."""
    ahead = replace(POD, created=START + YEARS, started=START + YEARS)
    behind = replace(POD, uid=PodUID("q"), created=START - HOUR, started=START - YEARS, finished=START - 2 * YEARS)
    times = running(PodUID("p"), PodUID("q"))
    first, second = times.corrected(ahead, now=START), times.corrected(behind, now=START)

    assert (START, START) == (first.created, first.started)
    assert (START - HOUR,) * 3 == (second.created, second.started, second.finished)


def test_what_is_gone_is_forgotten() -> None:
    """Not so what is still there, be it only because a decision is about it."""
    times = running()
    pod = replace(POD, created=START + HOUR)
    times.corrected(pod, now=START)
    times.retain({POD.uid})
    times.retain({POD.uid})
    listed = times.corrected(pod, now=START + HOUR)
    times.retain(set())
    asked = times.corrected(pod, now=START + HOUR)
    times.retain(set())
    times.retain(set())
    anew = times.corrected(pod, now=START + HOUR)

    assert (START, START, START + HOUR) == (listed.created, asked.created, anew.created)
