"""Whose an object is, read out of its JSON in one place."""

import re
from pathlib import Path
from typing import Any

import pytest
import whatsapp_operator
from whatsapp_operator.core.objects import ownership

OPERATOR = Path(whatsapp_operator.__file__).parent
MANAGED = {"app.kubernetes.io/managed-by": "whatsapp-session-operator"}


def obj(*, owners: list[dict[str, Any]] | None = None, **metadata: Any) -> dict[str, Any]:
    """Return an object named a with this metadata."""
    return {"metadata": {"name": "a", "ownerReferences": owners or [], **metadata}}


def owner(uid: str, *, name: str = "a", kind: str = "WhatsAppSession", **more: Any) -> dict[str, Any]:
    """Return an owner reference."""
    return {"kind": kind, "name": name, "uid": uid, **more}


@pytest.mark.parametrize(
    "metadata", [None, 7, {}, {"labels": None, "annotations": [], "ownerReferences": {"uid": "u"}}]
)
def test_an_object_of_odd_shape_is_nobodys(metadata: Any) -> None:
    """Reading never fails."""
    odd = {"metadata": metadata}

    assert (False, "", None, None) == (
        ownership.is_managed(odd),
        ownership.instance(odd),
        ownership.session_uid(odd),
        ownership.quota_name(odd),
    )
    assert (None, None, None, ()) == (
        ownership.controller_uid(odd),
        ownership.own_pods_session(odd),
        ownership.key_id(odd),
        ownership.owner_references(odd),
    )
    assert (set(), set()) == (ownership.possible_session_uids(odd), ownership.possible_session_names(odd))


def test_the_controller_is_the_owner_that_says_so() -> None:
    """Other owners only have the object deleted with them."""
    assert ownership.controller_uid(obj(owners=[owner("u-1"), owner("u-2", controller=True)])) == "u-2"
    assert ownership.controller_uid(obj(owners=[owner("u-1", controller="yes")])) is None


def test_a_pod_of_another_name_is_a_persons() -> None:
    """The operator names a pod after its session."""
    assert ownership.own_pods_session(obj(owners=[owner("u-1", controller=True)])) == "u-1"
    assert ownership.own_pods_session(obj(owners=[owner("u-1", name="b", controller=True)])) is None


def test_managed_for_a_session_needs_both_labels() -> None:
    """Its name alone is anybody's."""
    assert ownership.is_managed_for(obj(labels={**MANAGED, "wasession.dev/session": "a"}), "a")
    assert not ownership.is_managed_for(obj(labels={**MANAGED, "wasession.dev/session": "b"}), "a")
    assert not ownership.is_managed_for(obj(labels={"wasession.dev/session": "a"}), "a")


def test_every_sign_of_a_session_is_followed() -> None:
    """A label, a name and an owner may each be the only one."""
    pod = obj(
        owners=[owner("u-1", name="b"), owner("u-2", name="c", kind="Job")],
        labels={"wasession.dev/session": "d", "wasession.dev/session-uid": "u-3"},
    )

    assert ownership.possible_session_uids(pod) == {"u-1", "u-2", "u-3"}
    assert ownership.possible_session_names(pod) == {"a", "b", "d"}


def test_the_annotation_has_a_quotas_whole_name() -> None:
    """A label may be too short for it; pods made before the annotation have the label alone."""
    labels = {"wasession.dev/quota": "short"}

    assert ownership.quota_name(obj(labels=labels, annotations={"wasession.dev/quota": "whole"})) == "whole"
    assert ownership.quota_name(obj(labels=labels)) == "short"


def test_nothing_else_reads_ownership_out_of_json() -> None:
    """A second reader would decide differently one day."""
    reads = re.compile(r"""["'](?:labels|annotations|ownerReferences)["'][\])]""")
    readers = {
        str(path.relative_to(OPERATOR))
        for path in OPERATOR.rglob("*.py")
        if any(reads.search(line) for line in path.read_text(encoding="utf-8").splitlines())
    }

    # The two others complete a manifest that they have just built.
    assert {"core/objects/ownership.py", "core/objects/pod.py", "core/objects/pvc.py"} == readers
