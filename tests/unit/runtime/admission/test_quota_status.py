"""What a round writes into the status of a quota, and when."""

import pytest
from unit.runtime.admission.rounds_harness import Bench
from unit.runtime.memory_api import Fault


async def test_the_quota_says_what_is_counted(running: Bench) -> None:
    """Admitted, waiting and memory, open grants included; written only when it changes."""
    running.quota(sessions=1)
    running.session("a")
    running.session("b")
    for _ in range(2):
        running.admission.request()
        await running.clock.advance(5)

    status = running.quota_status()
    assert (1, 1, "768Mi") == (status["admitted"], status["waiting"], status["memoryReserved"])
    assert 1 == len(running.api.writes)
    assert 2 == running.rounds


async def test_a_quotas_status_is_written_once_a_second_at_most(running: Bench) -> None:
    """A busy minute is not a write per session; the last word is told."""
    running.quota(sessions=500)
    for number in range(40):
        running.session(f"s{number}")
        running.admission.request()
        await running.clock.advance(0.25)
    during = len(running.api.writes)
    await running.clock.advance(3)

    assert during <= 11
    assert 40 == running.quota_status()["admitted"]


@pytest.mark.parametrize("fault", [Fault(status=409), Fault(status=404), Fault(status=500), Fault()])
async def test_a_status_that_could_not_be_written_is_written_later(running: Bench, fault: Fault) -> None:
    """The grants stand; the quota's words follow."""
    running.quota(sessions=1)
    uid = running.session("a")
    running.api.fault = lambda request, _: fault if request.path.endswith("/status") else None
    running.admission.request()
    await running.clock.advance(0.2)
    granted = running.admission.verdict(uid).assumed
    running.api.fault = lambda _request, _number: None
    await running.clock.advance(5)

    assert granted is not None
    assert 1 == running.quota_status()["admitted"]
