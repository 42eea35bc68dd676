"""The claim that a session names by `existingClaim`: somebody's own, which its owner has released to sessions.

Without that a session could mount any claim of its namespace: a database's, or another session's login.
"""

from whatsapp_operator.api.constants import PROFILE_LABEL, SESSION_LABEL
from whatsapp_operator.core.model import ExistingClaim
from whatsapp_operator.core.objects import ownership
from whatsapp_operator.core.objects.reading import Json


def existing_claim(name: str, claim: Json | None) -> ExistingClaim:
    """Return the facts of the claim of this name; None: there is none."""
    if claim is None:
        return ExistingClaim(name=name, exists=False)
    made_for = ownership.label(claim, SESSION_LABEL) if ownership.is_managed(claim) else None
    return ExistingClaim(
        name=name, exists=True, released=ownership.label(claim, PROFILE_LABEL) == "true", made_for=made_for
    )


def is_usable(claim: ExistingClaim, session_name: str) -> bool:
    """Whether the session of this name may mount it: released by its owner, or made by the operator for a session of this name."""
    if claim.made_for is not None:
        return claim.made_for == session_name
    return claim.exists and claim.released
