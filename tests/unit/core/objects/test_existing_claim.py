"""Which claims a session may name as its existing one."""

from typing import Any

import pytest
from whatsapp_operator.core.objects.existing_claim import existing_claim, is_usable

MANAGED = {"app.kubernetes.io/managed-by": "whatsapp-session-operator"}
RELEASED = {"wasession.dev/profile": "true"}
OTHERS = {"wasession.dev/session": "other"}
OWNER = {"apiVersion": "wasession.dev/v1alpha1", "kind": "WhatsAppSession", "name": "other", "uid": "1"}


def usable(labels: dict[str, str], owners: tuple[dict[str, Any], ...] = ()) -> bool:
    """Whether the session "sales" may mount a claim like this."""
    claim = {"metadata": {"name": "mine", "labels": labels, "ownerReferences": list(owners)}}
    return is_usable(existing_claim("mine", claim), "sales")


@pytest.mark.parametrize("value", ["", "True", "TRUE", "yes", "1", "false", "true ", "t"])
def test_it_is_released_by_one_value_alone(value: str) -> None:
    """What is nearly the word releases nothing."""
    assert usable(RELEASED)
    assert not usable({"wasession.dev/profile": value})


@pytest.mark.parametrize(
    ("labels", "owners"),
    [
        (MANAGED | OTHERS | RELEASED, ()),
        (OTHERS | RELEASED, ()),
        (MANAGED | RELEASED, ()),
        (RELEASED, (OWNER,)),
        (RELEASED, ({"kind": "ConfigMap", "apiVersion": "v1", "name": "x"}, OWNER)),
    ],
)
def test_one_trace_of_another_session_is_enough(labels: dict[str, str], owners: tuple[dict[str, Any], ...]) -> None:
    """Removing the other labels of another session's profile does not make it one's own."""
    assert not usable(labels, owners)


def test_ones_own_claim_of_before_is_usable() -> None:
    """Its name is the session's: the operator made it, or a backup brought it back."""
    own = {"wasession.dev/session": "sales"}

    assert usable(MANAGED | own)
    assert usable(RELEASED | own)
    assert not usable(own)


def test_other_owners_say_nothing() -> None:
    """A database's operator owns its claims; its owner may release one all the same."""
    assert usable(RELEASED, ({"apiVersion": "other.dev/v1", "kind": "WhatsAppSession", "name": "x"}, {"kind": 7}))
