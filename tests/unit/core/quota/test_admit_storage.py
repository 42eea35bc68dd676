"""Admission rounds of quotas that limit storage: which claims count, and for how long."""

from decimal import Decimal
from typing import Any

import pytest
from unit.core.quota.rounds import MI, NOW, let_in, pod, quota, round_, session
from unit.core.seals import seal
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import KeyID, Seal, SealedKind, SessionUID
from whatsapp_operator.core.quota.admit import admit
from whatsapp_operator.core.quota.reservations import Usage

GI = 2**30


def claim(
    name: str, *, size: int, namespace: str = "shop", quota: str = "default", uid: str = "", forged: bool = False
) -> Any:
    """Return a session's claim of so many Gi, which the operator made; or a forged one in its colours."""
    made = {
        "metadata": {
            "name": f"{name}-profile",
            "namespace": namespace,
            "labels": {"app.kubernetes.io/managed-by": "whatsapp-session-operator", "wasession.dev/session": name},
        },
        "spec": {"resources": {"requests": {"storage": f"{size}Gi"}}},
    }
    sealing = Seal(key_id=KeyID("key-1"), session_uid=SessionUID(uid or name), quota=quota, storage=size * GI)
    return made if forged else seal(made, sealing, kind=SealedKind.PVC)


def sized(name: str, size: int, *, storage: int | None = None, **more: Any) -> WhatsAppSession:
    """Return a session that wants a claim of so many Gi; `storage`: what is reserved for it, in Gi."""
    made = session(name, profile={"size": f"{size}Gi"}, **more)
    admission = made.status.admission
    if admission is None or storage is None:
        return made
    admission = admission.model_copy(update={"storage": Decimal(storage * GI)})
    return made.with_status(made.status.model_copy(update={"admission": admission}))


def test_the_storage_limit_and_its_text() -> None:
    """Storage is the claims' sizes; what is given names it, so that status can."""
    result = round_(sized("a", 6), sized("b", 3, age=1), quotas=(quota(storage="8Gi"),))

    assert ["a"] == let_in(result)
    assert [6 * GI] == [given_.storage for given_ in result.assumed_reservations]
    message = result.refusals[SessionUID("b")].message
    assert message.startswith("Maximum session storage limit reached (8Gi).")
    assert "volume claims" in message
    assert Usage(admitted=1, waiting=1, memory=768 * MI, storage=6 * GI) == result.usage["default"]


def test_twenty_sessions_through_one_place_leave_no_more_than_the_limit() -> None:
    """A deleted or suspended session's claim counts as long as it is there."""
    pvcs: list[Any] = []
    for number in range(20):
        name = f"s{number}"
        if let_in(round_(sized(name, 10), pvcs=pvcs, quotas=(quota(sessions=1, storage="25Gi"),))):
            pvcs.append(claim(name, size=10))

    assert 2 == len(pvcs)
    suspended = sized("s0", 10, operatingMode="Suspended")
    usage = round_(suspended, pvcs=pvcs, quotas=(quota(storage="25Gi"),)).usage["default"]
    assert Usage(storage=20 * GI) == usage


def test_a_claim_and_its_session_count_once() -> None:
    """Also when the claim is an earlier session's of this name, and the larger of both sizes counts."""
    admitted = sized("a", 3, reserved=768, storage=3)
    limits = (quota(storage="10Gi"),)

    assert 3 * GI == round_(admitted, pvcs=[claim("a", size=3)], quotas=limits).usage["default"].storage
    assert 5 * GI == round_(admitted, pvcs=[claim("a", size=5, uid="old")], quotas=limits).usage["default"].storage


def test_who_brings_a_claim_that_counts_already_is_let_in_over_a_lowered_limit() -> None:
    """Its session was suspended, or is applied anew: nothing more is taken."""
    limits = (quota(storage="1Gi"),)

    assert ["a"] == let_in(round_(sized("a", 3), pvcs=[claim("a", size=3)], quotas=limits))
    assert [] == let_in(round_(sized("a", 4), pvcs=[claim("a", size=3)], quotas=limits))


@pytest.mark.parametrize("namespace", ["shop", "elsewhere"])
def test_a_claim_in_our_colours_takes_no_storage(namespace: str) -> None:
    """Nor does one with a copied seal, nor a session's spec that nobody admitted."""
    forged = [
        claim("a", size=2**30, namespace=namespace, forged=True),
        claim("a", size=3) | {"metadata": claim("a", size=3)["metadata"] | {"name": "b-profile"}},
    ]
    waiting = sized("w", 2**30, operatingMode="Suspended")

    result = round_(sized("a", 3), waiting, pvcs=forged, quotas=(quota(storage="3Gi"),))

    assert ["a"] == let_in(result)
    assert 3 * GI == result.usage["default"].storage


def test_an_edit_of_the_size_takes_no_storage_before_it_is_counted() -> None:
    """Neither of a session that was admitted with a size nor of one that was admitted before there was a limit."""
    limits = (quota(storage="10Gi"),)
    counted = sized("a", 9, reserved=768, storage=2)
    before = sized("b", 9, reserved=768)

    given_ = round_(counted, pods=(pod("a"),), quotas=limits).usage["default"]
    kept = round_(before, pods=(pod("b"),), pvcs=[claim("b", size=2, forged=True)], quotas=limits).usage["default"]

    assert (2 * GI, 2 * GI) == (given_.storage, kept.storage)


def test_who_was_admitted_before_the_limit_keeps_what_it_has() -> None:
    """It does not apply for it, however low the limit is; for a larger claim it does."""
    limits = (quota(storage="1Gi"),)
    has = [claim("a", size=3)]

    assert ({}, []) == (
        dict(round_(sized("a", 3, reserved=768), pvcs=has, quotas=limits).refusals),
        let_in(round_(sized("a", 3, reserved=768), pvcs=has, quotas=limits)),
    )
    assert ["a"] == list(round_(sized("a", 4, reserved=768), pvcs=has, quotas=limits).refusals)


def test_a_claim_of_ones_own_takes_no_storage() -> None:
    """The operator made none: the person did, and may make others."""
    result = round_(session("a", profile={"existingClaim": "theirs"}), quotas=(quota(storage="1Mi"),))

    assert ["a"] == let_in(result)
    assert 0 == result.usage["default"].storage


def test_without_a_storage_limit_nothing_is_asked_of_claims() -> None:
    """Their seals are not read, status says nothing of them."""
    result = admit(
        sessions=[sized("a", 3)],
        pods=(),
        quotas=[quota(), quota("gold", memory="1Gi")],
        assumed_reservations=(),
        pvcs=[claim("a", size=3)],
        read_seal=lambda *_: pytest.fail("a seal was read"),
        now=NOW,
    )

    assert [None] == [given_.storage for given_ in result.assumed_reservations]
    assert Usage(admitted=1, memory=768 * MI) == result.usage["default"]
