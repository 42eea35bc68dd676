"""A quota that limits storage: claims are made and grown when it has counted them, and not before."""

from decimal import Decimal

from unit.core.fake_cluster import FakeCluster
from unit.core.seals import sealed
from whatsapp_operator.core.decision import PatchPVC
from whatsapp_operator.core.model import SealedKind

GI = 2**30


def cluster(*, limit: str | None = "3Gi", size: str = "1Gi") -> FakeCluster:
    """Return a cluster with a running session whose claim has this size."""
    made = FakeCluster()
    made.set_quota(**({"storage": limit} if limit else {}))
    made.apply(spec={"profile": {"size": size}})
    made.settle()
    return made


def claim_size(made: FakeCluster) -> str:
    """Return the size of the session's claim."""
    return str(made.pvcs["sales-profile"]["spec"]["resources"]["requests"]["storage"])


def sealed_storage(made: FakeCluster) -> int | None:
    """Return the size that the claim is sealed with."""
    seal = sealed(made.pvcs["sales-profile"], SealedKind.PVC)
    return seal.storage if seal is not None else None


def test_the_size_is_in_status_and_in_the_claims_seal() -> None:
    """The reservation before the claim is made, the seal with it."""
    made = cluster()

    admission = made.status().admission
    assert admission is not None
    assert (Decimal(GI), GI) == (admission.storage, sealed_storage(made))


def test_without_a_limit_status_says_nothing_and_a_claim_grows_at_once() -> None:
    """As it always did; the seal follows, so that it counts if it is left behind."""
    made = cluster(limit=None)
    made.apply(spec={"profile": {"size": "9Gi"}})
    made.resync()

    admission = made.status().admission
    assert admission is not None
    assert (None, "9Gi", 9 * GI) == (admission.storage, claim_size(made), sealed_storage(made))


def test_a_running_sessions_claim_waits_for_the_next_pod() -> None:
    """It is told, and nothing is taken meanwhile."""
    made = cluster()
    made.apply(spec={"profile": {"size": "2Gi"}})
    made.settle()
    message = made.condition("PodReady").message
    waiting = claim_size(made), made.admission_round().usage["default"].storage

    made.delete_pod()
    made.settle()

    assert ("1Gi", GI) == waiting
    assert "takes effect with the next pod" in message
    assert ("2Gi", 2 * GI) == (claim_size(made), sealed_storage(made))
    assert "takes effect with the next pod" not in made.condition("PodReady").message


def test_a_claim_does_not_grow_beyond_the_limit() -> None:
    """The session waits, and is told which limit it is; with the old size it goes on."""
    made = cluster()
    made.apply(spec={"profile": {"size": "10Ti"}})
    made.delete_pod()
    made.settle()
    refused = made.condition("Admitted")

    assert ("False", "QuotaExceeded") == (refused.status, refused.reason)
    assert refused.message.startswith("Maximum session storage limit reached (3Gi).")
    assert ("1Gi", []) == (claim_size(made), list(made.pods))

    made.apply(spec={"profile": {"size": "1Gi"}})
    made.settle()
    assert ["sales"] == list(made.pods)


def test_a_suspended_sessions_claim_does_not_grow() -> None:
    """It has no place, so nothing counts the difference."""
    made = cluster()
    made.apply(spec={"operatingMode": "Suspended", "profile": {"size": "2Gi"}})
    made.settle()
    suspended = claim_size(made)

    made.apply(spec={"profile": {"size": "2Gi"}})
    made.settle()

    assert ("1Gi", "2Gi") == (suspended, claim_size(made))


def test_a_limit_that_comes_later_stops_growth_and_nobody() -> None:
    """Who was admitted before keeps its pod and its claim, and gets another pod whenever it needs one."""
    made = cluster(limit=None, size="5Gi")
    made.set_quota(storage="1Gi")
    made.delete_pod()
    made.settle()
    goes_on = list(made.pods), claim_size(made)

    made.apply(spec={"profile": {"size": "6Gi"}})
    made.settle()

    assert (["sales"], "5Gi") == goes_on
    assert "5Gi" == claim_size(made)
    assert not any(isinstance(action, PatchPVC) for action in made.done)


def test_a_size_edited_between_admission_and_creation_is_asked_for() -> None:
    """The claim is made no larger than what was counted."""
    made = FakeCluster()
    made.set_quota(storage="3Gi")
    made.apply(spec={"profile": {"size": "1Gi"}})
    made.resync_until_reserved()
    made.pvcs.clear()
    made.apply(spec={"profile": {"size": "10Ti"}})

    made.settle()

    assert {} == made.pvcs
    assert ("False", "QuotaExceeded") == made.says("Admitted")


def test_other_changes_of_a_claim_do_not_wait() -> None:
    """Whether it goes with its session is no question of its size."""
    made = cluster()
    made.apply(spec={"profile": {"size": "2Gi", "retention": "Delete"}})
    made.resync()

    assert "1Gi" == claim_size(made)
    assert made.pvcs["sales-profile"]["metadata"]["ownerReferences"]
