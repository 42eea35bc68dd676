"""Which seal a claim is due: what it counts in a quota, and by which key."""

import pytest
from unit.core.quota.rounds import session
from unit.core.quota.test_admit_storage import GI, claim, sized
from unit.core.seals import sealed
from whatsapp_operator.core.model import KeyID, SealedKind, SessionUID
from whatsapp_operator.core.quota.storage import due_seal

NEW_KEY = KeyID("key-2")
SEALED = sealed(claim("a", size=3), SealedKind.PVC)


def test_a_claim_that_was_left_behind_keeps_its_amount_under_the_new_key() -> None:
    """Its session is gone, or was never admitted; one without a seal gets none."""
    made = claim("a", size=3)

    for owner in (None, session("a")):
        kept = due_seal(made, seal=SEALED, session=owner, key_id=NEW_KEY)
        assert kept is not None
        assert (NEW_KEY, 3 * GI) == (kept.key_id, kept.storage)
        assert due_seal(made, seal=None, session=owner, key_id=NEW_KEY) is None


def test_an_admitted_sessions_claim_counts_in_its_quota() -> None:
    """Sealed before: what was counted; not yet: no more than the session asks for, however large the claim is."""
    admitted = sized("a", 2, reserved=768)
    again = due_seal(claim("a", size=3), seal=SEALED, session=admitted, key_id=NEW_KEY)
    first = due_seal(claim("a", size=9, forged=True), seal=None, session=admitted, key_id=NEW_KEY)

    assert again is not None
    assert first is not None
    assert [(SessionUID("a"), "default", 3 * GI), (SessionUID("a"), "default", 2 * GI)] == [
        (found.session_uid, found.quota, found.storage) for found in (again, first)
    ]


@pytest.mark.parametrize("profile", [{"existingClaim": "mine"}])
def test_a_claim_that_a_person_made_is_not_sealed(profile: dict[str, str]) -> None:
    """The operator counts what it made."""
    using = session("a", reserved=768, profile=profile)

    assert due_seal(claim("a", size=3, forged=True), seal=None, session=using, key_id=NEW_KEY) is None
