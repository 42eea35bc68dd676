"""Operators side by side: each serves the namespaces and quotas that carry its name, and leaves the others alone."""

import pytest
from integration.operator.conftest import OperatorHarness


@pytest.mark.usefixtures("instance_rights")
async def test_a_labelled_namespace_is_left_to_its_own_operator(harness: OperatorHarness) -> None:
    """The operator without a name passes by; the one of that name serves it, beside the first one."""
    label = {"metadata": {"labels": {"wasession.dev/instance": "demo"}}}
    await harness.quota(sessions=1)
    await harness.admin.patch("namespaces", "", harness.namespace, label)
    await harness.admin.patch("whatsappsessionquotas", "", harness.namespace, label)
    await harness.operator(WATCH_NAMESPACES="", RESYNC_INTERVAL="1s")
    await harness.session("a")

    async def untouched() -> bool:
        return {"observedGeneration": -1} == await harness.status("a") and await harness.pod("a") is None

    await harness.check_stays(untouched, "nothing is done by the other operator", during=3)
    await harness.operator(INSTANCE="demo")

    await harness.wait_for_state("a", "QRPending")
