"""The acts whose promise is that nothing happens: what they report of a cluster that keeps it, and of one that does not."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from fake_time import FakeTime
from session_demo.cluster_client import ClusterClient
from session_demo.manifests import LINKED
from session_demo.report import Report
from session_demo.scenario import leave_alone
from session_devtools.installation.constants import NAMESPACE
from session_devtools.installation.phone import Phone
from support.fake_kubectl import Cluster, kubectl, thing

SALES = LINKED[0]
STALLED = {"type": "Stalled", "status": "True", "message": "Another window has it."}


@dataclass(frozen=True, kw_only=True)
class TakenOver(Phone):
    """A phone whose other window has the session; the page of which is then opened so often by itself."""

    reopened: int
    asked: list[str] = field(default_factory=list)

    def request(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Answer like the stand-in."""
        del body
        self.asked.append(path)
        taken = "/phone/device-1/replaced" in self.asked
        return {"byDevice": {"device-1": 3 + (self.reopened if taken else 0)}}


@pytest.fixture(name="report")
def make_report() -> Report:
    """A report on a clock of its own."""
    time = FakeTime()
    return Report(out=io.StringIO(), clock=time.read, sleep=time.sleep)


def play(report: Report, *, reopened: int) -> None:
    """The act, in a cluster where the session is in Conflict from the first look on."""
    conflict = thing(
        "WhatsAppSession", SALES, namespace=NAMESPACE, status={"state": "Conflict", "conditions": [STALLED]}
    )
    pod = thing("Pod", SALES, namespace=NAMESPACE)
    pod["metadata"]["uid"] = "pod-1"
    found = kubectl(Cluster(objects=[conflict, pod]))
    phone = TakenOver(kubectl=found, pod="standin", token="", reopened=reopened)
    leave_alone(report, ClusterClient(kubectl=found, phone=phone), device="device-1")


def test_a_conflict_that_is_left_alone_is_as_promised(report: Report) -> None:
    """The page was opened as often as before, and the pod is the same."""
    play(report, reopened=0)

    assert [] == report.failures


def test_a_session_that_takes_itself_back_is_a_miss(report: Report) -> None:
    """Its page was opened once more, which the stand-in counts: that is what the act is there to tell."""
    play(report, reopened=1)

    assert [
        "the page of sales was not opened again; seen: openings of the page so far: 4; before: 3"
    ] == report.failures
