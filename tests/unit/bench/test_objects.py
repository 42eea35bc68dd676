"""The two sides of a comparison differ in one thing only."""

import copy
from decimal import Decimal
from typing import Any

import pytest
from session_bench import objects
from whatsapp_operator.api.quota import WhatsAppSessionQuota
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import Defaults, KeyID
from whatsapp_operator.core.objects.pod import pod_manifest

SECRET = {"data": {"state": "YQ==", "link": "Yg=="}}


@pytest.fixture(name="pod")
def make_pod() -> dict[str, Any]:
    """The operator's pod, as the API server gives it back from a node."""
    written = objects.session("sales")
    session = WhatsAppSession.model_validate(written | {"metadata": written["metadata"] | {"uid": "uid-1"}})
    pod = copy.deepcopy(dict(pod_manifest(session, Defaults(runner_image="localhost/runner:1", key_id=KeyID("key")))))
    pod["spec"] |= {"nodeName": "bench", "serviceAccountName": "default", "tolerations": [], "priority": 0}
    return pod


def test_objects_fit_the_api() -> None:
    """A typo would be refused minutes into a run."""
    session = WhatsAppSession.model_validate(objects.session("sales", recovery={"healthyAfter": "5s"}))

    assert objects.QUOTA == session.spec.quota_name
    assert Decimal(256 * 2**20) == session.spec.profile.wanted_size
    assert objects.QUOTA == WhatsAppSessionQuota.model_validate(objects.quota()).metadata.name


def test_hand_made_pod_runs_the_very_same_container(pod: dict[str, Any]) -> None:
    """Image, environment, probes, resources and folders are the operator's."""
    made = objects.hand_made(pod, SECRET, "by-hand")[2]

    assert pod["spec"]["containers"] == made["spec"]["containers"]
    assert pod["spec"]["securityContext"] == made["spec"]["securityContext"]
    assert [one["name"] for one in pod["spec"]["volumes"]] == [one["name"] for one in made["spec"]["volumes"]]


def test_hand_made_pod_has_its_own_claim_and_secret(pod: dict[str, Any]) -> None:
    """Nothing is shared with the session it was copied from."""
    pvc, secret, made = objects.hand_made(pod, SECRET, "by-hand")
    text = str(made)

    assert pvc["metadata"]["name"] in text
    assert secret["metadata"]["name"] == objects.secret_of(made)
    assert SECRET["data"] | objects.PLAIN_TOKENS == secret["data"]
    assert "sales-profile" not in text
    assert objects.secret_of(pod) not in text


def test_hand_made_pod_is_nobodys(pod: dict[str, Any]) -> None:
    """No label and no owner: the operator leaves it alone. The scheduler places it."""
    made = objects.hand_made(pod, SECRET, "by-hand")[2]

    assert {"name": "by-hand", "namespace": objects.NAMESPACE} == made["metadata"]
    assert "nodeName" not in made["spec"]


def test_the_operators_pod_is_not_changed(pod: dict[str, Any]) -> None:
    """It serves as the model of every round."""
    before = copy.deepcopy(pod)
    objects.hand_made(pod, SECRET, "by-hand")
    objects.sleeping(pod, "asleep")

    assert before == pod


def test_sleeping_pod_has_image_and_limits_but_no_volume(pod: dict[str, Any]) -> None:
    """It shows what any pod costs on this node."""
    made = objects.sleeping(pod, "asleep")["spec"]

    assert pod["spec"]["containers"][0]["image"] == made["containers"][0]["image"]
    assert pod["spec"]["containers"][0]["resources"] == made["containers"][0]["resources"]
    assert "volumes" not in made


def test_sleeping_pod_may_have_a_volume_of_its_own(pod: dict[str, Any]) -> None:
    """As large as a session's, so that both wait for the same."""
    claim, made = objects.sleeping_with_volume(pod, "asleep")
    session_claim = objects.hand_made(pod, SECRET, "by-hand")[0]

    assert session_claim["spec"] == claim["spec"]
    assert [{"name": "profile", "persistentVolumeClaim": {"claimName": "asleep-profile"}}] == made["spec"]["volumes"]
    assert ["/profile"] == [mount["mountPath"] for mount in made["spec"]["containers"][0]["volumeMounts"]]
