"""Secrets that sessions name: whoever names one must be allowed to get it, and the operator mounts known entries alone."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from api_client import ApiClient
from local_cluster.light import LightCluster
from manifests.asking import TAKEN, create, patch
from support.waiting import until
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import Defaults, KeyID
from whatsapp_operator.core.objects.pod import pod_manifest

Json = dict[str, Any]
NAMESPACE, OTHER = "policy-secrets", "policy-secrets-other"
UID = "33333333-3333-3333-3333-333333333333"
OWN = "whatsapp-operator"
PROXY = {"type": "HTTP", "host": "proxy.example.com", "port": 3128, "loginSecretName": "login"}
HOOK = {
    "name": "bot",
    "url": "https://bot.example.com/",
    "format": "CloudAPI",
    "events": ["message"],
    "secretName": "login",
}
LINK = {"phoneNumberSecretName": "login"}


def session(name: str = "sales", **spec: Any) -> Json:
    """A session in the test's namespace."""
    return {
        "apiVersion": "wasession.dev/v1alpha1",
        "kind": "WhatsAppSession",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": spec,
    }


def lacks(user: str, secret: str) -> str:
    """The words of the refusal."""
    return (
        f"denied request: {user} may not name Secret {secret} in a session: its pod would read it, and that needs the "
        f"right to get this Secret in namespace {NAMESPACE}"
    )


@pytest.fixture(scope="module")
def cluster(installed: LightCluster) -> Iterator[LightCluster]:
    """A namespace where kim and rea write sessions; rea may get the Secret login, and kim every Secret of another one."""
    for namespace in (NAMESPACE, OTHER):
        installed.kubectl("create", "namespace", namespace)
    installed.kubectl("create", "serviceaccount", "default", "-n", NAMESPACE)
    get = ("--verb=get", "--resource=secrets")
    installed.kubectl("create", "role", "login-reader", *get, "--resource-name=login", "-n", NAMESPACE)
    installed.kubectl("create", "role", "reader", *get, "-n", OTHER)
    installed.kubectl("create", "rolebinding", "rea", "--role=login-reader", "--user=rea", "-n", NAMESPACE)
    installed.kubectl("create", "rolebinding", "kim", "--role=reader", "--user=kim", "-n", OTHER)
    for user in ("kim", "rea"):
        for role in ("whatsapp-sessions-edit", "whatsapp-sessions-view"):
            installed.kubectl(
                *("create", "rolebinding", f"{role}-{user}", f"--clusterrole={role}", f"--user={user}", "-n", NAMESPACE)
            )
    yield installed
    installed.kubectl("delete", f"namespace/{NAMESPACE}", f"namespace/{OTHER}", "--wait=false")


@pytest.fixture(scope="module")
def kim(cluster: LightCluster) -> ApiClient:
    """Somebody who may get no Secret here."""
    asking = ApiClient(cluster, "kim", "people")
    until("the policy is in force", lambda: create(asking, session(proxy=PROXY)), lambda answer: answer != TAKEN)
    return asking


@pytest.fixture(scope="module")
def rea(cluster: LightCluster) -> ApiClient:
    """Somebody who may get the one."""
    return ApiClient(cluster, "rea", "people")


@pytest.fixture
def stored(cluster: LightCluster) -> Iterator[Json]:
    """A session behind a proxy with a login, whose telephone number is in a Secret; stored by an admin."""
    admin = ApiClient(cluster)
    made = session("stored", proxy=PROXY, link=LINK, webhooks=[HOOK])
    assert TAKEN == create(admin, made, dry_run=False)
    yield made
    admin.request("DELETE", f"/apis/wasession.dev/v1alpha1/namespaces/{NAMESPACE}/whatsappsessions/stored")


def test_who_names_a_secret_must_be_allowed_to_get_it(kim: ApiClient, rea: ApiClient) -> None:
    """This one, in this namespace; a proxy without a login needs no right."""
    asked = session(proxy=PROXY)

    assert lacks("kim", "login") in create(kim, asked)
    assert TAKEN == create(rea, asked)
    assert lacks("rea", "bank") in create(rea, session(proxy=PROXY | {"loginSecretName": "bank"}))
    assert TAKEN == create(kim, session(proxy={"host": "proxy.example.com", "port": 3128}))


def test_who_names_the_secret_of_a_number_must_be_allowed_to_get_it(
    kim: ApiClient, rea: ApiClient, stored: Json
) -> None:
    """In a new session and in one that names another so far."""
    asked = session(link=LINK)
    change = {"spec": {"link": {"phoneNumberSecretName": "bank"}}}

    assert lacks("kim", "login") in create(kim, asked)
    assert TAKEN == create(rea, asked)
    assert lacks("rea", "bank") in patch(rea, stored, change)


def test_who_names_the_secret_of_a_webhook_must_be_allowed_to_get_it(
    kim: ApiClient, rea: ApiClient, stored: Json
) -> None:
    """Also with another address beside it, which would receive the token in it; a webhook without one needs no right."""
    asked, elsewhere = session(webhooks=[HOOK]), HOOK | {"url": "https://evil.example.com/"}

    assert lacks("kim", "login") in create(kim, asked)
    assert TAKEN == create(rea, asked)
    assert lacks("kim", "login") in patch(kim, stored, {"spec": {"webhooks": [elsewhere]}})
    assert TAKEN == patch(rea, stored, {"spec": {"webhooks": [elsewhere]}})
    assert lacks("rea", "bank") in patch(rea, stored, {"spec": {"webhooks": [HOOK | {"secretName": "bank"}]}})
    assert TAKEN == create(kim, session(webhooks=[{key: HOOK[key] for key in HOOK if key != "secretName"}]))


@pytest.mark.parametrize("place", range(4))
def test_each_webhook_counts(rea: ApiClient, place: int) -> None:
    """Also beside a proxy and a number: all that a session can name."""
    named = [HOOK | {"name": f"bot-{number}"} for number in range(4)]
    asked = session(proxy=PROXY, link=LINK, webhooks=named)
    named[place] = named[place] | {"secretName": "bank"}

    assert TAKEN == create(
        rea, asked | {"spec": {**asked["spec"], "webhooks": [HOOK | {"name": f"bot-{n}"} for n in range(4)]}}
    )
    assert "may not name Secret" in create(rea, session(proxy=PROXY, link=LINK, webhooks=named))


@pytest.mark.parametrize(
    "change",
    [
        {"operatingMode": "Suspended"},
        {"webhooks": [HOOK | {"events": ["ack"]}]},
        {"webhooks": None},
        {"link": {"maxRounds": 3}},
        {"proxy": {"loginSecretName": None}},
        {"proxy": None},
        {"link": {"phoneNumberSecretName": None}},
    ],
    ids=[
        "suspend",
        "another event",
        "without webhooks",
        "another field",
        "without the login",
        "without the proxy",
        "without the number",
    ],
)
def test_an_edit_that_leaves_it_alone_or_takes_it_out_passes(kim: ApiClient, stored: Json, change: Json) -> None:
    """Who may write sessions works with one to which others gave a login."""
    assert TAKEN == patch(kim, stored, {"spec": change})


@pytest.mark.parametrize(
    ("change", "secret"),
    [
        ({"loginSecretName": "bank"}, "bank"),
        ({"host": "evil.example.com"}, "login"),
        ({"port": 3129}, "login"),
        ({"type": "SOCKS5"}, "login"),
    ],
    ids=["another Secret", "another host", "another port", "another type"],
)
def test_a_login_is_not_sent_to_another_proxy_by_who_may_not_get_it(
    kim: ApiClient, rea: ApiClient, stored: Json, change: Json, secret: str
) -> None:
    """Whoever chooses the proxy receives the login."""
    asked = {"spec": {"proxy": change}}

    assert lacks("kim", secret) in patch(kim, stored, asked)
    assert (TAKEN == patch(rea, stored, asked)) == (secret == "login")


@pytest.fixture(scope="module")
def operator(cluster: LightCluster) -> ApiClient:
    """The operator's account."""
    client = ApiClient(
        cluster, f"system:serviceaccount:{OWN}:{OWN}", "system:serviceaccounts", f"system:serviceaccounts:{OWN}"
    )
    naked = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x", "namespace": NAMESPACE}}
    until("the policy is in force", lambda: create(client, naked), bool)
    return client


def pod(**secret: Any) -> Json:
    """The pod of a session with a proxy's login and a webhook, the login's volume changed."""
    stored = WhatsAppSession.parse(
        {
            "metadata": {"name": "sales", "namespace": NAMESPACE, "uid": UID},
            "spec": {"proxy": PROXY, "webhooks": [HOOK]},
        }
    )
    made = copy.deepcopy(dict(pod_manifest(stored, Defaults(runner_image="example.com/runner:1", key_id=KeyID("k1")))))
    (volume,) = [volume for volume in made["spec"]["volumes"] if volume["name"] == "proxy-login"]
    volume["secret"] |= secret
    return made


def test_the_login_of_a_proxy_and_the_secret_of_a_webhook_are_mounted(operator: ApiClient) -> None:
    """By the name that somebody gave its Secret."""
    assert TAKEN == create(operator, pod())


def test_no_other_entry_of_a_webhooks_secret_is_mounted(operator: ApiClient) -> None:
    """As of any other Secret that a session names."""
    asked = pod()
    (volume,) = [volume for volume in asked["spec"]["volumes"] if volume["name"].startswith("webhook-")]
    volume["secret"]["items"].append({"key": "pin", "path": "pin"})

    assert "the entries of a Secret that a session may name" in create(operator, asked)


@pytest.mark.parametrize(
    "items",
    [[{"key": "pin", "path": "username"}], [{"key": "username", "path": "a"}, {"key": "pin", "path": "b"}], []],
    ids=["another entry", "one more", "all entries"],
)
def test_no_other_entry_is_mounted(operator: ApiClient, items: list[Json]) -> None:
    """Whoever gets hold of the operator's account reads no key of a certificate and no token by way of a pod."""
    assert "the entries of a Secret that a session may name" in create(operator, pod(items=items))


def test_the_entries_are_mounted_by_their_own_volume_alone(operator: ApiClient) -> None:
    """A volume of another name has no entries of foreign Secrets."""
    asked = pod()
    items = [{"key": "username", "path": "username"}]
    asked["spec"]["volumes"].append({"name": "extra", "secret": {"secretName": "bank", "items": items}})

    assert "the entries of a Secret that a session may name" in create(operator, asked)
