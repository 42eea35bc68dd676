"""Sessions that can run and sessions that cannot, for hours: nobody starves, nobody waits for each other for ever.

Whatever keeps pods from running ends at some time, and then every session that has room comes up without a command.
"""

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from unit.core.fake_cluster import FakeCluster
from whatsapp_operator.core.decision import CreatePod

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
MINUTE = 60
TIMEOUT = 10
""" Minutes; the operator's default. """


@dataclass(frozen=True)
class Fate:
    """What becomes of one session."""

    arrives: int
    """ Minute. """
    mended: int
    """ The minute from which on its pod can run; 0: always. """
    refused: bool = False
    """ The API server refuses its pod; else the kubelet cannot start it. """


def play(fates: list[Fate], places: int, minutes: int) -> tuple[FakeCluster, dict[str, int]]:
    """Let them live; return the cluster and the minute in which each session ran first."""
    cluster, ran = FakeCluster(), {}
    cluster.set_quota(sessions=places)
    for minute in range(minutes):
        for number, fate in enumerate(fates):
            name = f"s{number}"
            if fate.arrives == minute:
                cluster.apply(name)
            if name not in cluster.sessions:
                continue
            cluster.refuse = {CreatePod} if fate.refused and minute < fate.mended else set()
            cluster.look(name)
            pod = cluster.pods.get(name)
            if pod is not None and "deletionTimestamp" in pod["metadata"]:
                cluster.gone(name)
            elif pod is not None and pod["status"]["phase"] == "Pending":
                if minute >= fate.mended:
                    cluster.run(name)
                    ran[name] = minute
                else:
                    cluster.wait(name, reason="ImagePullBackOff")
            cluster.look(name)
        cluster.refuse = set()
        cluster.admission_round()
        assert len(cluster.pods) <= places
        cluster.tick(MINUTE)
    return cluster, ran


fates = st.builds(
    Fate, arrives=st.integers(0, 30), mended=st.sampled_from([0, 0, 45, 90, 10**6]), refused=st.booleans()
)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(fates, min_size=2, max_size=5), st.integers(1, 3))
@example([Fate(0, 10**6), Fate(0, 10**6), Fate(1, 0)], 1)
@example([Fate(0, 10**6), Fate(0, 45), Fate(0, 10**6, refused=True)], 1)
@example([Fate(0, 90), Fate(0, 90)], 1)
@example([Fate(0, 10**6, refused=True), Fate(0, 10**6), Fate(0, 10**6), Fate(0, 10**6), Fate(2, 0)], 2)
def test_who_can_run_runs_within_a_turn_of_each_other(fates: list[Fate], places: int) -> None:
    """A place that is free or held by one that cannot run is theirs within a turn of each of those."""
    cluster, ran = play(fates, places, minutes=150)

    can = [number for number, fate in enumerate(fates) if fate.mended < 10**6]
    cannot = len(fates) - len(can)
    running = [name for name, pod in cluster.pods.items() if pod["status"]["phase"] == "Running"]
    assert len(running) >= min(places, len(can))
    if len(can) <= places:
        for number in can:
            fate, name = fates[number], f"s{number}"
            asked = max(fate.arrives, fate.mended)
            # A turn of each that cannot run, its own wait outside, and some minutes for looking at it each minute.
            assert ran[name] - asked <= (len(fates) - 1 + cannot) * (TIMEOUT + 3) + TIMEOUT + 5


def test_one_that_cannot_run_makes_no_storm_of_pods() -> None:
    """For half a day, with nobody else there: some pods an hour, and a status that is written with each."""
    cluster, ran = play([Fate(0, 10**6)], 1, minutes=12 * 60)

    assert {} == ran
    pods = sum(isinstance(action, CreatePod) for action in cluster.done)
    assert 30 <= pods <= 42
    assert cluster.status_writes <= 8 * pods
