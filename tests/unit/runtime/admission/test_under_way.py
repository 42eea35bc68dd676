"""Creations that are under way: what a round counts, for how long, and when a place is free again."""

import contextlib

import pytest
from unit.runtime.fakes import FakeClock, settle
from whatsapp_operator.runtime.admission.under_way import LONGEST, UnderWay
from whatsapp_operator.runtime.kube.errors import AlreadyExists, Forbidden, KubeError, RequestTimeout
from whatsapp_operator.runtime.kube.resources import PODS, PVCS

POD = {"metadata": {"name": "sales"}}


class Creations:
    """Creations of one pod after the other."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.freed = 0
        self.under_way = UnderWay(clock=self.clock, freed=self._free)

    def _free(self) -> None:
        self.freed += 1

    def create(self, error: KubeError | None = None, *, counted: bool = False) -> None:
        """Create the pod, with an error or without, and with a round that counts it meanwhile."""
        with contextlib.suppress(KubeError), self.under_way.creating(PODS, POD):
            if counted:
                self.under_way.begin_round()
                assert [POD] == self.under_way.counted(PODS)
            if error is not None:
                raise error

    async def create_in_vain(self, *, seconds: float) -> None:
        """Create the pod, and hear nothing for so long."""
        with self.under_way.creating(PODS, POD):
            await self.clock.advance(seconds)
            raise RequestTimeout("no answer")


def test_a_round_counts_what_has_ended_since_it_began() -> None:
    """It may have come to be after the LIST; the next round finds it in its LIST."""
    creations = Creations()
    creations.under_way.begin_round()
    creations.create()

    assert [POD] == creations.under_way.counted(PODS)
    assert [] == creations.under_way.counted(PVCS)
    creations.under_way.begin_round()
    assert [] == creations.under_way.counted(PODS)


@pytest.mark.parametrize(("error", "freed"), [(Forbidden("no"), 1), (AlreadyExists("it is there"), 0), (None, 0)])
def test_a_place_is_free_when_what_a_round_counted_does_not_come_to_be(error: KubeError | None, freed: int) -> None:
    """And only then is there reason for another round."""
    creations = Creations()
    creations.create(error, counted=True)

    assert freed == creations.freed


def test_what_is_refused_and_in_no_round_is_reason_for_none() -> None:
    """A hundred pods that a ResourceQuota refuses every minute would else lead to one round after the other."""
    creations = Creations()
    creations.under_way.begin_round()
    creations.create(Forbidden("exceeded quota"))

    assert 0 == creations.freed
    assert [] == creations.under_way.counted(PODS)


async def test_what_is_not_answered_counts_for_as_long_as_it_may_come_to_be() -> None:
    """It may have been sent a moment before its time was over."""
    creations = Creations()
    with pytest.raises(RequestTimeout):
        await creations.create_in_vain(seconds=30)
    await creations.clock.advance(LONGEST - 1)
    creations.under_way.begin_round()

    assert [POD] == creations.under_way.counted(PODS)
    await creations.clock.advance(2)
    await settle()
    assert 1 == creations.freed
    creations.under_way.begin_round()
    assert [] == creations.under_way.counted(PODS)
