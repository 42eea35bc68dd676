"""Operators side by side: each serves the namespaces and quotas that carry its name, and leaves the others alone."""

import pytest
from integration.operator.conftest import Bench


@pytest.mark.usefixtures("instance_rights")
async def test_a_labelled_namespace_is_left_to_its_own_operator(bench: Bench) -> None:
    """The operator without a name passes by; the one of that name serves it, beside the first one."""
    label = {"metadata": {"labels": {"wasession.dev/instance": "demo"}}}
    await bench.quota(sessions=1)
    await bench.admin.patch("namespaces", "", bench.namespace, label)
    await bench.admin.patch("whatsappsessionquotas", "", bench.namespace, label)
    await bench.operator(WATCH_NAMESPACES="", RESYNC_INTERVAL="1s")
    await bench.session("a")

    async def untouched() -> bool:
        return {} == await bench.status("a") and await bench.pod("a") is None

    await bench.stays(untouched, "nothing is done by the other operator", during=3)
    await bench.operator(INSTANCE="demo")

    await bench.reaches("a", "QRPending")
