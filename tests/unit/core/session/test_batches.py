"""Which actions may be asked for at once."""

from session_protocol.vocabulary import TokenPurpose
from whatsapp_operator.core.decision import (
    Action,
    CreateNetworkPolicy,
    CreatePod,
    CreatePVC,
    CreateSecret,
    CreateService,
    DeletePod,
    PatchPVC,
    ReadClaim,
    batches,
    before_pod,
)
from whatsapp_operator.core.model import KeyID, Manifest, PodUID, TokenSource

NOTHING = Manifest({})
SERVICE, POLICY, CLAIM = (
    CreateService(manifest=NOTHING),
    CreateNetworkPolicy(manifest=NOTHING),
    CreatePVC(manifest=NOTHING),
)
POD = CreatePod(manifest=NOTHING)


def secret(purpose: TokenPurpose | None) -> CreateSecret:
    """Return the creation of a Secret."""
    return CreateSecret(manifest=NOTHING, source=TokenSource(key_id=KeyID("key"), renewal=""), purpose=purpose)


def test_what_a_pod_needs_is_created_at_once_and_the_pod_after_it() -> None:
    """Its policy stands before it runs, and who wants the tokens waits for the pod."""
    people = [secret(purpose) for purpose in TokenPurpose]
    actions: list[Action] = [SERVICE, POLICY, CLAIM, secret(None), POD, *people]

    assert [(SERVICE, POLICY, CLAIM, secret(None)), (POD,), (people[0],), tuple(people[1:])] == batches(actions)
    assert [(CLAIM,), (people[0],)] == batches([CLAIM, people[0]])


def test_what_a_pod_needs_may_be_made_before_its_reservation_is_stored() -> None:
    """Up to the pod, or to what has to be done by itself."""
    patch = PatchPVC(name="sales-profile", patch={}, reason="its size")

    assert (SERVICE, POLICY, CLAIM, secret(None)) == before_pod([SERVICE, POLICY, CLAIM, secret(None), POD])
    assert (SERVICE,) == before_pod([SERVICE, patch, CLAIM, POD])
    assert () == before_pod([POD])


def test_what_changes_or_deletes_is_for_itself() -> None:
    """In the order of the decision."""
    delete = DeletePod(name="sales", uid=PodUID("1"), reason="lost")
    patch = PatchPVC(name="sales-profile", patch={}, reason="its size")
    actions: list[Action] = [ReadClaim(name="mine"), delete, delete, CLAIM, patch, POD]

    assert [(ReadClaim(name="mine"),), (delete,), (delete,), (CLAIM,), (patch,), (POD,)] == batches(actions)
    assert [] == batches([])
