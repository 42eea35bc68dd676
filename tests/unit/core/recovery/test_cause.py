"""What has to be seen of a pod, as the docs have it."""

import pytest
from whatsapp_operator.core.kubelet import Probe
from whatsapp_operator.core.recovery.cause import Sign


@pytest.mark.parametrize(
    ("sign", "expected"),
    [
        (Sign(pod_reason=("Evicted",)), ["pod reason `Evicted`"]),
        (
            Sign(pod_reason=("Evicted",), pod_message=("*low on resource*", "*pressure*")),
            ["pod reason `Evicted`", "message `*low on resource*` or `*pressure*`"],
        ),
        (Sign(disruption=("PreemptionByScheduler",)), ["`DisruptionTarget` `PreemptionByScheduler`"]),
        (Sign(exit_reason=("OOMKilled",)), ["container's reason `OOMKilled`"]),
        (Sign(exit_code=(0, 143)), ["exit code `0` or `143`"]),
        (Sign(exit_code=tuple(range(129, 160))), ["exit code `129-159`"]),
        (Sign(waiting_reason=("ErrImagePull",)), ["waiting reason `ErrImagePull`"]),
        (
            Sign(report=("Crashed/*",), termination_message=("*net::*",)),
            ["termination message `*net::*`", "last report `Crashed/*`"],
        ),
        (Sign(probe=Probe.LIVENESS), ["events `Killing` and `Unhealthy`: *liveness probe failed*"]),
        (Sign(never_started=True), ["no container ever started"]),
        (Sign(unschedulable=True), ["`PodScheduled` is False"]),
    ],
)
def test_the_docs_name_all_that_a_sign_asks_for(sign: Sign, expected: list[str]) -> None:
    """In the words that Kubernetes and the runner use; many exit codes are a range."""
    assert expected == list(sign.description())
