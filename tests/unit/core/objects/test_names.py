"""Names, labels and references of a session's objects."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_protocol.vocabulary import TokenPurpose
from whatsapp_operator.api.constants import MAX_NAME_LENGTH
from whatsapp_operator.api.session import ObjectMeta, SessionSpec, WhatsAppSession
from whatsapp_operator.core.model import KeyID, TokenSource
from whatsapp_operator.core.objects import names
from whatsapp_operator.core.objects.tokens import SCOPES

UID = "3f2b8c1e-9d4a-4e6b-8f7a-0c1d2e3f4a5b"
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")


def session(name: str = "sales", **spec: object) -> WhatsAppSession:
    """Return a session."""
    return WhatsAppSession(
        metadata=ObjectMeta(name=name, namespace="shop", uid=UID), spec=SessionSpec.model_validate(spec)
    )


def test_pod_and_claim_are_named_after_the_session() -> None:
    """Deterministic: a crash between creating and remembering loses nothing."""
    assert "sales" == names.pod_name(session())
    assert "sales-profile" == names.pvc_name(session())
    assert "sales-profile" == names.profile_pvc_name(session())
    assert "theirs" == names.profile_pvc_name(session(profile={"existingClaim": "theirs"}))


def source(key_id: str = "one", renewal: str = "") -> TokenSource:
    """What tokens are made from."""
    return TokenSource(key_id=KeyID(key_id), renewal=renewal)


def test_a_secrets_name_changes_with_its_content() -> None:
    """A Secret is never changed, so another content has another name; the same one has the same."""
    sources = [source(key_id, renewal) for key_id in ("one", "two") for renewal in ("", "now") for _ in range(2)]
    mounted = {names.mounted_secret_name(session(), one, extra_ca=ca) for one in sources for ca in ("", "PEM")}
    others = {name for one in sources for name in names.token_secret_names(session(), one).values()}

    assert (8, 20) == (len(mounted), len(others))
    assert all(re.fullmatch(f"was-{UID}-digests-[0-9a-f]{{12}}", name) for name in mounted)
    assert all(re.fullmatch(f"was-{UID}-[a-z]+-[0-9a-f]{{12}}", name) for name in others)
    assert not mounted & others


def test_the_mounted_secrets_name_shows_which_tokens_a_runner_knows() -> None:
    """Those of a pod of before have no hash of the token for reading, or for messaging, and had another name."""
    assert ("state", "link", "send", "read", "admin") == SCOPES  # other ones need another name
    assert {*TokenPurpose} == names.known_purposes(
        session(), names.mounted_secret_name(session(), source(), extra_ca="")
    )
    older = [names.known_purposes(session(), f"was-{UID}-{segment}-0123456789ab") for segment in ("hashes", "mounted")]
    assert {TokenPurpose.OBSERVING, TokenPurpose.LINKING, TokenPurpose.MESSAGING, TokenPurpose.ADMINISTERING} == older[
        0
    ]
    assert {TokenPurpose.OBSERVING, TokenPurpose.LINKING, TokenPurpose.ADMINISTERING} == older[1]


def test_key_renewal_and_ca_are_not_mixed_up() -> None:
    """What ends one and begins the other is part of the hash."""
    found = {
        names.mounted_secret_name(session(), source("ab"), extra_ca="c"),
        names.mounted_secret_name(session(), source("a", "b"), extra_ca="c"),
        names.mounted_secret_name(session(), source("a"), extra_ca="bc"),
        names.mounted_secret_name(session(), source("a", 'b", "c'), extra_ca=""),
        names.mounted_secret_name(session(), source("a", "b"), extra_ca='c"'),
    }

    assert 5 == len(found)


def test_the_endpoint_is_the_name_in_dns() -> None:
    """Digits first is a fine host name, unlike a Service's name."""
    assert "http://5511999.whatsapp-sessions.shop.svc:8080" == names.endpoint(session("5511999"))


def test_the_selector_finds_the_pod_by_its_labels() -> None:
    """For the scale subresource: each of its parts stands on the pod."""
    wanted = dict(part.split("=") for part in names.selector(session()).split(","))

    assert wanted.items() <= names.labels(session()).items()


def test_a_session_is_an_instance_of_its_kind() -> None:
    """Kubernetes' recommended labels, for tools that group by them; no version, which changes with each release."""
    assert {
        "app.kubernetes.io/name": "whatsapp-session",
        "app.kubernetes.io/instance": "sales",
        "app.kubernetes.io/component": "runner",
        "app.kubernetes.io/part-of": "whatsapp-session-operator",
        "app.kubernetes.io/managed-by": "whatsapp-session-operator",
        "wasession.dev/session": "sales",
        "wasession.dev/session-uid": UID,
    } == names.labels(session())


def test_the_operators_own_objects_are_no_sessions() -> None:
    """Another name and component: what selects sessions does not find them."""
    assert {
        "app.kubernetes.io/name": "whatsapp-session-operator",
        "app.kubernetes.io/instance": "whatsapp-operator-demo",
        "app.kubernetes.io/component": "operator",
        "app.kubernetes.io/part-of": "whatsapp-session-operator",
        "app.kubernetes.io/managed-by": "whatsapp-session-operator",
    } == names.operator_labels("whatsapp-operator-demo")


def test_the_owner_reference_does_not_block() -> None:
    """Blocking would need a right on finalizers."""
    assert {
        "apiVersion": "wasession.dev/v1alpha1",
        "kind": "WhatsAppSession",
        "name": "sales",
        "uid": UID,
        "controller": True,
        "blockOwnerDeletion": False,
    } == names.owner_reference(session())


@given(st.builds("a{}z".format, st.text("ab.-0", max_size=200)))
def test_every_quota_name_makes_a_label(name: str) -> None:
    """Short ones stay, long ones are cut and told apart by a hash."""
    value = names.label_value(name)

    assert LABEL_VALUE.fullmatch(value)
    assert len(value) <= 63
    assert len(name) > 63 or value == name


def test_long_names_that_begin_alike_stay_apart() -> None:
    """The hash is over the whole name."""
    one, other = (names.label_value("q" * 100 + end) for end in "ab")

    assert one != other


@pytest.mark.parametrize("name", ["a" * MAX_NAME_LENGTH, "0", "5511999"])
def test_the_longest_name_fits_everywhere(name: str) -> None:
    """As a label, and as a host name."""
    assert all(len(value) <= 63 for value in names.labels(session(name)).values())
    assert len(names.pod_name(session(name))) <= 63
    assert SUBDOMAIN.fullmatch(names.pvc_name(session(name)))
