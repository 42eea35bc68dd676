"""The claim that a session names by `existingClaim`: somebody's own, which its owner has released to sessions.

Without that a session could mount any claim of its namespace: a database's, or another session's login.
"""

from whatsapp_operator.api.constants import GROUP, PROFILE_LABEL, SESSION_KIND, SESSION_LABEL
from whatsapp_operator.core.model import ExistingClaim
from whatsapp_operator.core.objects import ownership
from whatsapp_operator.core.objects.reading import Json, part, text


def existing_claim(name: str, claim: Json | None) -> ExistingClaim:
    """Return the facts of the claim of this name; None: there is none."""
    if claim is None:
        return ExistingClaim(name=name, exists=False)
    released = ownership.is_managed(claim) or ownership.label(claim, PROFILE_LABEL) == "true"
    terminating = bool(text(part(claim, "metadata"), "deletionTimestamp"))
    return ExistingClaim(name=name, exists=True, released=released, made_for=_made_for(claim), terminating=terminating)


def _made_for(claim: Json) -> str | None:
    """Return the session that the operator made it for. One trace is enough: somebody may have removed the others."""
    named = ownership.label(claim, SESSION_LABEL)
    if ownership.is_managed(claim) or named:
        return named
    owners = (owner for owner in ownership.owner_references(claim) if owner.get("kind") == SESSION_KIND)
    return next((text(owner, "name") for owner in owners if text(owner, "apiVersion").startswith(f"{GROUP}/")), None)


def is_usable(claim: ExistingClaim, session_name: str) -> bool:
    """Whether the session of this name may mount it: it stays, and its owner released it, or the operator made it for that name."""
    return claim.exists and claim.released and claim.made_for in (None, session_name) and not claim.terminating
