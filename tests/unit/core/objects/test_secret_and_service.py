"""The Secret without its bytes, and the namespace's Service."""

import pytest
from session_protocol.token_hashes import OPERATOR_FILE
from session_protocol.vocabulary import TokenPurpose, TokenScope
from whatsapp_operator.api.session import ObjectMeta, SessionSpec, WhatsAppSession
from whatsapp_operator.core.model import Defaults, KeyID, Manifest, PodTokens, PodUID
from whatsapp_operator.core.objects import names
from whatsapp_operator.core.objects.pod import pod_manifest
from whatsapp_operator.core.objects.secret import EXTRA_CA_KEY, create_mounted_secret, create_token_secrets
from whatsapp_operator.core.objects.service import service_manifest

SESSION = WhatsAppSession(metadata=ObjectMeta(name="sales", namespace="shop", uid="u"), spec=SessionSpec())
DEFAULTS = Defaults(runner_image="r:1", key_id=KeyID("key-1"), extra_ca="PEM")


def manifests() -> dict[str | None, Manifest]:
    """The Secrets of the next pod, by their purpose; None: the one that it mounts."""
    made = (
        create_mounted_secret(SESSION, DEFAULTS),
        *create_token_secrets(SESSION, PodTokens(pod_uid=PodUID("p"), source=names.token_source(SESSION, DEFAULTS))),
    )
    return {action.purpose: action.manifest for action in made}


@pytest.mark.parametrize("purpose", [None, *TokenPurpose])
def test_a_secret_is_immutable_and_goes_with_the_session(purpose: TokenPurpose | None) -> None:
    """Another key is another Secret."""
    manifest = manifests()[purpose]

    assert manifest["immutable"]
    assert [names.owner_reference(SESSION)] == manifest["metadata"]["ownerReferences"]
    assert names.labels(SESSION) | {"wasession.dev/key-id": "key-1"} == manifest["metadata"]["labels"]


def test_the_core_never_holds_bytes() -> None:
    """The runtime fills them in."""
    for manifest in manifests().values():
        assert not {"data", "stringData"} & manifest.keys()
    assert "PEM" not in str(manifests())


def test_the_pod_mounts_the_secret_of_the_same_settings() -> None:
    """Name for name, and it is none of those with tokens."""
    volumes = {volume["name"]: volume for volume in pod_manifest(SESSION, DEFAULTS)["spec"]["volumes"]}
    created = {purpose: manifest["metadata"]["name"] for purpose, manifest in manifests().items()}

    assert created[None] == volumes["tokens"]["secret"]["secretName"]
    assert 6 == len({*created.values()})


def test_the_ca_is_no_scope() -> None:
    """Its entry collides with no token's, and neither does the operator's key."""
    assert 2 == len({EXTRA_CA_KEY, OPERATOR_FILE} - {str(scope) for scope in TokenScope})


def test_the_service_gives_every_pod_its_name_ready_or_not() -> None:
    """Headless, unready pods too, and it finds the pods by labels that they have."""
    service = service_manifest("shop")
    pod = pod_manifest(SESSION, DEFAULTS)

    assert ("whatsapp-sessions", "shop") == (service["metadata"]["name"], service["metadata"]["namespace"])
    assert ("None", True) == (service["spec"]["clusterIP"], service["spec"]["publishNotReadyAddresses"])
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert pod["spec"]["subdomain"] == service["metadata"]["name"]
    (port,) = service["spec"]["ports"]
    assert pod["spec"]["containers"][0]["ports"][0]["name"] == port["targetPort"]
    assert "ownerReferences" not in service["metadata"]


def test_the_service_is_of_no_single_session() -> None:
    """It has the labels of a session's objects, with its own name in place of a session's."""
    labels = service_manifest("shop")["metadata"]["labels"]

    assert names.recommended_labels("whatsapp-sessions").items() <= labels.items()
    assert labels.keys() == {name for name in names.labels(SESSION) if name.startswith("app.kubernetes.io/")}
