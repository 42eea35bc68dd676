"""overlays/namespaced: rights in the watched namespaces, and cluster-wide those on quotas and namespaces alone."""

import itertools
from typing import Any

import pytest
from manifests.rendering import documents, render

Right = tuple[str, str, str]
CLUSTER_WIDE = {
    ("wasession.dev", "whatsappsessionquotas", "list"),
    ("wasession.dev", "whatsappsessionquotas", "watch"),
    ("wasession.dev", "whatsappsessionquotas/status", "patch"),
    ("", "namespaces", "get"),
    ("", "namespaces", "list"),
}
OVERLAYS = {
    "overlays/namespaced": ("whatsapp-operator", "shop"),
    "overlays/demo-current": ("whatsapp-operator-demo", "whatsapp-demo"),
}


def rights(role: dict[str, Any]) -> set[Right]:
    """The rules of a role, one by one."""
    return {
        right
        for rule in role["rules"]
        for right in itertools.product(rule["apiGroups"], rule["resources"], rule["verbs"])
        if "resourceNames" not in rule
    }


def bound(found: list[dict[str, Any]], account: str) -> dict[str, set[Right]]:
    """What is bound to the account, by namespace; empty: everywhere."""
    roles = {(item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]): item for item in found}
    given: dict[str, set[Right]] = {}
    for item in found:
        subject = {"kind": "ServiceAccount", "name": account, "namespace": account}
        if item["kind"] in ("RoleBinding", "ClusterRoleBinding") and subject in item["subjects"]:
            namespace = item["metadata"].get("namespace")
            role = roles[item["roleRef"]["kind"], namespace, item["roleRef"]["name"]]
            given.setdefault(namespace or "", set()).update(rights(role))
    return given


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_rights_are_where_the_sessions_are(overlay: str) -> None:
    """Together they are the base's: nothing is missing in a watched namespace, and nothing is left elsewhere."""
    account, watched = OVERLAYS[overlay]
    base = bound(list(documents(render("base"))), "whatsapp-operator")
    own = {("events.k8s.io", "events", "create"), ("events.k8s.io", "events", "patch"), ("", "secrets", "create")}

    given = bound(list(documents(render(overlay))), account)

    assert {"", watched, account} == given.keys()
    assert CLUSTER_WIDE == given[""]
    assert base[""] == CLUSTER_WIDE | given[watched]
    assert base["whatsapp-operator"] | own == given[account]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_it_watches_where_it_may(overlay: str) -> None:
    """WATCH_NAMESPACES names the namespaces that have a Role."""
    found = list(documents(render(overlay)))
    (deployment,) = [item for item in found if item["kind"] == "Deployment"]
    variables = {
        each["name"]: each.get("value") for each in deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    }

    assert OVERLAYS[overlay][1] == variables["WATCH_NAMESPACES"]
