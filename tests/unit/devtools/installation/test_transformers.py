"""From rendered manifests to the objects of this run: images, authority, mode, marks."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from session_devtools.errors import InstallError
from session_devtools.installation import transformers
from session_devtools.installation.transformers import Images

IMAGES = Images(operator="r/operator:1", runner="r/runner:2", standin="r/standin:3")


def deployment(name: str, container: str, **more: Any) -> dict[str, Any]:
    """A Deployment of one container, as kustomize renders one."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "somewhere"},
        "spec": {"template": {"spec": {"containers": [{"name": container, "image": "dev", **more}]}}},
    }


def container(item: dict[str, Any]) -> dict[str, Any]:
    """The one container of a Deployment."""
    (found,) = item["spec"]["template"]["spec"]["containers"]
    return dict(found)


def service() -> dict[str, Any]:
    """Something else than a Deployment."""
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "page"}}


def test_rendered_objects_are_read_in_order() -> None:
    """Empty documents, which kustomize may leave, are none."""
    rendered = "---\n".join(["", yaml.safe_dump(service()), "", yaml.safe_dump(deployment("a", "operator"))])

    assert ["Service", "Deployment"] == [item["kind"] for item in transformers.parse_objects(rendered)]


def test_an_empty_rendering_has_no_objects() -> None:
    """It is not a fault here; whoever needs an operator says so."""
    assert [] == transformers.parse_objects("")


def test_images_are_put_in_by_the_containers_name() -> None:
    """The operator's and the stand-in's, each into its own Deployment; other objects stay as they are."""
    found = transformers.with_images([service(), deployment("o", "operator"), deployment("s", "standin")], IMAGES)

    assert service() == found[0]
    assert ["r/operator:1", "r/standin:3"] == [container(item)["image"] for item in found[1:]]


def test_the_runners_image_is_a_setting_of_the_operator() -> None:
    """The one variable is changed, its neighbours are not."""
    env = [{"name": "RUNNER_IMAGE", "value": "dev"}, {"name": "INSTANCE", "value": "demo"}]

    (found,) = transformers.with_images([deployment("o", "operator", env=env)], IMAGES)

    assert [{"name": "RUNNER_IMAGE", "value": "r/runner:2"}, {"name": "INSTANCE", "value": "demo"}] == container(found)[
        "env"
    ]


def test_a_container_that_nobody_knows_is_a_fault() -> None:
    """An image that is silently left would be one that no node has."""
    with pytest.raises(KeyError, match="sidecar"):
        transformers.with_images([deployment("o", "sidecar")], IMAGES)


def test_another_authority_is_another_pod() -> None:
    """The stamp follows the authority's content and nothing else, so an unchanged operator is not restarted."""
    stamps = []
    for authority in ("one", "one", "two"):
        (found,) = transformers.with_ca_hash([deployment("o", "operator")], authority)
        stamps.append(found["spec"]["template"]["metadata"]["annotations"][transformers.CA_HASH_ANNOTATION])

    assert hashlib.sha256(b"one").hexdigest() == stamps[0]
    assert stamps[0] == stamps[1]
    assert stamps[0] != stamps[2]


def test_the_stamp_is_one_that_a_replica_set_may_put_on_a_pod() -> None:
    """Below wasession.dev/ is what the operator alone may write: its own Deployment would get no second pod."""
    (found,) = transformers.with_ca_hash([deployment("o", "operator")], "one")

    assert [] == [
        key for key in found["spec"]["template"]["metadata"]["annotations"] if key.startswith("wasession.dev/")
    ]


def test_the_stamp_keeps_other_annotations() -> None:
    """Such as the container that `kubectl logs` shows."""
    given = deployment("o", "operator")
    given["spec"]["template"]["metadata"] = {"annotations": {"kubectl.kubernetes.io/default-container": "operator"}}

    (found,) = transformers.with_ca_hash([given], "one")

    assert "operator" == found["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"]


@pytest.mark.parametrize("before", [[], ["--mode=legacy", "--listen=0.0.0.0"], ["--listen=0.0.0.0", "--mode=modern"]])
def test_the_mode_is_set_once(before: list[str]) -> None:
    """Whatever the manifest said before; the other arguments stay."""
    (found,) = transformers.with_mode([deployment("s", "standin", args=before)], "modern")

    arguments = container(found)["args"]
    assert ["--mode=modern"] == [argument for argument in arguments if argument.startswith("--mode=")]
    assert [argument for argument in before if "mode" not in argument] == [
        argument for argument in arguments if "mode" not in argument
    ]


def test_a_mark_keeps_other_labels() -> None:
    """And makes labels where there are none."""
    found = transformers.with_part_of_label([{"metadata": {"labels": {"a": "b"}}}, {"metadata": {}}])

    mark = {"app.kubernetes.io/part-of": "whatsapp-demo"}
    assert [{"a": "b", **mark}, mark] == [item["metadata"]["labels"] for item in found]


def test_the_operators_namespace_is_its_deployments() -> None:
    """The authority's ConfigMap has to be there."""
    assert "somewhere" == transformers.operator_namespace([service(), deployment("o", "operator")])


def test_manifests_without_an_operator_are_refused() -> None:
    """Somebody may have named the wrong folder."""
    with pytest.raises(InstallError, match="hold no operator"):
        transformers.operator_namespace([service()])


def test_the_authority_is_put_beside_the_operator() -> None:
    """Under the name and key that the manifests mount."""
    made = transformers.ca_config_map(namespace="ops", ca="PEM")

    assert ("ConfigMap", "extra-ca", "ops", {"ca.crt": "PEM"}) == (
        made["kind"],
        made["metadata"]["name"],
        made["metadata"]["namespace"],
        made["data"],
    )


def test_the_stand_ins_secrets(tmp_path: Path) -> None:
    """Its certificates and the phone's token, encoded as the API wants them; nothing else of the folder goes in."""
    for name in ("ca.crt", "tls.crt", "tls.key", "ca.key"):
        (tmp_path / name).write_bytes(name.encode())

    tls, token = transformers.standin_secrets(tls=tmp_path, phone_token="secret")

    decoded = {name: base64.b64decode(value).decode() for name, value in tls["data"].items()}
    assert {name: name for name in ("ca.crt", "tls.crt", "tls.key")} == decoded
    assert b"secret" == base64.b64decode(token["data"]["token"])
    assert ["standin-tls", "standin-token"] == [item["metadata"]["name"] for item in (tls, token)]
    assert {"whatsapp-demo"} == {item["metadata"]["namespace"] for item in (tls, token)}
